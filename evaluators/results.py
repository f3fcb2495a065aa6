"""What an analysis found: the one object from which report, summary and tracking are made. Rates and effects are fractions."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Verdict = Literal["supported", "contradicted", "inconclusive", "confounded", "not testable"]
Expectation = Literal["greater", "less", "different", "equivalent", "not_worse"]


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
    """Item x seed answers to which the criterion applied."""
    rate: float | None
    """None when nothing was applicable."""
    low: float | None
    high: float | None
    """95% Wilson interval on the item level (n = items; seeds averaged)."""
    per_seed: dict[str, float]


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
    test: str
    p: float | None
    p_adjusted: float | None = None
    correction: str = "none"
    n_items: int
    n_seeds: int
    degrees_of_freedom: float | None = None
    cohen_h: float | None = None
    odds_ratio: float | None = None
    """Conditional odds ratio of discordant items (b / c)."""
    detectable: float | None = None
    """Smallest true effect that this design finds with the spec's power, at its corrected level."""
    sensitivity: tuple[Sensitivity, ...] = ()
    note: str = ""


class ClaimResult(Result):
    """The verdict on one claim, and why."""

    claim: str
    says: str
    kind: Literal["recipe", "checkpoint"]
    expect: Expectation
    verdict: Verdict
    planned: bool
    sentence: str
    """One plain sentence that can be quoted without being wrong."""
    reasons: tuple[str, ...] = ()
    contrasts: tuple[Contrast, ...] = ()


class Analysis(Result):
    """Everything that was computed from the scores."""

    alpha: float
    seeds: tuple[int, ...]
    arms: tuple[str, ...]
    primary: tuple[str, ...]
    endpoints: tuple[str, ...]
    n_items: int
    rates: tuple[Rate, ...]
    contrasts: tuple[Contrast, ...]
    """Secondary: every pair of arms x endpoint that no claim tests, corrected together."""
    claims: tuple[ClaimResult, ...]
    warnings: tuple[str, ...] = ()
