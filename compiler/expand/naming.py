"""What the arms of a grid are called: `sft_dpo_beta_0.05`. Letters, digits, `_`, `-` and decimal points only."""

from __future__ import annotations

import re
from collections.abc import Sequence

from compiler.source.tree import Node

LONGEST = 80
"""Characters of an arm's name."""

_WORD = 24
"""Characters that the name of a value may take."""
_NOT_ALLOWED = re.compile(r"[^A-Za-z0-9_-]+")


def labels(settings: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """For each setting the shortest end of its path that no other one has: `beta`, or `demonstrations_from` beside `from`."""
    return tuple(_label(path, [other for other in settings if other != path]) for path in settings)


def _label(path: tuple[str, ...], others: list[tuple[str, ...]]) -> str:
    length = next((n for n in range(1, len(path)) if all(path[-n:] != other[-n:] for other in others)), len(path))
    return _safe("_".join(path[-length:]))


def arm_name(arm: str, parts: Sequence[tuple[str, str]], number: int) -> str:
    """The name of one arm of a grid, from what was varied and the value it got; cut where it would grow too long.

    Args:
        arm: the arm that is varied.
        parts: label of each setting, and its value as a word.
        number: which arm of the grid this is, from 1.
    """
    name = "_".join((arm, *(f"{label}_{word}" for label, word in parts)))
    return name if len(name) <= LONGEST else f"{arm[: LONGEST - 6]}_{number}"


def word_of(value: Node, number: int) -> str:
    """A value as part of a name: `0.05`, `5e-6`, `few-shot`, `off_topic-1`; of what is too long, its number in the list."""
    word = _joined(value)
    return word if word and len(word) <= _WORD else str(number)


def _joined(value: Node) -> str:
    if value.entries is not None:
        return "-".join(f"{_safe(key)}-{_joined(entry.node)}" for key, entry in value.entries.items())
    if value.items is not None:
        return "-".join(map(_joined, value.items))
    return _scalar(value)


def _scalar(value: Node) -> str:
    scalar = value.scalar
    if scalar is None or isinstance(scalar, bool):
        return {None: "null", True: "true", False: "false"}[scalar]
    if isinstance(scalar, str):
        return _safe(scalar)
    return re.sub(r"e([+-])0*", lambda sign: "e" + sign[1].strip("+"), f"{scalar:.10g}")


def _safe(text: str) -> str:
    return _NOT_ALLOWED.sub("-", text).strip("-")
