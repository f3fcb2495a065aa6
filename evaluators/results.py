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
    p_adjusted: float | None = None
    """Corrected as the test itself is: what its agreement is judged by."""


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
    cliffs_delta: float | None = None
    """Dominance of the first arm's item means over the second's, -1..1, where an endpoint has more than two values."""
    newcombe_low: float | None = None
    newcombe_high: float | None = None
    """Newcombe's interval (method 10) of a difference of 0/1 outcomes of two checkpoints; `low`..`high` is Tango's there."""
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
    """What stands against the claim: factors beyond `isolates`, findings of the plan; those that block it come first."""
    statistical_verdict: Verdict | None = None
    """What the verdict was before the checks on data and results changed it; None where they left it as it was."""


Weight = Literal["blocks", "weakens", "notes"]
"""Blocks: the claim cannot be answered. Weakens: it can, with less to show for it. Notes: worth knowing."""

Number = float | int | None


class Finding(Result):
    """One thing that was found on data or results."""

    code: str
    """The same code as in the method review: `M016`; `stage1 explain M016` tells what it is about."""
    subject: str
    """What was looked at, in a word or two: `leakage`."""
    weight: Weight
    claims: tuple[str, ...] = ()
    """The claims that it touches; none where it is about the experiment as a whole."""
    message: str
    """One sentence with the numbers that matter."""
    numbers: dict[str, Number] = {}
    """What was measured: name -> value; rates and effects are fractions."""
    remedy: str = ""
    """The way out in words."""
    changes: dict[str, Verdict] = {}
    """Claim -> the verdict that it forces; where the claim was decided otherwise."""


class Check(Result):
    """One check that was made, or the reason why it was not."""

    code: str
    subject: str
    done: bool
    found: int = 0
    """How many findings it had."""
    note: str = ""
    """What was looked at, in numbers; or why it could not be."""


class Conduct(Result):
    """How one arm's answers look and end, all training seeds together."""

    arm: str
    answers: int
    missing: int
    """Held-out items x seeds without an answer."""
    mean_tokens: float
    truncated: float
    """Share of answers that were cut off at the token limit."""
    no_end: float
    """Share of answers without the END marker."""


class Redundancy(Result):
    """How far the criteria say the same, over all answers."""

    criteria: tuple[str, ...]
    """Those that vary: one that every answer passes, or none, is correlated with nothing."""
    phi: tuple[tuple[float | None, ...], ...]
    """Correlation of two criteria within arms, as a matrix in that order; None where the two are never judged together."""
    effective: float
    """Effective number of independent criteria, (sum of eigenvalues)^2 / (sum of squared eigenvalues) of the matrix."""


class LengthEffect(Result):
    """One endpoint of one claim, with and without what goes along with the length of the answers."""

    claim: str
    endpoint: str
    effect: float
    adjusted: float
    """The difference expected at answers of equal length."""
    low: float
    high: float
    """95% interval of `adjusted`."""
    doublings: float
    """How much longer the first arm's answers are: mean log2 ratio of tokens."""
    slope: float
    """Change of the difference per doubling of the length ratio."""
    overlap: float
    """Share of items with answers less than twice as long in one arm as in the other: without any, `adjusted` extrapolates."""


class MirrorGain(Result):
    """A claim's contrast over the criteria that mirror a negative type of its training, and over those that mirror none."""

    claim: str
    mirrored: tuple[str, ...]
    unmirrored: tuple[str, ...]
    gain_mirrored: float | None
    """Mean difference over them; None without any."""
    gain_unmirrored: float | None
    gap: float | None
    """`gain_mirrored` - `gain_unmirrored`."""
    low: float | None
    high: float | None
    """95% interval of the gap, over items."""


class PolicyGap(Result):
    """How likely a DPO arm's training pairs are under the model it starts from, nats per token, seeds averaged."""

    arm: str
    chosen: float
    rejected: float
    pairs: int


class Strength(Result):
    """One arm's place in the overall order of all arms."""

    arm: str
    strength: float
    """Bradley-Terry log-strength; all arms' strengths sum to 0."""
    low: float
    high: float
    """95% bootstrap interval over items (whole template families)."""
    wins: float
    """Share of item comparisons with the other arms that it wins, a tie counting half."""


class Aggregate(Result):
    """An arm's mean over all criteria: a summary that no claim rests on."""

    arm: str
    mean: float
    low: float | None
    high: float | None
    """95% stratified BCa bootstrap interval, items drawn within their kind; None where it is degenerate."""


class Evidence(Result):
    """Everything that the checks on data and results have to say."""

    checks: tuple[Check, ...] = ()
    findings: tuple[Finding, ...] = ()
    conduct: tuple[Conduct, ...] = ()
    redundancy: Redundancy | None = None
    lengths: tuple[LengthEffect, ...] = ()
    mirrors: tuple[MirrorGain, ...] = ()
    policies: tuple[PolicyGap, ...] = ()


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
    order: tuple[Strength, ...] = ()
    """All arms from strongest to weakest, over all criteria; exploratory."""
    aggregates: tuple[Aggregate, ...] = ()
    evidence: Evidence = Evidence()
    """What the checks on data and results found."""
