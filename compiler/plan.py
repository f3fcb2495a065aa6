"""The plan: a graph of fingerprinted steps, complete enough that `run` needs nothing else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

StepKind = Literal[
    "instructions", "generate", "demonstrations", "preferences", "heldout_pairs", "reference", "train", "respond", "prefer",
    "score", "gate", "analyze",
]  # fmt: skip

STEP_VERSIONS: Mapping[StepKind, int] = {
    "instructions": 1, "generate": 1, "demonstrations": 1, "preferences": 1, "heldout_pairs": 1, "reference": 3, "train": 4,
    "respond": 1, "prefer": 3, "score": 4, "gate": 1, "analyze": 5,
}  # fmt: skip
"""Raised by hand when a step's code changes what it produces: a cosmetic change of code reruns nothing."""


_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def canonical(value: Any) -> str:
    """The canonical JSON of a value: sorted keys, no spaces, no NaN.

    Raises:
        ValueError: the value holds NaN or infinity, which have no canonical JSON.
    """
    return _CANONICAL.encode(value)


def fingerprint_of_canonical(text: str) -> str:
    """SHA-256 (hex) of canonical JSON."""
    return hashlib.sha256(text.encode()).hexdigest()


def fingerprint(value: Any) -> str:
    """SHA-256 (hex) of the canonical JSON of a value.

    Raises:
        ValueError: the value holds NaN or infinity, which have no canonical JSON.
    """
    return fingerprint_of_canonical(canonical(value))


class Step(BaseModel):
    """One unit of work, and its identity."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    """Readable and unique in a plan: `train/sft/seed-1`."""
    kind: StepKind
    version: int
    settings: dict[str, Any]
    """Only what changes the result."""
    inputs: dict[str, str]
    """Role -> id of the step that fills it."""
    fingerprint: str
    arm: str | None = None
    """The arm that first needed this step; others may share it."""
    seed: int | None = None
    after: tuple[str, ...] = ()
    """Ids of steps that must have succeeded before this one begins, though it reads none of them: no part of its identity."""


class ArmSteps(BaseModel):
    """Where to find what one arm produced for one training seed (`seed` None: an untrained arm)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    arm: str
    seed: int | None
    train: str | None
    """The step that trained this arm's checkpoint; None for an untrained arm."""
    respond: str
    prefer: str | None
    """None for an arm whose answers were made elsewhere: there is no model to ask."""
    score: str

    @property
    def key(self) -> str:
        """`sft/2`, or `base` for an untrained arm."""
        return self.arm if self.seed is None else f"{self.arm}/{self.seed}"


class Plan(BaseModel):
    """Steps in an order in which each one's inputs come before it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    experiment: str
    spec: dict[str, Any]
    """The resolved spec, defaults filled in: what was preregistered."""
    spec_fingerprint: str
    fingerprint: str
    steps: tuple[Step, ...]
    arms: tuple[ArmSteps, ...]
    analyze: str
    """The id of the step whose artifact holds the verdicts."""

    def step(self, step_id: str) -> Step:
        """The step of that id.

        Raises:
            KeyError: no such step.
        """
        return self._by_id[step_id]

    @cached_property
    def _by_id(self) -> dict[str, Step]:
        return {step.id: step for step in self.steps}
