"""The contrast table: in what exactly do the two arms of a claim differ, along their whole lineage?

A factor is a resolved setting, named as in a spec: `from` (what an arm starts from), `train.beta`, `data.preferences.rejected`,
`prompt`. A claim isolates some; whatever else differs is a confound. `engine` is one factor for the whole lineage: whose
trainers carried it out, which is no part of the recipe.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from compiler.diagnostics import quoted
from compiler.language.base import Part
from compiler.language.data import CHOSEN, Demonstrations, Preferences, shares_of
from compiler.language.recipes import DpoRecipe, SftRecipe
from compiler.language.spec import Spec
from compiler.resolve import ResolvedArm

Arms = Mapping[str, ResolvedArm]
Settings = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Factor:
    """A setting in which two arms differ."""

    name: str
    first: Any
    second: Any
    claimed: bool
    """Whether the claim isolates it."""


@dataclass(frozen=True, slots=True)
class Contrast:
    """The two arms of a claim, set against each other."""

    claim: str
    first: str
    second: str
    factors: tuple[Factor, ...]
    idle: tuple[str, ...]
    """Factors that the claim isolates, though the arms do not differ in them."""

    def told(self, factor: Factor) -> str:
        """A factor's value in either arm, in words."""
        return f"{self.first} {_shown(factor.first)}, {self.second} {_shown(factor.second)}"

    @property
    def leftover(self) -> tuple[Factor, ...]:
        """The confounds: factors that differ and are not claimed."""
        return tuple(factor for factor in self.factors if not factor.claimed)


def contrasts(spec: Spec, arms: Arms) -> tuple[Contrast, ...]:
    """One contrast per claim whose two arms are known."""
    return tuple(
        _contrast(name, claim.isolates, arms[claim.compare[0]], arms[claim.compare[1]], arms)
        for name, claim in spec.claims.items()
        if claim.compare[0] in arms and claim.compare[1] in arms
    )


def _contrast(claim: str, isolates: tuple[str, ...], first: ResolvedArm, second: ResolvedArm, arms: Arms) -> Contrast:
    factors = tuple(
        Factor(name, *values, claimed=any(_covers(wide, name) for wide in isolates))
        for name, values in _differences(first, second, arms)
    )
    idle = tuple(wide for wide in isolates if not any(_covers(wide, factor.name) for factor in factors))
    return Contrast(claim, first.name, second.name, factors, idle)


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return "`{" + ", ".join(f"{name}: {share:g}" for name, share in value.items()) + "}`"
    return quoted("null" if value is None else value)


def _covers(wide: str, name: str) -> bool:
    return name == wide or name.startswith(wide + ".")


def _differences(first: ResolvedArm, second: ResolvedArm, arms: Arms) -> Iterator[tuple[str, tuple[Any, Any]]]:
    one, other = _lineage(first, arms), _lineage(second, arms)
    yield from _engines(one, other)
    one, other = _without_engine(one), _without_engine(other)
    shorter = min(len(one), len(other))
    if one[:shorter] == other[:shorter]:
        if len(one) != len(other):
            yield "train", (_added(one[shorter:]), _added(other[shorter:]))
    else:
        if one[:-1] != other[:-1]:
            yield "from", (first.parent or "the base model", second.parent or "the base model")
        yield from _unequal(one[-1], other[-1])
    yield from _unequal(_asking(first), _asking(second))


def _engines(one: tuple[Settings, ...], other: tuple[Settings, ...]) -> Iterator[tuple[str, tuple[Any, Any]]]:
    """Stage by stage where there are as many, else which there are at all; an untrained arm has none to differ in."""
    first, second = ([str(stage["engine"]) for stage in lineage] for lineage in (one, other))
    alike = first == second if len(first) == len(second) else set(first) == set(second)
    if first and second and not alike:
        yield "engine", (_in_turn(first), _in_turn(second))


def _in_turn(engines: list[str]) -> str:
    return ", then ".join(engines if len(set(engines)) > 1 else engines[:1])


def _without_engine(lineage: tuple[Settings, ...]) -> tuple[Settings, ...]:
    return tuple({name: value for name, value in stage.items() if name != "engine"} for stage in lineage)


def _unequal(one: Settings, other: Settings) -> Iterator[tuple[str, tuple[Any, Any]]]:
    """Settings that both have and that differ. What only one objective knows, such as beta, is part of `train.objective`."""
    yield from ((name, (one[name], other[name])) for name in one if name in other and one[name] != other[name])


def _added(stages: tuple[Settings, ...]) -> str:
    return ", then ".join(str(stage["train.objective"]) for stage in stages) or "no further training"


def _lineage(arm: ResolvedArm, arms: Arms) -> tuple[Settings, ...]:
    """The trainings that made an arm's weights, first to last."""
    stages: list[Settings] = []
    current: ResolvedArm | None = arm
    while current is not None:
        if current.recipe is not None:
            stages.append(_stage(current, current.recipe))
        current = arms[current.parent] if current.parent is not None else None
    return tuple(reversed(stages))


def _stage(arm: ResolvedArm, recipe: SftRecipe | DpoRecipe) -> Settings:
    settings = {_setting(name): getattr(recipe, name) for name in type(recipe).model_fields}
    settings["train.match"] = arm.match
    if isinstance(recipe, DpoRecipe):
        return settings | _flat("data.preferences", arm.preferences)
    if arm.demonstrations.from_ == CHOSEN:
        settings |= _flat("data.preferences.chosen", arm.preferences.chosen)
    return settings | _flat("data.demonstrations", arm.demonstrations)


def _setting(name: str) -> str:
    """A recipe's setting as a factor."""
    return name if name == "engine" else f"train.{name}"


def _asking(arm: ResolvedArm) -> Settings:
    """How an arm is asked when it is scored."""
    shown = {"data.demonstrations.few_shot": arm.demonstrations.few_shot} if arm.prompt == "few-shot" else {}
    return {"prompt": arm.prompt, "responses": arm.responses} | shown


def _flat(prefix: str, part: Part) -> dict[str, Any]:
    """A part's settings by their full names; a mix is one setting."""
    found: dict[str, Any] = {}
    for name, field in type(part).model_fields.items():
        value, full = getattr(part, name), f"{prefix}.{field.alias or name}"
        found |= _flat(full, value) if isinstance(value, Part) else {full: shares_of(value) if name == "rejected" else value}
    return found


def _names() -> Iterator[str]:
    yield from ("from", "prompt", "responses", "train.match")
    yield from (_setting(name) for recipe in (SftRecipe, DpoRecipe) for name in recipe.model_fields)
    yield from (*_flat("data.demonstrations", Demonstrations()), *_flat("data.preferences", Preferences()))


FACTORS: frozenset[str] = frozenset(
    ".".join(name.split(".")[:length]) for name in _names() for length in range(1, name.count(".") + 2)
)
"""Everything that a claim may isolate: every factor, and every group of factors, such as `train` or `data.preferences`."""
