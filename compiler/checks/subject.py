"""What a family of checks looks at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from compiler.diagnostics import Place
from compiler.language.spec import Spec
from compiler.resolve import ResolvedArm
from compiler.shape import Draft
from compiler.source.tree import Key
from compiler.world import World


@dataclass(frozen=True, slots=True)
class Subject:
    """A spec of the right shape (its mistakes of shape cut out), and its arms as far as they can be resolved."""

    draft: Draft
    arms: Mapping[str, ResolvedArm]
    world: World

    @property
    def spec(self) -> Spec:
        """The spec, as far as its shape is right."""
        return self.draft.spec

    def declared(self, section: str) -> tuple[str, ...]:
        """All names under `arms`, `recipes` or `claims`, those with mistakes of shape included."""
        return self.draft.tree.keys(section)

    def key(self, *path: Key) -> Place:
        """Where a key was written, or the nearest key above it."""
        return self.draft.tree.key_place(path)

    def value(self, *path: Key) -> Place:
        """Where a value was written, or the nearest key above it."""
        return self.draft.tree.value_place(path)

    def written(self, *path: Key) -> bool:
        """Whether a value was given at all."""
        return self.draft.tree.at(path) is not None
