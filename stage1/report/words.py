"""Numbers and names as a reader sees them."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence


def endpoint_name(endpoint: str) -> str:
    """`ends_with_end` as `ends with end`; `preference_accuracy/off_topic` as `preference accuracy: off topic`."""
    name, _, part = endpoint.removeprefix("own.").partition("/")
    return name.replace("_", " ") + (f": {part.replace('_', ' ')}" if part else "")


def percent(value: float | None) -> str:
    """A rate as `81.5%`; an en dash where there is none."""
    return "–" if value is None else f"{value:.1%}"


def points(value: float | None) -> str:
    """A difference of rates as `+12.3 points`, with a real minus sign."""
    return "–" if value is None else f"{value * 100:+.1f} points".replace("-", "−")


def p_value(value: float | None) -> str:
    """A p-value as people write it."""
    if value is None:
        return "–"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def interval(low: float | None, high: float | None) -> str:
    """An interval of rates as `[71.0%, 80.2%]`."""
    return "" if low is None or high is None else f"[{low:.1%}, {high:.1%}]"


def points_interval(low: float | None, high: float | None) -> str:
    """An interval of differences, in points."""
    return "" if low is None or high is None else f"[{low * 100:+.1f}, {high * 100:+.1f}]".replace("-", "−")


def listed(words: Sequence[str], most: int = 4) -> str:
    """`a`, `a and b`, `a, b and c`; beyond `most`, how many more there are."""
    shown = list(words[:most])
    if len(words) > most:
        shown.append(f"{len(words) - most} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}" if shown else ""


def counted(number: int, noun: str, plural: str = "") -> str:
    """`1 claim`, `2 claims`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def number(value: object) -> str:
    """A count with separators, another number with four significant digits, anything else as it is."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


def span(values: Sequence[float | int | None]) -> str:
    """One value, or `lowest to highest`."""
    known = sorted(value for value in values if value is not None)
    if not known:
        return "–"
    low, high = number(known[0]), number(known[-1])
    return low if low == high else f"{low} to {high}"


def harmless(text: str) -> str:
    """Model text with control, formatting and direction-changing characters made visible; line breaks and tabs stay."""
    return "\n".join(line if line.isprintable() else "".join(map(_visible, line)) for line in text.split("\n"))


def shortened(text: str, most: int) -> str:
    """A text of at most `most` characters, saying what was left out."""
    return text if len(text) <= most else f"{text[:most]} … [{len(text) - most:,} more characters]"


_JOINERS = frozenset("\u200c\u200d")
"""Part of the writing of some languages, and of emoji."""


def _visible(character: str) -> str:
    code = ord(character)
    if character.isprintable() or character == "\t" or character in _JOINERS:
        return character
    if code < 0x20 or code == 0x7F:
        return chr(0x2400 + code) if code < 0x20 else "\u2421"
    hidden = unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    return f"<U+{code:04X}>" if hidden else character
