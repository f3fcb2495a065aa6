"""The shape of a spec: unknown and missing keys, wrong types, values out of range. Every mistake is found, not only the first.

What is wrong is cut out, and the rest is checked on as if the default stood there, so that mistakes of other families are told
in the same breath.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from compiler.diagnostics import Diagnostic, did_you_mean, error, quoted, suggestion
from compiler.elsewhere import elsewhere
from compiler.guessing import OBJECTIVES, is_key_of_another_objective, with_guesses
from compiler.language.lookup import description_at, is_tag, keys_of, length_at, part_at, title_of, whereabouts
from compiler.language.spec import Spec
from compiler.source.overrides import is_flag
from compiler.source.scalars import resolve
from compiler.source.tree import Node, Path

_ROUNDS = 8
_ITEM = re.compile(r"(?P<list>.+)\[(?P<index>\d+)\]")
"""How other languages name an item of a list."""
_STAND_INS = {("experiment", "experiment"): "unnamed", ("claims", "says"): "unsaid", ("claims", "expect"): "different"}


@dataclass(frozen=True, slots=True)
class Draft:
    """A spec as far as its shape is right."""

    tree: Node
    """All that was written."""
    spec: Spec
    """What is left when the mistakes of shape are cut out."""
    broken: frozenset[Path]
    """The paths that were cut out."""
    varied: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Arm with `vary` -> the arms it became."""

    def is_whole(self, *path: str | int) -> bool:
        """Whether nothing at or below a path was cut out."""
        return not any(cut[: len(path)] == path or path[: len(cut)] == cut for cut in self.broken)


def check_shape(tree: Node) -> tuple[Draft | None, list[Diagnostic]]:
    """What is wrong with the shape, and a draft to check on; no draft where too little is left."""
    value, guessed = with_guesses(tree.plain())
    findings = [_bad_recipe(tree, path) for path in sorted(guessed, key=str)]
    broken: set[Path] = set(guessed)
    for round_ in range(_ROUNDS):
        try:
            spec = Spec.model_validate(value)
            if round_ > 0 or not guessed:
                return Draft(tree, spec, frozenset(broken)), findings
            details: list[ErrorDetails] = []
        except ValidationError as invalid:
            details = invalid.errors(include_url=False, include_input=False)
        if round_ == 0:
            told = (detail for detail in details if not _follows(detail, details) and not _misguessed(detail, guessed))
            findings = list(dict.fromkeys((*findings, *(_finding(tree, detail) for detail in told))))
        cuts = {_cut(detail) for detail in details} | (set(guessed) if round_ == 0 else set())
        broken |= cuts
        value = _without(value, cuts)
    return None, findings


def _misguessed(detail: ErrorDetails, guessed: frozenset[Path]) -> bool:
    """Whether a key is only unknown to the objective that a recipe was guessed to have."""
    path = _path(detail)
    return detail["type"] == "extra_forbidden" and path[:2] in guessed and is_key_of_another_objective(path)


def _follows(detail: ErrorDetails, details: list[ErrorDetails]) -> bool:
    """Whether a list is only too short because its items are wrong."""
    place = detail["loc"]
    return detail["type"] == "too_short" and any(
        other["loc"][: len(place)] == place and len(other["loc"]) > len(place) for other in details
    )


def _path(detail: ErrorDetails) -> Path:
    return tuple(key for key in detail["loc"] if not is_tag(key) and key != "[key]")


def _cut(detail: ErrorDetails) -> Path:
    """What has to go for the rest to be valid: the value, its list, or the mapping that misses a key."""
    path = _path(detail)
    if detail["type"] == "missing" and _stand_in(path) is None:
        path = path[:-1]
    return next((path[:index] for index, key in enumerate(path) if isinstance(key, int)), path)


def _stand_in(path: Path) -> str | None:
    """What stands for a required value that is missing or wrong, so that its neighbours can be checked on."""
    return _STAND_INS.get((str(path[0]), str(path[-1]))) if len(path) in (1, 3) else None


def _without(value: Any, cuts: set[Path], path: Path = ()) -> Any:
    if not isinstance(value, dict):
        return value
    kept = {key: _without(below, cuts, (*path, key)) for key, below in value.items() if (*path, key) not in cuts}
    stand_ins = {cut[-1]: _stand_in(cut) for cut in cuts if cut[:-1] == path and cut and _stand_in(cut) is not None}
    return kept | stand_ins


def _finding(tree: Node, detail: ErrorDetails) -> Diagnostic:
    path = _path(detail)
    return _TELLERS.get(detail["type"], _value)(tree, path, detail)


