"""What an analysis is told: levels and corrections, claims, arms and their training seeds."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from evaluators.results import ClaimKind, Expectation
from evaluators.statistics.multiplicity import Correction


class Settings(BaseModel):
    """Immutable; keys it does not know are another part's business."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Corrections(Settings):
    """How p-values are corrected: over the tests of the claims, and over all other tests."""

    primary: Correction = "holm"
    secondary: Correction = "bh"


class Levels(Settings):
    """What counts as evidence; fractions."""

    alpha: Annotated[float, Field(gt=0, lt=0.5)] = 0.05
    smallest_effect: Annotated[float, Field(gt=0, lt=1)] = 0.10
    power: Annotated[float, Field(gt=0, lt=1)] = 0.8
    correction: Corrections = Corrections()


_CODE = re.compile(r"M\d{3}")
NOTHING_DIFFERS = "M001"
"""The finding that the two arms of a claim are the same."""


def _in_full(severity: Any) -> Any:
    return {"B": "blocks", "D": "downgrades", "W": "warns"}.get(severity, severity)


class Confound(Settings):
    """What stands against a claim: a factor that differs though the claim does not isolate it, or a finding of the plan."""

    factor: str
    """The factor's name, or the code of a finding, such as `M003`."""
    severity: Annotated[Literal["blocks", "downgrades", "warns"], BeforeValidator(_in_full)] = "blocks"
    detail: str = ""
    """What differs, in words: keys and values."""

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        return {"factor": value} if isinstance(value, str) else value

    @property
    def is_finding(self) -> bool:
        """Whether it is a finding of the method checks, whose detail is half a sentence; else a factor."""
        return bool(_CODE.fullmatch(self.factor)) and bool(self.detail)

    @property
    def words(self) -> str:
        """The factor, and what is known of it; a finding by its sentence, with its code."""
        if self.is_finding:
            return f"{self._plain} ({self.factor})"
        return f"{self.factor} ({self.detail})" if self.detail else self.factor

    @property
    def sentence(self) -> str:
        """A finding of the plan, as what was said before the run; it may begin with an arm's name, which keeps its letters."""
        return f"{self.factor} in the plan: {self._plain}"

    @property
    def _plain(self) -> str:
        return self.detail.replace("`", "")


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class ClaimSettings(Settings):
    """One claim: the first arm of `compare` against the second, on every endpoint of `on`."""

    name: str
    says: str = ""
    kind: ClaimKind = "recipe"
    compare: tuple[str, str]
    expect: Expectation
    on: Annotated[tuple[str, ...], BeforeValidator(_as_list), Field(min_length=1)]
    isolates: tuple[str, ...] = ()
    planned: bool = True
    confounds: tuple[Confound, ...] = ()


class AnalyzeSettings(Settings):
    """The settings of an `analyze` step."""

    analysis: Levels = Levels()
    claims: tuple[ClaimSettings, ...] = ()
    arms: dict[str, tuple[int | None, ...]]
    """Arm -> its training seeds; (None,) for an untrained arm."""
    criteria: tuple[str, ...]
    primary: tuple[str, ...] = ()
    level: str = "mvp"
    lineage: dict[str, tuple[str, ...]] = {}
    """Trained arm -> the arms whose seed k its own seed k builds on: by the checkpoint it starts from, by its data."""

    def trained(self, arm: str) -> bool:
        """Whether the arm has training seeds."""
        return any(seed is not None for seed in self.arms[arm])

    def related(self, arm: str) -> frozenset[str]:
        """The arm, and all trained arms whose seeds are nested with its own: ancestors, descendants, and what these share."""
        group = {arm}
        while True:
            near = {b for a, parents in self.lineage.items() for b in (a, *parents) if group & {a, *parents}}
            near = {b for b in near if b in self.arms and self.trained(b)}
            if near <= group:
                return frozenset(group)
            group |= near
