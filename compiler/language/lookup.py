"""Which part of the language a place of a spec belongs to: for the keys valid there and for words in messages."""

from __future__ import annotations

from collections.abc import Iterable
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import Tag

from compiler.language.base import Part
from compiler.language.spec import Spec

_THINGS = {"recipes": "recipe", "arms": "arm", "claims": "claim"}


def is_tag(key: object) -> bool:
    """Whether a key of an error's place only says which form of a value was meant, and is not written in the spec."""
    return isinstance(key, str) and key.startswith("<") and key.endswith(">")


def part_at(place: Iterable[str | int]) -> type[Part] | None:
    """The part that stands at an error's place (keys, indices and tags); None where it is a plain value."""
    found = _annotation_at(place)
    return found if isinstance(found, type) and issubclass(found, Part) else None


def description_at(path: tuple[str | int, ...]) -> str:
    """What the schema says about a key; empty where its part cannot be told from the path alone, or for an item of a list."""
    if not path or isinstance(path[-1], int):
        return ""
    place: list[str | int] = list(path)
    if path[0] == "recipes" and len(path) == 3:
        parts: list[type[Part] | None] = [part_at((*path[:2], tag)) for tag in ("<an sft recipe>", "<a dpo recipe>")]
    else:
        parts = [part_at(place[:-1])]
    fields = (field for part in parts if part for name, field in part.model_fields.items() if path[-1] in (field.alias, name))
    return next((field.description for field in fields if field.description), "")


def length_at(place: Iterable[str | int]) -> int:
    """How many values a list of fixed length takes that stands at an error's place."""
    return len(get_args(_annotation_at(place)))


def _annotation_at(place: Iterable[str | int]) -> Any:
    current: Any = Spec
    for key in place:
        current = _step(unwrapped(current), key)
    return unwrapped(current)


def keys_of(part: type[Part]) -> tuple[str, ...]:
    """The keys that may be written in a part."""
    return tuple(field.alias or name for name, field in part.model_fields.items())


def title_of(part: type[Part]) -> str:
    """A part's name in a message, such as `a dpo recipe`."""
    return str(part.model_config.get("title", part.__name__))


def whereabouts(path: tuple[str | int, ...]) -> str:
    """The mapping at a path in words: `in recipe `dpo``, `in `data.preferences``, `at the top level`."""
    if not path:
        return "at the top level"
    if path[0] in _THINGS and len(path) == 2:
        return f"in {_THINGS[str(path[0])]} `{path[1]}`"
    return f"in `{'.'.join(str(key) for key in path)}`"


def _step(current: Any, key: str | int) -> Any:
    if is_tag(key):
        return next((member for member in get_args(current) if _has_tag(member, str(key))), None)
    if isinstance(current, type) and issubclass(current, Part):
        return next((field.annotation for name, field in current.model_fields.items() if key in (field.alias, name)), None)
    if get_origin(current) is dict:
        return get_args(current)[1]
    return get_args(current)[0] if get_origin(current) is tuple else None


def _has_tag(member: Any, tag: str) -> bool:
    return any(isinstance(note, Tag) and note.tag == tag for note in getattr(member, "__metadata__", ()))


def unwrapped(annotation: Any) -> Any:
    """Without `Annotated` and without `| None`."""
    while True:
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
        elif get_origin(annotation) in (Union, UnionType) and type(None) in get_args(annotation):
            rest = [member for member in get_args(annotation) if member is not type(None)]
            annotation = rest[0] if len(rest) == 1 else Union[tuple(rest)]  # noqa: UP007  (built at run time)
        else:
            return annotation
