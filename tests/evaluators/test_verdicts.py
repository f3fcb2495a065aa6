"""The verdict rule, as a truth table."""

from __future__ import annotations

from itertools import product

import pytest

from evaluators.analysis.verdicts import Evidence, claim_verdict, endpoint_verdict, evidence_of, finding
from evaluators.results import Expectation, Verdict
from evaluators.statistics.outcome import Interval, TestResult, t_result

ALPHA = 0.05
FOR, AGAINST, NEITHER = Evidence(0.01, 1.0), Evidence(1.0, 0.01), Evidence(0.4, 0.6)


def measured(effect: float, error: float = 0.02) -> TestResult:
    """A t-test with 20 degrees of freedom."""
    return t_result("t", effect, error, 20, 0.95)


@pytest.mark.parametrize(
    ("main", "sensitivity", "verdict"),
    [
        (FOR, [], "supported"),
        (FOR, [FOR, FOR], "supported"),
        (FOR, [FOR, NEITHER], "inconclusive"),
        (FOR, [AGAINST], "inconclusive"),
        (AGAINST, [], "contradicted"),
        (AGAINST, [AGAINST], "contradicted"),
        (AGAINST, [NEITHER], "inconclusive"),
        (NEITHER, [], "inconclusive"),
        (NEITHER, [FOR], "inconclusive"),
        (NEITHER, [AGAINST], "inconclusive"),
        (None, [], "not testable"),
        (Evidence(0.05, 1.0), [], "inconclusive"),
        (Evidence(0.0499, 1.0), [], "supported"),
    ],
)
def test_an_endpoint_needs_significance_and_agreement(
    main: Evidence | None, sensitivity: list[Evidence], verdict: Verdict
) -> None:
    """p < alpha in a direction and no sensitivity analysis that says otherwise; p = alpha is not below alpha."""
    assert endpoint_verdict(main, sensitivity, ALPHA) == verdict


@pytest.mark.parametrize(
    ("endpoints", "missing", "confounded", "verdict"),
    [
        (["supported"], False, False, "supported"),
        (["supported", "supported"], False, False, "supported"),
        (["supported", "inconclusive"], False, False, "inconclusive"),
        (["supported", "not testable"], False, False, "not testable"),
        (["inconclusive", "not testable"], False, False, "not testable"),
        (["supported", "contradicted"], False, False, "contradicted"),
        (["not testable", "contradicted"], False, False, "contradicted"),
        (["supported"], False, True, "confounded"),
        (["contradicted"], False, True, "confounded"),
        (["not testable"], False, True, "confounded"),
        ([], True, False, "not testable"),
        ([], True, True, "not testable"),
        ([], False, False, "not testable"),
    ],
)
def test_a_claim_needs_all_its_endpoints_and_no_confound(
    endpoints: list[Verdict], missing: bool, confounded: bool, verdict: Verdict
) -> None:
    """One contradicted endpoint contradicts; a blocking confound outweighs the data; a missing arm outweighs both."""
    assert claim_verdict(endpoints, missing=missing, confounded=confounded) == verdict


@pytest.mark.parametrize(
    ("expect", "effect", "verdict"),
    [
        ("greater", 0.15, "supported"), ("greater", -0.15, "contradicted"), ("greater", 0.0, "inconclusive"),
        ("less", 0.15, "contradicted"), ("less", -0.15, "supported"), ("less", 0.0, "inconclusive"),
        ("different", 0.15, "supported"), ("different", -0.15, "supported"), ("different", 0.0, "inconclusive"),
        ("equivalent", 0.0, "supported"), ("equivalent", 0.09, "inconclusive"), ("equivalent", 0.2, "contradicted"),
        ("equivalent", -0.2, "contradicted"),
        ("not_worse", 0.2, "supported"), ("not_worse", -0.02, "supported"), ("not_worse", -0.09, "inconclusive"),
        ("not_worse", -0.2, "contradicted"),
    ],
)  # fmt: skip
def test_expectations_read_the_effect_their_own_way(expect: Expectation, effect: float, verdict: Verdict) -> None:
    """With a standard error of 2 points and a margin of 10: what each expectation makes of an effect."""
    assert finding(evidence_of(expect, measured(effect), 0.1), ALPHA) == verdict


@pytest.mark.parametrize("expect", ["greater", "less", "different", "equivalent", "not_worse"])
def test_nothing_is_both_supported_and_contradicted(expect: Expectation) -> None:
    """Whatever the effect and its error, at most one side is significant."""
    for effect, error in product([-0.4, -0.12, -0.1, -0.01, 0.0, 0.01, 0.1, 0.12, 0.4], [0.001, 0.02, 0.1]):
        evidence = evidence_of(expect, measured(effect, error), 0.1)

        assert evidence.expected >= ALPHA or evidence.contrary >= ALPHA


def test_non_significance_is_not_equivalence() -> None:
    """A wide interval around zero supports neither difference nor equality."""
    wide = measured(0.0, error=0.2)

    assert finding(evidence_of("different", wide, 0.1), ALPHA) == "inconclusive"
    assert finding(evidence_of("equivalent", wide, 0.1), ALPHA) == "inconclusive"


def test_a_t_interval_stays_within_what_rates_can_differ_by() -> None:
    """Differences of rates lie in -1..1, and so do their limits."""
    assert measured(0.99, error=0.1).interval == Interval(pytest.approx(0.781, abs=1e-3), 1.0)
