"""An experiment whose parts fit together, as the method checks look at it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from compiler.checks.method.finding import Level
from compiler.checks.method.power import Pilot, Power
from compiler.checks.subject import Subject
from compiler.contrasts import Contrast
from compiler.diagnostics import Place
from compiler.language.data import CHOSEN, shares_of
from compiler.language.evidence import PREFERENCE_ACCURACY, Claim
from compiler.language.recipes import DpoRecipe, SftRecipe
from compiler.language.spec import Spec
from compiler.plan import canonical
from compiler.resolve import ResolvedArm


@dataclass(frozen=True, slots=True)
class Comparison:
    """A claim with its two arms: the one that is to come out ahead, and the other."""

    name: str
    claim: Claim
    contrast: Contrast
    ahead: ResolvedArm
    behind: ResolvedArm
    endpoints: tuple[str, ...]

    @property
    def is_recipe(self) -> bool:
        """Whether it is about a way of training."""
        return self.claim.kind == "recipe"

    @property
    def criteria(self) -> tuple[str, ...]:
        """Its endpoints that are scored on answers."""
        return tuple(endpoint for endpoint in self.endpoints if endpoint != PREFERENCE_ACCURACY)


class Design:
    """A spec, its arms and contrasts, and what the checks ask about them again and again."""

    def __init__(
        self, subject: Subject, contrasts: tuple[Contrast, ...], power: Power | None = None, level: Level | None = None
    ) -> None:
        self.subject = subject
        self.contrasts = contrasts
        self.power = power
        self.level: Level = level or subject.spec.level
        self.arms: Mapping[str, ResolvedArm] = subject.arms

    @property
    def spec(self) -> Spec:
        """The spec with its defaults."""
        return self.subject.spec

    def at(self, level: Level) -> Design:
        """The same experiment, judged as strictly as a level asks."""
        return Design(self.subject, self.contrasts, self.power, level)

    @cached_property
    def pilot(self) -> Pilot | None:
        """What a finished run of the same experiment measured."""
        return self.power.pilot(self.spec.experiment) if self.power is not None else None

    @cached_property
    def trained(self) -> frozenset[str]:
        """The arms whose weights are other than the base model's."""
        return frozenset(name for name, arm in self.arms.items() if self.is_trained(arm))

    @cached_property
    def _families(self) -> Mapping[str, frozenset[str]]:
        """Trained arm -> the trained arms whose seeds are nested with its own."""
        groups = {name: {name} for name in self.trained}
        for name in self.trained:
            arm = self.arms[name]
            for near in {need.arm for need in arm.needs() if need.arm != arm.match} & self.trained:
                if groups[near] is not groups[name]:
                    small, large = sorted((groups[near], groups[name]), key=len)
                    large |= small
                    groups |= dict.fromkeys(small, large)
        shared = {id(group): frozenset(group) for group in groups.values()}
        return {name: shared[id(group)] for name, group in groups.items()}

    def related(self, arm: ResolvedArm) -> frozenset[str]:
        """The arm, and all trained arms whose seed k its own seed k is built with: ancestors, descendants, shared ones."""
        return self._families.get(arm.name, frozenset())

    def nested(self, first: ResolvedArm, second: ResolvedArm) -> bool:
        """Whether two trained arms share what their seeds are built on."""
        return second.name in self.related(first)

    @cached_property
    def comparisons(self) -> tuple[Comparison, ...]:
        """The claims whose two arms differ in what is claimed and in nothing else: the others must be repaired first."""
        return tuple(self._comparison(c) for c in self.contrasts if c.factors and not c.leftover)

    def _comparison(self, contrast: Contrast) -> Comparison:
        claim = self.spec.claims[contrast.claim]
        first, second = self.arms[contrast.first], self.arms[contrast.second]
        ahead, behind = (second, first) if claim.expect == "less" else (first, second)
        return Comparison(contrast.claim, claim, contrast, ahead, behind, tuple(claim.on or self.spec.evaluation.primary))

    @cached_property
    def recipe_comparisons(self) -> tuple[Comparison, ...]:
        """Those about a way of training."""
        return tuple(comparison for comparison in self.comparisons if comparison.is_recipe)

    @cached_property
    def _by_arm(self) -> Mapping[str, list[Comparison]]:
        found: dict[str, list[Comparison]] = defaultdict(list)
        for comparison in self.comparisons:
            found[comparison.ahead.name].append(comparison)
            found[comparison.behind.name].append(comparison)
        return found

    def about(self, arm: ResolvedArm) -> list[Comparison]:
        """The claims that an arm is part of."""
        return self._by_arm.get(arm.name, [])

    def rivals(self, comparison: Comparison) -> Iterator[ResolvedArm]:
        """The arms that the arm ahead is set against, on some of the same endpoints: its controls are among them."""
        for other in self.about(comparison.ahead):
            if set(other.endpoints) & set(comparison.endpoints):
                yield other.behind if other.ahead.name == comparison.ahead.name else other.ahead

    @cached_property
    def tests(self) -> int:
        """Tests over all claims: one per endpoint."""
        primary = len(self.spec.evaluation.primary)
        return sum(len(claim.on) if claim.on is not None else primary for claim in self.spec.claims.values())

    def place(self, comparison: Comparison) -> Place:
        """Where a claim says what it compares."""
        return self.subject.key("claims", comparison.name, "compare")

    def stages(self, arm: ResolvedArm) -> tuple[ResolvedArm, ...]:
        """The arms whose trainings made an arm's weights, first to last."""
        found: list[ResolvedArm] = []
        current: ResolvedArm | None = arm
        while current is not None:
            if current.recipe is not None:
                found.append(current)
            current = self.arms[current.parent] if current.parent is not None else None
        return tuple(reversed(found))

    def policy(self, arm: str | None) -> str | None:
        """The trained arm whose weights an arm has; None: the base model's."""
        while arm is not None and self.arms[arm].recipe is None:
            arm = self.arms[arm].parent
        return arm

    def is_trained(self, arm: ResolvedArm) -> bool:
        """Whether its weights are other than the base model's."""
        return self.policy(arm.name) is not None

    def passes(self, arm: ResolvedArm) -> float:
        """Sequences passed forward in all trainings that made an arm: both sides of a pair, and the reference's, count."""
        return sum(self.own_passes(stage) for stage in self.stages(arm))

    def own_passes(self, arm: ResolvedArm) -> float:
        """Sequences passed forward in an arm's own training; the reference reads both sides of a pair once."""
        matched = self.arms.get(arm.match) if arm.match is not None else None
        if matched is not None:
            return self.own_passes(matched) if matched.match is None else 0.0
        if isinstance(arm.recipe, DpoRecipe):
            return arm.preferences.pairs * (2 * arm.recipe.epochs + 2)
        return self.spec.data.instructions.train * arm.recipe.epochs if arm.recipe is not None else 0.0

    def written(self, arm: ResolvedArm) -> dict[str, Any]:
        """What the spec says about an arm, as plain values."""
        told = self.spec.arms[arm.name]  # of a saved plan everything is set, defaults too
        said: dict[str, Any] = told.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True)
        return said

    def fresh(self, name: str) -> str:
        """A name that no arm and no claim has."""
        taken = self._names
        return name if name not in taken else next(n for i in range(2, len(taken) + 3) if (n := f"{name}_{i}") not in taken)

    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset((*self.spec.arms, *self.spec.claims))

    def arm_written_as(self, body: dict[str, Any]) -> str | None:
        """The arm that the spec describes in just these words; None if there is none."""
        return self._by_words.get(canonical(body))

    @cached_property
    def _by_words(self) -> dict[str, str]:
        return {canonical(self.written(arm)): name for name, arm in reversed(list(self.arms.items()))}


