"""What a recipe without a known objective was probably meant to be, so that its other mistakes are told in the same breath."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from compiler.diagnostics import did_you_mean
from compiler.language.lookup import keys_of
from compiler.language.recipes import DpoRecipe, SftRecipe
from compiler.source.tree import Path

OBJECTIVES = ("sft", "dpo")
_KEYS = {"sft": frozenset(keys_of(SftRecipe)), "dpo": frozenset(keys_of(DpoRecipe))}


def with_guesses(value: Any) -> tuple[Any, frozenset[Path]]:
    """A spec's plain value with an objective in every recipe, and the paths of the recipes in which it was guessed."""
    recipes = value.get("recipes") if isinstance(value, Mapping) else None
    if not isinstance(recipes, Mapping):
        return value, frozenset()
    guessed = {
        name: {**recipe, "objective": _meant(str(name), recipe)}
        for name, recipe in recipes.items()
        if isinstance(recipe, Mapping) and recipe.get("objective") not in OBJECTIVES
    }
    return {**value, "recipes": {**recipes, **guessed}}, frozenset(("recipes", name) for name in guessed)


def is_key_of_another_objective(path: Path) -> bool:
    """Whether the last key of a path in a recipe is one that some recipe has."""
    return any(path[-1] in keys for keys in _KEYS.values())


def _meant(name: str, recipe: Mapping[str, Any]) -> str:
    """By how the objective is written, by keys that only one kind of recipe has, or by the recipe's name."""
    written = recipe.get("objective")
    if isinstance(written, str) and (close := did_you_mean(written, OBJECTIVES)):
        return close
    only = {kind: set(recipe) & (_KEYS[kind] - _KEYS[other]) for kind, other in (OBJECTIVES, OBJECTIVES[::-1])}
    if bool(only["sft"]) != bool(only["dpo"]):
        return "dpo" if only["dpo"] else "sft"
    return "dpo" if "dpo" in name.lower() else "sft"
