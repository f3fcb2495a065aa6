"""Expected power before a run: what is asked, and the port through which it is answered. The answer is handed in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from compiler.language.assumptions import Assumptions
from compiler.language.evidence import Expectation

MOST_ITEMS, MOST_SEEDS = 2000, 10
"""Beyond these no design is looked for."""


@dataclass(frozen=True, slots=True)
class Believed:
    """What is believed of one endpoint of a claim."""

    assumptions: Assumptions
    judgements: int = 1
    """Yes-or-no judgements of which an outcome is the mean: 5 for the preference accuracy, one per negative type."""
    applies: float = 1.0
    """Share of the items to which the endpoint applies."""


@dataclass(frozen=True, slots=True)
class Question:
    """A claim as it will be tested. Sizes are counts; effect and alpha fractions."""

    items: int
    seeds: int
    effect: float
    """The smallest effect of interest; the margin of a claim of sameness, whose arms are then taken to be equal."""
    alpha: float
    tests: int
    """Tests that are corrected together, those of other claims among them."""
    correction: Literal["holm", "bonferroni", "none"]
    expect: Expectation
    recipe: bool
    """Whether the claim is about a way of training; else about the checkpoints at hand."""
    trained: tuple[bool, bool]
    """Whether the two arms have training seeds."""
    nested: bool
    """Whether seed k of one arm is built on seed k of the other, or both on that of a third."""
    pool: int
    """Trained arms over which the variance between seeds is pooled."""
    endpoints: tuple[Believed, ...]
    """All of them must come out as claimed."""


@dataclass(frozen=True, slots=True)
class Chance:
    """How probably a claim comes out supported, as a fraction."""

    power: float
    error: float
    """Monte Carlo standard error; 0 where nothing had to be simulated."""
    simulations: int
    why: str = ""
    """Why there is no power at all, in words: no valid test, no room for the effect."""
    room: float | None = None
    """The largest effect that fits above the assumed rate, where the one asked about does not."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What the wanted power asks for."""

    detectable: float | None
    """Smallest effect (or margin of sameness) found with the wanted power at the planned size, to half a point; None: none."""
    items: int | None
    """Items needed with `seeds` seeds, to the next ten; None where no design of reasonable size is enough."""
    seeds: int


@dataclass(frozen=True, slots=True)
class Pilot:
    """What a finished run of the same experiment measured."""

    source: str
    """Which run, in a few words."""
    endpoints: Mapping[str, Mapping[str, float]]
    """Endpoint -> measured assumption -> value; `applies` among them."""
    rates: Mapping[str, Mapping[str, float]]
    """Endpoint -> arm -> pass rate."""


class Power(Protocol):
    """Answers questions of power; reproducible."""

    def chance(self, question: Question, /) -> Chance:
        """The power at the effect that is asked about."""

    def needs(self, question: Question, target: float, least_seeds: int, /) -> Needs:
        """What would be found with the power `target`, and the items and seeds (no fewer than planned or than
        `least_seeds`) that find the effect asked about with it.
        """

    def pilot(self, experiment: str, /) -> Pilot | None:
        """What a finished run measured; None without one."""
