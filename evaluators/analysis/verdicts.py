"""The rule by which evidence becomes a verdict. Everything else prepares for it or puts it into words.

An endpoint, given the corrected p-values of what the claim expects and of its contrary:
- supported: p < alpha for what was expected, and every sensitivity analysis finds the same;
- contradicted: p < alpha for the contrary, and every sensitivity analysis finds the same;
- inconclusive: anything else; it is never read as "no effect";
- not testable: no valid test exists.
What is expected and its contrary, d being the first arm's rate minus the second's and m the smallest effect of interest:
  greater     d > 0 (two-sided test)           d < 0 (two-sided test)
  less        d < 0 (two-sided test)           d > 0 (two-sided test)
  different   d != 0 (two-sided test)          nothing can contradict it
  equivalent  -m < d < m (two one-sided tests) |d| > m
  not_worse   d > -m (one-sided test)          d < -m (one-sided test)

A claim with several endpoints says all of them at once: one contradicted endpoint contradicts it; else one that is not
testable makes it not testable; else one that is inconclusive makes it inconclusive. Whatever the data say, a claim whose arms
differ in a blocking factor that it does not isolate is confounded. Only a missing arm or endpoint comes before that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evaluators.results import Expectation, Verdict
from evaluators.statistics.equivalence import beyond_margin, equivalence, non_inferiority
from evaluators.statistics.outcome import TestResult


@dataclass(frozen=True, slots=True)
class Evidence:
    """The two p-values a verdict on one endpoint rests on, both corrected alike."""

    expected: float
    contrary: float


def evidence_of(expect: Expectation, result: TestResult, margin: float) -> Evidence:
    """Uncorrected evidence for an expectation and for its contrary; a side that the effect does not point to has p = 1."""
    if expect == "equivalent":
        return Evidence(equivalence(result, margin), beyond_margin(result, margin))
    if expect == "not_worse":
        return Evidence(non_inferiority(result, margin), result.p_below(-margin))
    if expect == "different":
        return Evidence(result.p, 1.0)
    upwards = (result.p if result.effect > 0 else 1.0, result.p if result.effect < 0 else 1.0)
    return Evidence(*upwards) if expect == "greater" else Evidence(*reversed(upwards))


def finding(evidence: Evidence, alpha: float) -> Verdict:
    """What one analysis alone says: supported, contradicted or inconclusive."""
    if evidence.expected < alpha:
        return "supported"
    return "contradicted" if evidence.contrary < alpha else "inconclusive"


def endpoint_verdict(main: Evidence | None, sensitivity: Sequence[Evidence], alpha: float) -> Verdict:
    """The verdict on one endpoint; `main` None means that there is no valid test."""
    if main is None:
        return "not testable"
    verdict = finding(main, alpha)
    return verdict if all(finding(other, alpha) == verdict for other in sensitivity) else "inconclusive"


def claim_verdict(endpoints: Sequence[Verdict], *, missing: bool = False, confounded: bool = False) -> Verdict:
    """The verdict on a claim from those on its endpoints; `missing`: an arm or endpoint it needs is not there."""
    if missing or not endpoints:
        return "not testable"
    if confounded:
        return "confounded"
    decisive: tuple[Verdict, ...] = ("contradicted", "not testable", "inconclusive")
    return next((verdict for verdict in decisive if verdict in endpoints), "supported")