def is_sft(arm: ResolvedArm) -> bool:
    """Whether an arm's own training is supervised fine-tuning."""
    return isinstance(arm.recipe, SftRecipe)


def is_dpo(arm: ResolvedArm) -> bool:
    """Whether an arm's own training is preference optimization."""
    return isinstance(arm.recipe, DpoRecipe)


def learns_chosen(arm: ResolvedArm) -> bool:
    """Whether it is fine-tuned on the chosen answers of the pairs."""
    return is_sft(arm) and arm.demonstrations.from_ == CHOSEN


def negatives(arm: ResolvedArm) -> frozenset[str]:
    """The negative types that an arm's own training shows it as bad; none with shuffled labels or another item's answer."""
    if not is_dpo(arm) or arm.preferences.labels == "shuffled" or arm.preferences.rejected == "random":
        return frozenset()
    shares = shares_of(arm.preferences.rejected)
    return frozenset(shares) if not isinstance(shares, str) else frozenset(ALL_TYPES)


ALL_TYPES = ("unwarranted_refusal", "format_violation", "incorrect_factual", "off_topic", "verbose_vague")
MIRRORED = dict(
    zip(
        ALL_TYPES,
        ("no_unwarranted_refusal", "appropriate_length", "factually_correct", "on_topic", "addresses_instruction"),
        strict=True,
    )
)
"""Negative type -> the criterion that fails such an answer first."""