def _unknown_key(tree: Node, path: Path, detail: ErrorDetails) -> Diagnostic:
    part = part_at(detail["loc"][:-1])
    known = keys_of(part) if part else ()
    key, place = str(path[-1]), tree.key_place(path)
    item = _ITEM.fullmatch(key) if is_flag(place.source) else None
    meant = did_you_mean(key, known)
    others = elsewhere(key, tree) if len(path) == 1 and meant is None else ()
    way_out = suggestion(key, known, "keys")
    if item is not None and item["list"] in known:
        given = tree.at(path)
        value = given.scalar if given is not None and given.is_scalar else "…"
        way_out = f"an item of a list is named so, counted from 0: --set {_dotted((*path[:-1], *item.groups()))}={value}"
        meant = None
    elif others:
        way_out = f"did you mean {' or '.join(map(quoted, others))}?"
    return error(
        "S104",
        place,
        f"unknown key {quoted(key)} {whereabouts(path[:-1])}",
        label=f"not a field of {title_of(part) if part else 'this'}",
        help=way_out,
        replacement=meant,
    )


def _missing_key(tree: Node, path: Path, detail: ErrorDetails) -> Diagnostic:
    key = path[-1]
    if isinstance(key, int):
        node = tree.at(path[:-1])
        given = len(node.items or ()) if node is not None else 0
        message = f"`{_dotted(path[:-1])}` takes {length_at(detail['loc'][:-1])} values, found {given}"
        return error("S103", tree.value_place(path[:-1]), message, label="too few")
    part = part_at(detail["loc"][:-1])
    label = f"{title_of(part)} needs `{key}`" if part else ""
    return error(
        "S101", tree.key_place(path[:-1]), f"`{key}` is missing {whereabouts(path[:-1])}", label=label, help=f"add `{key}:`"
    )


def _bad_name(tree: Node, path: Path, detail: ErrorDetails) -> Diagnostic:
    is_key = detail["loc"][-1] == "[key]"
    place = tree.key_place(path) if is_key else tree.value_place(path)
    node = tree.at(path)
    name = path[-1] if is_key or node is None else node.scalar
    way_out = "begin with a letter; letters, digits, `_` and `-` may follow" if is_key else "letters, digits, `_`, `.` and `-`"
    return error("S106", place, f"{quoted(name)} cannot be a name", label="not a name", help=way_out)


def _not_one_of(tree: Node, path: Path, detail: ErrorDetails) -> Diagnostic:
    is_key = detail["loc"][-1] == "[key]"
    node = tree.at(path)
    found = str(path[-1]) if is_key else str(node.scalar) if node is not None else ""
    allowed = [word.strip("'") for word in detail.get("ctx", {}).get("expected", "").replace(" or ", ", ").split(", ")]
    place = tree.key_place(path) if is_key else tree.value_place(path)
    where = whereabouts(path[:-1]) if is_key else f"of `{_dotted(_named(path))}`"
    if node is not None and not is_key and not isinstance(node.scalar, str):
        return _type(tree, path, f"one of {', '.join(quoted(word) for word in allowed)}")
    message = f"{quoted(found)} is not a possible {'key' if is_key else 'value'} {where}"
    return error(
        "S105",
        place,
        message,
        label="not known",
        help=suggestion(found, allowed, "possible"),
        replacement=did_you_mean(found, allowed),
    )


def _wrong_type(expected: str) -> Callable[[Node, Path, ErrorDetails], Diagnostic]:
    return lambda tree, path, detail: _type(tree, path, expected)


def _mapping_expected(tree: Node, path: Path, detail: ErrorDetails) -> Diagnostic:
    part = part_at(detail["loc"])
    return _type(tree, path, f"a mapping ({title_of(part)})" if part else "a mapping")


def _type(tree: Node, path: Path, expected: str) -> Diagnostic:
    node = tree.at(path)
    found = node.noun if node is not None else "nothing"
    message = f"`{_dotted(path)}` takes {expected}, found {found}"
    place, help_ = tree.value_place(path), _way_out(node, expected) or _numeral(node, expected)
    return error("S102", place, message, label=f"this is {found}", help=help_, notes=_meaning(path))


def _meaning(path: Path) -> tuple[str, ...]:
    """What a key is for, with its unit, as the schema says it."""
    said = description_at(path)
    return (f"{quoted(path[-1])}: {said}",) if said else ()


def _numeral(node: Node | None, expected: str) -> str:
    """The number that a text begins with: units and per cent signs are not written."""
    if node is None or not isinstance(node.scalar, str) or "number" not in expected:
        return ""
    found = re.match(r"([-+]?\d+(?:[.,]\d+)?)\s*(%?)", node.scalar)
    if found is None:
        return ""
    number = found[1].replace(",", ".")
    return f"write `{float(number) / 100:g}`" if found[2] else f"write `{number}`: units are not written"


