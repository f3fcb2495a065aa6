"""Where else in a spec a key could stand that was written at the top: `recipes.dpo.beta` for `beta`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args, get_origin

from compiler.language.base import Part
from compiler.language.lookup import unwrapped
from compiler.language.spec import Spec
from compiler.source.tree import Node

_FEW = 4
"""Places that are worth naming; a key with more of them is told by none."""


def elsewhere(key: str, tree: Node) -> tuple[str, ...]:
    """The few paths that end in a key, by what the language takes and by the names this spec gave; none if there are many."""
    found = tuple(path for path in dict.fromkeys(_paths(Spec, tree, ())) if path[-1] == key and len(path) > 1)
    return tuple(".".join(path) for path in found) if len(found) <= _FEW else ()


def _paths(part: type[Part], node: Node | None, above: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Every path at and below a part, whether it was written or not."""
    for name, field in part.model_fields.items():
        key = field.alias or name
        path, below, annotation = (*above, key), node.child(key) if node is not None else None, unwrapped(field.annotation)
        yield path
        if _is_part(annotation):
            yield from _paths(annotation, below, path)
        elif get_origin(annotation) is dict:
            for given in below.keys() if below is not None else ():
                yield (*path, given)
                entry = below.child(given) if below is not None else None
                for form in _forms(unwrapped(get_args(annotation)[1]), entry):
                    yield from _paths(form, entry, (*path, given))


def _forms(annotation: Any, node: Node | None) -> list[type[Part]]:
    """The part that a named entry is: of several, those with the objective that it has."""
    forms = [annotation] if _is_part(annotation) else [form for form in map(unwrapped, get_args(annotation)) if _is_part(form)]
    objective = node.child("objective") if node is not None else None
    return [
        form
        for form in forms
        if len(forms) == 1 or (objective and objective.scalar in get_args(form.model_fields["objective"].annotation))
    ]


def _is_part(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Part)
