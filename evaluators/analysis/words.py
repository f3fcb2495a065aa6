"""Numbers as people read them."""

from __future__ import annotations

from collections.abc import Sequence


def points(fraction: float, signed: bool = False) -> str:
    """A difference of rates in percentage points, without its unit: `12.3`, `+12.3` or `\u22124.0`."""
    value = round(100 * fraction, 1) + 0.0
    text = f"{abs(value):.1f}"
    if value < 0:
        return "\u2212" + text
    return "+" + text if signed and value > 0 else text


def percent(fraction: float) -> str:
    """A rate: `74.1%`."""
    return f"{100 * fraction:.1f}%"


def decimal(value: float, digits: int = 2, signed: bool = False) -> str:
    """A number that is no rate: `\u22120.34`, `+1.20`."""
    return f"{value:{'+' if signed else ''}.{digits}f}".replace("-", "\u2212")


def p_value(p: float) -> str:
    """A p-value as an equation or inequality: `p = 0.004`, `p < 0.001`."""
    if p < 0.001:
        return "p < 0.001"
    near_a_level = 0.0445 < p < 0.0555 or 0.0095 < p < 0.0105
    return f"p = {p:.4f}" if near_a_level else f"p = {p:.3f}"


def counted(number: int, noun: str) -> str:
    """`1 item`, `130 items`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def joined(parts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 2 else parts)
