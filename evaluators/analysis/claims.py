"""Claims: their tests, corrected as one family, their sensitivity analyses, and the verdicts on them."""

from __future__ import annotations

from dataclasses import dataclass

from evaluators.analysis.comparisons import OWN_ARMS, Comparer, Comparison
from evaluators.analysis.contrasts import reported
from evaluators.analysis.outcomes import Outcomes
from evaluators.analysis.rates import rate_of
from evaluators.analysis.remarks import no_room
from evaluators.analysis.sentences import EndpointFinding, reasons_of, sentence_of
from evaluators.analysis.settings import NOTHING_DIFFERS, AnalyzeSettings, ClaimSettings
from evaluators.analysis.verdicts import Evidence, claim_verdict, endpoint_verdict, evidence_of, finding
from evaluators.analysis.words import points
from evaluators.results import ClaimResult, Sensitivity
from evaluators.statistics.multiplicity import Correction, adjust
from evaluators.statistics.outcome import Refusal, TestResult


@dataclass(frozen=True, slots=True, eq=False)
class _Test:
    """One claim on one endpoint."""

    claim: ClaimSettings
    comparison: Comparison


@dataclass(frozen=True, slots=True)
class _Family:
    """Tests that are corrected together."""

    p_values: tuple[float, ...]
    correction: Correction

    def adjusted(self, place: int, p: float) -> float:
        """`p`, corrected as if it stood at `place` in the family."""
        placed = adjust([*self.p_values[:place], p, *self.p_values[place + 1 :]], self.correction)[place]
        return p if placed is None else placed

    def strictest(self, alpha: float) -> float:
        """The level that the smallest p-value must meet: what a single true effect is up against."""
        return alpha if self.correction == "none" else alpha / len(self.p_values)

    def evidence(self, place: int, raw: Evidence) -> Evidence:
        """Both sides of the evidence at `place`, corrected."""
        return Evidence(self.adjusted(place, raw.expected), self.adjusted(place, raw.contrary))


class ClaimJudge:
    """Judges all claims of an analysis; without `detectable` what the design could have found is left out, which saves time."""

    def __init__(self, settings: AnalyzeSettings, comparer: Comparer, *, detectable: bool = True) -> None:
        self.settings = settings
        self.detectable = detectable
        self.comparer = comparer
        self.levels = settings.analysis
        self.missing = {claim.name: what_is_missing(claim, settings, comparer.outcomes) for claim in settings.claims}
        self.tests = [
            _Test(claim, self._compare(claim, endpoint))
            for claim in settings.claims
            if not self.missing[claim.name]
            for endpoint in claim.on
        ]

    def claimed(self) -> set[tuple[frozenset[str], str]]:
        """Pairs of arms x endpoint that a claim tests."""
        return {(frozenset(test.claim.compare), test.comparison.endpoint) for test in self.tests}

    def verdicts(self) -> tuple[ClaimResult, ...]:
        """A verdict for every claim, in the order of the spec."""
        return tuple(self._judge(claim) for claim in self.settings.claims)

    def _compare(self, claim: ClaimSettings, endpoint: str) -> Comparison:
        one_sided = claim.expect in ("equivalent", "not_worse")
        level = 1 - self.levels.alpha * (2 if one_sided else 1)
        return self.comparer.compare(*claim.compare, endpoint, claim.kind, level)

    def _family(self, test: _Test) -> tuple[_Family, int]:
        """The tests corrected together with this one, and its place among them.

        Planned claims are corrected over the planned ones; a claim added afterwards over all of them.
        """
        others = [
            t for t in self.tests if isinstance(t.comparison.result, TestResult) and (t.claim.planned or not test.claim.planned)
        ]
        margin = self.levels.smallest_effect
        p_values = tuple(
            _main_p(t.claim, t.comparison.result, margin) for t in others if isinstance(t.comparison.result, TestResult)
        )
        return _Family(p_values, self.levels.correction.primary), others.index(test)

    def _judge(self, claim: ClaimSettings) -> ClaimResult:
        missing = self.missing[claim.name]
        findings = [self._finding(test) for test in self.tests if test.claim is claim]
        blocking = tuple(c.words for c in claim.confounds if c.severity == "blocks")
        verdict = claim_verdict([f.verdict for f in findings], missing=bool(missing), confounded=bool(blocking))
        return ClaimResult(
            claim=claim.name,
            says=claim.says,
            kind=claim.kind,
            expect=claim.expect,
            verdict=verdict,
            planned=claim.planned,
            sentence=sentence_of(claim, verdict, findings, missing, self.levels),
            reasons=reasons_of(claim, findings, missing),
            contrasts=tuple(f.contrast for f in findings),
            compare=claim.compare,
            on=claim.on,
            isolates=claim.isolates,
            confounds=(*blocking, *(c.words for c in claim.confounds if c.severity != "blocks")),
        )

    def _finding(self, test: _Test) -> EndpointFinding:
        claim, comparison = test.claim, test.comparison
        remark = self._remark(claim, comparison.endpoint)
        if isinstance(comparison.result, Refusal):
            return EndpointFinding("not testable", reported(comparison, verdict="not testable"), remark)
        margin, alpha = self.levels.smallest_effect, self.levels.alpha
        family, place = self._family(test)
        main = family.evidence(place, evidence_of(claim.expect, comparison.result, margin))
        others = [
            (name, _main_p(claim, result, margin), family.evidence(place, evidence_of(claim.expect, result, margin)))
            for name, result in comparison.alternatives
            if isinstance(result, TestResult) and _answers(name, claim)
        ]
        verdict = endpoint_verdict(main, [other for _, _, other in others], alpha)
        contrast = reported(
            comparison,
            test=_test_name(claim, comparison.result, margin),
            p=family.p_values[place],
            p_adjusted=family.adjusted(place, family.p_values[place]),
            correction=family.correction,
            verdict=verdict,
            detectable=_detectable(claim, comparison, family.strictest(alpha), self.levels.power) if self.detectable else None,
            sensitivity=tuple(
                _sensitivity(name, p, family.adjusted(place, p), finding(other, alpha) == finding(main, alpha))
                for name, p, other in others
            ),
        )
        return EndpointFinding(verdict, contrast, remark, len(family.p_values))

    def _remark(self, claim: ClaimSettings, endpoint: str) -> str:
        first, second = (rate_of(self.comparer.outcomes, arm, endpoint) for arm in claim.compare)
        return no_room(claim.expect, first, second, self.levels.smallest_effect)


