"""Numbers and names as a reader sees them."""

from __future__ import annotations


def endpoint_name(endpoint: str) -> str:
    """`ends_with_end` as `ends with end`; `preference_accuracy/off_topic` as `preference accuracy: off topic`."""
    name, _, part = endpoint.partition("/")
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


def harmless(text: str) -> str:
    """Model text with control and direction-changing characters made visible; line breaks and tabs stay."""
    return "".join(_visible(character) for character in text)


def _visible(character: str) -> str:
    code = ord(character)
    if character in "\n\t":
        return character
    if code < 0x20 or code == 0x7F:
        return chr(0x2400 + code) if code < 0x20 else "\u2421"
    turns_direction = 0x202A <= code <= 0x202E or 0x2066 <= code <= 0x2069
    return f"<U+{code:04X}>" if turns_direction or 0x80 <= code < 0xA0 or 0xD800 <= code < 0xE000 else character
