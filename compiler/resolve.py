"""From what arms say to what they are: recipes and data overlaid, every default filled in, parents first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from compiler.language.arms import Arm, PromptStyle, TrainOverride
from compiler.language.base import overlaid
from compiler.language.data import CHOSEN, Demonstrations, Preferences
from compiler.language.recipes import DpoRecipe, SftRecipe
from compiler.language.spec import Spec

NOT_SETTINGS = frozenset({"use", "match"})
"""Keys of an arm's `train` that are no settings of a recipe."""


@dataclass(frozen=True, slots=True)
class Need:
    """One arm needs another."""

    arm: str
    how: str
    """In words: `starts from`."""
    path: tuple[str, ...]
    """Where that is said, below the arm or, if it is data, for all arms."""


@dataclass(frozen=True, slots=True)
class ResolvedArm:
    """An arm with nothing left to look up."""

    name: str
    parent: str | None
    """The arm whose weights it starts from; None: the base model."""
    recipe: SftRecipe | DpoRecipe | None
    match: str | None
    """The arm whose training tokens are matched."""
    prompt: PromptStyle
    demonstrations: Demonstrations
    preferences: Preferences
    own_data: bool
    """Whether the data it is trained on differ from those of the spec."""
    responses: str | None = None
    """The file of its answers, where they were made elsewhere."""

    def needs(self) -> Iterator[Need]:
        """The arms that must be complete before this one."""
        if self.parent is not None:
            yield Need(self.parent, "starts from", ("from",))
        if self.match is not None:
            yield Need(self.match, "matches the tokens of", ("train", "match", "tokens"))
        if isinstance(self.recipe, SftRecipe) and self.demonstrations.from_ not in (None, CHOSEN):
            yield Need(self.demonstrations.from_, "has its demonstrations written by", ("data", "demonstrations", "from"))
        if self.needs_chosen and self.preferences.chosen.from_ is not None:
            path = ("data", "preferences", "chosen", "from")
            yield Need(self.preferences.chosen.from_, "has its chosen answers written by", path)

    @property
    def needs_chosen(self) -> bool:
        """Whether it is trained on chosen answers."""
        taught_by_chosen = isinstance(self.recipe, SftRecipe) and self.demonstrations.from_ == CHOSEN
        return taught_by_chosen or isinstance(self.recipe, DpoRecipe)


def recipe_name(arm: Arm) -> str | None:
    """The recipe an arm is trained by; None: it is not trained."""
    return arm.train.use if isinstance(arm.train, TrainOverride) else arm.train


def resolve_arms(spec: Spec) -> dict[str, ResolvedArm]:
    """Every arm whose recipe exists, by name, in the order of the spec."""
    wanted = ((name, arm) for name, arm in spec.arms.items() if recipe_name(arm) is None or recipe_name(arm) in spec.recipes)
    return {name: _resolved(spec, name, arm) for name, arm in wanted}


def _resolved(spec: Spec, name: str, arm: Arm) -> ResolvedArm:
    used = recipe_name(arm)
    recipe = spec.recipes[used] if used is not None else None
    override = arm.train if isinstance(arm.train, TrainOverride) else None
    if recipe is not None and override is not None:
        foreign = frozenset(override.model_fields_set - set(type(recipe).model_fields))
        recipe = overlaid(recipe, override, NOT_SETTINGS | foreign)
    demonstrations, preferences = spec.data.demonstrations, spec.data.preferences
    if arm.data is not None and arm.data.demonstrations is not None:
        demonstrations = overlaid(demonstrations, arm.data.demonstrations)
    if arm.data is not None and arm.data.preferences is not None:
        preferences = overlaid(preferences, arm.data.preferences)
    return ResolvedArm(
        name=name,
        parent=arm.from_,
        recipe=recipe,
        match=override.match.tokens if override is not None and override.match is not None else None,
        prompt=arm.prompt or "instruction",
        demonstrations=demonstrations,
        preferences=preferences,
        own_data=(demonstrations, preferences) != (spec.data.demonstrations, spec.data.preferences),
        responses=arm.responses,
    )


def in_order(arms: Mapping[str, ResolvedArm]) -> Iterator[ResolvedArm]:
    """The arms, each after those it needs.

    Raises:
        graphlib.CycleError: some need each other.
    """
    graph = {name: sorted({need.arm for need in arm.needs()}) for name, arm in arms.items()}
    yield from (arms[name] for name in TopologicalSorter(graph).static_order())


def cycles(arms: Mapping[str, ResolvedArm], most: int = 20) -> list[list[str]]:
    """Circles of arms that need each other (at most `most`): the members of each, the first again at the end."""
    graph = {name: {need.arm for need in arm.needs() if need.arm in arms} for name, arm in arms.items()}
    found: list[list[str]] = []
    while len(found) < most:
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as circle:
            members = list(reversed(circle.args[1]))
            found.append(members)
            graph[members[0]] = set()
        else:
            break
    return found
