"""What the findings ask for, as one spec that extends the one reviewed: it can be saved and planned as it stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from compiler.assessment.records import Recommendation
from compiler.flow import entry_lines, nested


@dataclass(slots=True)
class _Additions:
    """Additions by name, with the codes that each answers."""

    values: dict[str, Any] = field(default_factory=dict)
    codes: dict[str, list[str]] = field(default_factory=dict)

    def add(self, name: str, value: Any, code: str) -> None:
        """One more; what two findings ask for under one name becomes one addition."""
        self.values[name] = _joined(self.values[name], value) if name in self.values else value
        known = self.codes.setdefault(name, [])
        if code not in known:
            known.append(code)


def overlay(recommendations: Sequence[Recommendation], extended: str, most: int) -> list[str]:
    """The lines of a spec that extends another one by what its findings ask for; none where nothing can be added.

    Args:
        recommendations: what the method review recommends.
        extended: the name of the spec that was reviewed.
        most: arms, and claims, that are written; how many more there are is said in a comment.
    """
    settings, arms, claims = _Additions(), _Additions(), _Additions()
    for found in recommendations:
        for path, value in found.remedy.settings.items():
            section, _, name = path.partition(".")
            into, key = (claims, name) if section == "claims" else (settings, path)
            into.add(*((key, value) if into is settings else _in_claim(name, value)), found.code)
        for into, entries in ((arms, found.remedy.arms), (claims, found.remedy.claims)):
            for name, body in entries.items():
                into.add(name, body, found.code)
    lines = [*_settings(settings), *_section("arms", arms, most), *_section("claims", claims, most)]
    return [f"extends: {extended}", *lines] if lines else []


def _in_claim(path: str, value: Any) -> tuple[str, Any]:
    name, _, key = path.rpartition(".")
    return name, {key: value}


def _settings(settings: _Additions) -> Iterator[str]:
    for key, value in nested(settings.values).items():
        codes = [code for path in settings.values if path.split(".")[0] == key for code in settings.codes[path]]
        yield from entry_lines(key, value, ", ".join(dict.fromkeys(codes)))


def _section(name: str, entries: _Additions, most: int) -> Iterator[str]:
    if entries.values:
        yield f"{name}:"
    for key in list(entries.values)[:most]:
        yield from entry_lines(key, entries.values[key], ", ".join(entries.codes[key]), indent=2)
    if len(entries.values) > most:
        yield f"  # and {len(entries.values) - most} more: --verbose shows them, --strengthen writes them"


def _joined(one: Any, other: Any) -> Any:
    """What answers both: the longer list of seeds, the larger number, every endpoint of one claim."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        ends = {"on": list(dict.fromkeys((*one["on"], *other["on"])))} if "on" in one and "on" in other else {}
        return {**one, **other, **ends}
    if isinstance(one, list) and isinstance(other, list):
        return max(one, other, key=len)
    numbers = isinstance(one, int | float) and isinstance(other, int | float)
    return max(one, other) if numbers else other
