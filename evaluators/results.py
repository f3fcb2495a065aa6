"""What an analysis found: the one object from which report, summary and tracking are made. Rates and effects are fractions."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Verdict = Literal["supported", "contradicted", "inconclusive", "confounded", "not testable"]
Expectation = Literal["greater", "less", "different", "equivalent", "not_worse"]
ClaimKind = Literal["recipe", "checkpoint"]


class Result(BaseModel):
    """Immutable and strict, like every record that is stored."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Rate(Result):
    """How often one arm passed one criterion, over items and seeds."""

    arm: str
    endpoint: str
    """A criterion, `preference_accuracy`, or `preference_accuracy/<negative type>`."""
    passed: int
    applicable: int
    """Item x seed answers to which the criterion applied (for `preference_accuracy`: held-out pairs x seeds)."""
    rate: float | None
    """The mean over items of their mean over seeds; None when nothing was applicable."""
    low: float | None
    high: float | None
    """95% Wilson interval on the item level (n = items; seeds averaged)."""
    per_seed: dict[str, float]
    """Training seed -> rate; empty for an untrained arm, which has none."""


class Sensitivity(Result):
    """Another defensible test of the same contrast, and whether it agrees."""

    name: str
    p: float | None
    agrees: bool
    note: str = ""


class Contrast(Result):
    """Arm `first` minus arm `second` on one endpoint."""

    first: str
    second: str
    endpoint: str
    effect: float | None
    low: float | None
    high: float | None
    interval_level: float = 0.95
    """Coverage of `low`..`high`, not corrected for the number of tests."""
    test: str
    """What was tested and how, in words; `refused` where no test is valid, with the reason in `note`."""
    p: float | None
    p_adjusted: float | None = None
    correction: str = "none"
    n_items: int
    n_families: int | None = None
    """Template families among the items; None where every item stands alone."""
    n_seeds: int
    """Training seeds of the arm that has fewer; 0 when neither arm was trained."""
    degrees_of_freedom: float | None = None
    seed_sd: float | None = None
    """Standard deviation of an arm's rate from one training seed to the next, pooled over trained arms."""
    cohen_h: float | None = None
    odds_ratio: float | None = None
    """Conditional odds ratio of discordant items (b / c); None where no item favoured `second`."""
    odds_ratio_low: float | None = None
    odds_ratio_high: float | None = None
    detectable: float | None = None
    """Smallest true effect that this design finds with the spec's power, at its corrected level; for a claim of `equivalent` or
    `not_worse`, the smallest margin that it shows when there is no difference."""
    sensitivity: tuple[Sensitivity, ...] = ()
    verdict: Verdict | None = None
    """What this endpoint alone says about the claim, confounds aside; None for a contrast that no claim is about."""
    note: str = ""


class ClaimResult(Result):
    """The verdict on one claim, and why."""

    claim: str
    says: str
    kind: ClaimKind
    expect: Expectation
    verdict: Verdict
    planned: bool
    sentence: str
    """One plain sentence that can be quoted without being wrong."""
    reasons: tuple[str, ...] = ()
    contrasts: tuple[Contrast, ...] = ()
    """One for each endpoint in `on`, in that order; the same correction covers all claims."""
    compare: tuple[str, ...] = ()
    on: tuple[str, ...] = ()
    isolates: tuple[str, ...] = ()
    confounds: tuple[str, ...] = ()
    """Factors beyond `isolates` in which the two arms differ; those that block the claim come first."""


class Analysis(Result):
    """Everything that was computed from the scores."""

    alpha: float
    smallest_effect: float = 0.1
    power: float = 0.8
    level: str = "mvp"
    seeds: tuple[int, ...]
    arms: tuple[str, ...]
    primary: tuple[str, ...]
    endpoints: tuple[str, ...]
    n_items: int
    n_families: int | None = None
    rates: tuple[Rate, ...]
    contrasts: tuple[Contrast, ...]
    """Secondary: every pair of arms x endpoint that no claim tests, corrected together."""
    claims: tuple[ClaimResult, ...]
    seed_sd: dict[str, float] = Field(default_factory=dict)
    """Endpoint -> standard deviation of a rate between training seeds, pooled over trained arms, where it can be estimated."""
    methods: str = ""
    """The statistics in one paragraph, as a paper would say it."""
    warnings: tuple[str, ...] = ()
