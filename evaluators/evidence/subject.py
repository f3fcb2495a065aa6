"""An analysed experiment, as the checks on data and results look at it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from compiler.records import Item
from evaluators.analysis.claims import ClaimJudge
from evaluators.analysis.comparisons import Comparer, Comparison
from evaluators.analysis.outcomes import PREFERENCE, Mask, Outcomes
from evaluators.analysis.settings import AnalyzeSettings, ClaimSettings
from evaluators.evidence.material import Material
from evaluators.results import ClaimResult, Finding, Verdict
from evaluators.statistics.outcome import FloatArray

DECIDED: tuple[Verdict, ...] = ("supported", "contradicted")


@dataclass(frozen=True, slots=True)
class Looked:
    """What one check has to say: its findings, and what it looked at."""

    note: str
    findings: tuple[Finding, ...] = ()
    done: bool = True


def not_done(why: str) -> Looked:
    """A check whose material is not there."""
    return Looked(why, done=False)


@dataclass(eq=False)
class Subject:
    """Scores, claims with the verdicts that the statistics alone reach, and the material beside them."""

    settings: AnalyzeSettings
    outcomes: Outcomes
    items: Sequence[Item]
    claims: Sequence[ClaimResult]
    material: Material
    comparer: Comparer = field(init=False)

    def __post_init__(self) -> None:
        self.comparer = Comparer(self.settings, self.outcomes)

    @cached_property
    def verdicts(self) -> dict[str, Verdict]:
        """Claim -> what the statistics alone say."""
        return {claim.claim: claim.verdict for claim in self.claims}

    def flipped(self, outcomes: Outcomes, claims: Iterable[str] | None = None) -> dict[str, Verdict]:
        """Decided claims that other outcomes decide otherwise: claim -> the verdict there."""
        found = verdicts_on(self.settings, outcomes)
        wanted = self.verdicts if claims is None else claims
        return {name: found[name] for name in wanted if self.verdicts[name] in DECIDED and found[name] != self.verdicts[name]}

    def touched(self, arms: Iterable[str]) -> tuple[str, ...]:
        """The claims that compare any of these arms."""
        names = set(arms)
        return tuple(claim.name for claim in self.settings.claims if names & set(claim.compare))

    def built_on(self, arms: Iterable[str]) -> frozenset[str]:
        """These arms and all whose seeds build on theirs, by weights or by data: what went wrong there is in them, too."""
        found = set(arms)
        while new := {arm for arm, parents in self.settings.lineage.items() if found & set(parents)} - found:
            found |= new
        return frozenset(found)

    def claim(self, name: str) -> ClaimSettings:
        """A claim by its name."""
        return next(claim for claim in self.settings.claims if claim.name == name)

    def tested(self) -> Iterable[tuple[ClaimSettings, str, Comparison]]:
        """Every claim and endpoint with outcomes in both arms, criteria and preference accuracy alike."""
        for claim in self.settings.claims:
            for endpoint in claim.on:
                if all(self.outcomes.has(arm, endpoint) for arm in claim.compare):
                    yield claim, endpoint, self.comparer.compare(*claim.compare, endpoint, claim.kind)

    def tokens(self, arm: str) -> FloatArray:
        """Generated tokens of an arm's answers, (seeds, n), in the order of the items; NaN where there is no answer."""
        runs = [[run.answers.get(item) for item in self.outcomes.items] for run in self.material.of(arm)]
        return np.array([[np.nan if answer is None else float(answer.tokens) for answer in run] for run in runs])


def verdicts_on(settings: AnalyzeSettings, outcomes: Outcomes) -> dict[str, Verdict]:
    """Claim -> verdict, by the very rule of the analysis, on other outcomes."""
    judge = ClaimJudge(settings, Comparer(settings, outcomes), detectable=False)
    return {claim.claim: claim.verdict for claim in judge.verdicts()}


def is_criterion(endpoint: str) -> bool:
    """Whether an endpoint is judged on answers."""
    return not endpoint.startswith(PREFERENCE)


def kept(outcomes: Outcomes, mask: Mask) -> Outcomes:
    """The outcomes on some of the items only."""
    families = (
        None if outcomes.families is None else np.unique(outcomes.families[mask], return_inverse=True)[1].astype(np.int64)
    )
    return Outcomes(
        items=tuple(item for item, keep in zip(outcomes.items, mask, strict=True) if keep),
        families=families,
        seeds=outcomes.seeds,
        tables={e: {arm: table[:, mask] for arm, table in tables.items()} for e, tables in outcomes.tables.items()},
    )