def what_is_missing(claim: ClaimSettings, settings: AnalyzeSettings, outcomes: Outcomes) -> str:
    """Which arm, difference or endpoint the claim needs and the results lack, in words; empty when all are there."""
    for arm in claim.compare:
        if arm not in settings.arms:
            return f"there is no arm {arm}"
        if arm not in outcomes.seeds:
            return f"arm {arm} has no scores"
    if same := [confound.words for confound in claim.confounds if confound.factor == NOTHING_DIFFERS]:
        return same[0]
    for endpoint in claim.on:
        for arm in claim.compare:
            if not outcomes.has(arm, endpoint):
                return f"arm {arm} has no outcome on {endpoint}"
    return ""


def _main_p(claim: ClaimSettings, result: TestResult, margin: float) -> float:
    """The p-value that stands for a test in its family: two-sided for a difference, that of the claim for a margin."""
    if claim.expect in ("equivalent", "not_worse"):
        return evidence_of(claim.expect, result, margin).expected
    return result.p


def _detectable(claim: ClaimSettings, comparison: Comparison, alpha: float, power: float) -> float | None:
    if claim.expect in ("equivalent", "not_worse"):
        return comparison.showable_margin(claim.expect, alpha, power)
    return comparison.detectable(alpha, power)


def _answers(name: str, claim: ClaimSettings) -> bool:
    """Whether a sensitivity analysis says something about the claim: the items alone cannot bound a recipe's difference."""
    return name == OWN_ARMS or claim.kind == "checkpoint" or claim.expect in ("greater", "less", "different")


def _sensitivity(name: str, p: float, adjusted: float, agrees: bool) -> Sensitivity:
    note = "" if agrees else "under this analysis the finding changes"
    return Sensitivity(name=name, p=p, p_adjusted=adjusted, agrees=agrees, note=note)


def _test_name(claim: ClaimSettings, result: TestResult, margin: float) -> str:
    if claim.expect == "equivalent":
        return f"two one-sided tests within {points(margin)} points, by the {result.test}"
    if claim.expect == "not_worse":
        return f"one-sided test against being worse by {points(margin)} points, by the {result.test}"
    return result.test