def _way_out(node: Node | None, expected: str) -> str:
    """What turns a value of the wrong type into the right one, where that is plain."""
    if node is not None and node.items is not None and expected.startswith("a recipe's name"):
        return "an arm has one training: give each stage an arm of its own, the next one `from` the one before"
    if node is None or not node.is_scalar:
        return ""
    if node.scalar is None:
        return "write `{}` for an arm without any keys" if expected == "a mapping (an arm)" else ""
    if expected == "a list":
        return _as_list(node.scalar)
    if expected == "text":
        return "put it in quotes"
    is_quoted_number = isinstance(node.scalar, str) and isinstance(resolve(node.scalar), int | float)
    return "write it without quotes" if is_quoted_number and "number" in expected else ""


def _as_list(value: Any) -> str:
    """A count as that many numbers, words as a list of them."""
    if isinstance(value, int) and not isinstance(value, bool) and 1 < value <= 20:
        return f"write `{list(range(1, value + 1))}` for {value} of them"
    parts = [part for part in re.split(r"[\s,;:/]+(?:vs\.?|against|and)?[\s,;:/]*", str(value)) if part]
    written = ", ".join(parts)
    return f"write {quoted(f'[{written}]')}"


def _no_form(tree: Node, path: Path, detail: ErrorDetails) -> Diagnostic:
    """A value that may take several forms has none of them."""
    if path[0] == "recipes" and len(path) == 2:
        return _bad_recipe(tree, path)
    if path[:2] == ("evaluation", "own_criteria"):
        return _type(tree, path, "a Python file or `{entry_point: NAME}`")
    expected = {"train": "a recipe's name or a mapping", "rejected": "a mix by name or a mapping of shares"}
    return _type(tree, path, expected.get(str(path[-1]), "`all-linear` or a list of layer names"))


def _bad_recipe(tree: Node, path: Path) -> Diagnostic:
    node = tree.at(path)
    objective = node.child("objective") if node is not None else None
    if node is None or node.entries is None:
        return _type(tree, path, "a mapping (a recipe)")
    if objective is None:
        message = f"`objective` is missing {whereabouts(path)}"
        return error(
            "S101",
            tree.key_place(path),
            message,
            label="a recipe needs `objective`",
            help="add `objective: sft` or `objective: dpo`",
        )
    found = str(objective.scalar)
    message = f"{quoted(found)} is not a possible value of `{_dotted((*path, 'objective'))}`"
    return error(
        "S105",
        objective.place,
        message,
        label="not known",
        help=suggestion(found, OBJECTIVES, "possible"),
        replacement=did_you_mean(found, OBJECTIVES),
    )


def _value(tree: Node, path: Path, detail: ErrorDetails) -> Diagnostic:
    """A value of the right type that may not stand there."""
    node = tree.at(path)
    limits = {name: f"{limit:g}" if isinstance(limit, float) else limit for name, limit in detail.get("ctx", {}).items()}
    rule = _RULES[detail["type"]].format(**limits) if detail["type"] in _RULES else detail["msg"]
    found = f", found {quoted(node.scalar)}" if node is not None and node.scalar not in (None, "") else ""
    message, notes = f"`{_dotted(path)}` {rule}{found}", _meaning(path)
    return error("S103", tree.value_place(path), message, label="out of range", help=_as_fraction(node, notes), notes=notes)


def _as_fraction(node: Node | None, notes: tuple[str, ...]) -> str:
    """What a number of per cent is as a fraction, where a fraction is wanted."""
    number = node.scalar if node is not None else None
    if not isinstance(number, int | float) or not 1 <= number <= 100 or not any("A fraction." in note for note in notes):
        return ""
    return f"write `{number / 100:g}` for {number:g}%"


def _named(path: Path) -> Path:
    """A path without the index of an item in its list."""
    return path[:-1] if path and isinstance(path[-1], int) else path


def _dotted(path: Path) -> str:
    return quoted(".".join(str(key) for key in path)).strip("`")


_RULES: Mapping[str, str] = {
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "finite_number": "must be a finite number",
    "too_short": "must have at least {min_length}, has {actual_length}",
    "too_long": "must have at most {max_length}, has {actual_length}",
    "string_too_short": "must not be empty",
    "string_too_long": "must not be longer than {max_length} characters",
}
"""Pydantic's kinds of errors about values, in our words."""

_TELLERS: Mapping[str, Callable[[Node, Path, ErrorDetails], Diagnostic]] = {
    "extra_forbidden": _unknown_key,
    "missing": _missing_key,
    "string_pattern_mismatch": _bad_name,
    "literal_error": _not_one_of,
    "model_type": _mapping_expected,
    "model_attributes_type": _mapping_expected,
    "dict_type": _wrong_type("a mapping"),
    "tuple_type": _wrong_type("a list"),
    "int_type": _wrong_type("a whole number"),
    "int_from_float": _wrong_type("a whole number"),
    "float_type": _wrong_type("a number"),
    "string_type": _wrong_type("text"),
    "bool_type": _wrong_type("true or false"),
    "union_tag_not_found": _no_form,
    "union_tag_invalid": _no_form,
}
