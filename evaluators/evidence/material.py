"""What the checks look at beside the scores: the data that the arms learned from, and what their runs left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from compiler.records import Answer, Item, PairLogProbs, PreferencePair

BASE = "base model"
"""What stands for the weights of the base model as it was loaded."""


@dataclass(frozen=True, slots=True)
class Training:
    """The last training of one arm and seed."""

    objective: str
    beta: float | None
    """Of DPO."""
    tokens: int
    """Tokens passed forward in all trainings that made these weights, the reference's included."""
    curves: Mapping[str, Sequence[tuple[int, float]]]
    """Name -> (optimizer step, value)."""
    pairs: tuple[PreferencePair, ...] = ()
    pairs_asked: int | None = None
    """How many training pairs the spec asks for; None where it asks for none, or nobody recorded it."""
    reference: tuple[PairLogProbs, ...] = ()
    labels: str = "true"
    """Of the pairs: true or shuffled."""
    start: str | None = None
    """The weights that it started from, named as in `ArmRun.weights`; None where nobody knows."""
    demonstrated: frozenset[str] = frozenset()
    """Items whose demonstrations any training in the lineage saw."""

    @property
    def is_dpo(self) -> bool:
        """Whether it was preference optimization."""
        return self.objective == "dpo"


@dataclass(frozen=True, slots=True)
class ArmRun:
    """What one arm and seed (None: untrained) left beside its scores."""

    arm: str
    seed: int | None
    answers: Mapping[str, Answer]
    """By item id."""
    weights: str | None = None
    """The weights that answered: the fingerprint of their training, or `BASE`; None where no model answered here."""
    guard: Mapping[str, Any] | None = None
    """What the contamination guard looked through; None where no model answered here."""
    isolation: Mapping[str, Any] | None = None
    """Hashes of sentinel answers before and after this arm answered: `sentinels`, `before`, `after`, `identical`."""
    training: Training | None = None
    """None: untrained."""


@dataclass(frozen=True, slots=True)
class Material:
    """Everything beside the scores; what is absent cannot be checked, and the checks say so."""

    train: tuple[Item, ...] = ()
    near_duplicates: Mapping[str, str] | None = None
    """Held-out item -> a training item that it nearly repeats; None where nobody has looked."""
    runs: tuple[ArmRun, ...] = ()

    def of(self, arm: str) -> list[ArmRun]:
        """The runs of an arm, in the order of its seeds."""
        return [run for run in self.runs if run.arm == arm]

    def trainings(self, arm: str) -> list[Training]:
        """The trainings of an arm, in the order of its seeds."""
        return [run.training for run in self.of(arm) if run.training is not None]
