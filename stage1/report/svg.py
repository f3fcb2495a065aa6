"""A little SVG: enough for intervals, forests and curves, readable in light and dark, printed and read aloud."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

SERIES = 6
"""Number of `.s0` .. `.s5` classes in the style sheet: hues that colour-blind readers can tell apart (Okabe and Ito)."""
_DASHES = 4
"""Number of `.d0` .. `.d3` classes: with more series than hues, lines differ in their dashes, too."""


def series(number: int) -> str:
    """The classes of a series."""
    return f"s{number % SERIES} d{number // SERIES % _DASHES}"


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps data from [low, high] to pixels from `start` to `end`."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """The pixel of a value; values outside are held at the edge."""
        share = (value - self.low) / ((self.high - self.low) or 1.0)
        return self.start + min(1.0, max(0.0, share)) * (self.end - self.start)


def figure(width: float, height: float, title: str, parts: Iterable[Markup]) -> Markup:
    """A scalable drawing with a title that screen readers speak."""
    body = Markup("\n").join(parts)
    return Markup(
        '<svg viewBox="0 0 {:.0f} {:.0f}" width="{:.0f}" role="img" aria-label="{}"><title>{}</title>\n{}\n</svg>'
    ).format(width, height, width, title, title, body)


def strip(low: float, high: float, at: Sequence[float | None] | None, css: str, marks: Sequence[float] = ()) -> Markup:
    """A row of a plot, as wide as its place: an interval as a line, a value as a dot, marks dashed. The words are beside it.

    Args:
        low: the value at the left edge.
        high: the value at the right edge.
        at: lower bound, value, upper bound; a single value; or nothing.
        css: the class of interval and dot.
        marks: values at which a guide stands; zero is drawn solid.
    """
    scale = Scale(low, high, 1.0, 99.0)
    parts = [line(scale(mark), 0, scale(mark), 16, "zero" if mark == 0 else "guide") for mark in marks if low <= mark <= high]
    known = [value for value in at or () if value is not None]
    if len(known) > 1:
        parts.append(line(scale(known[0]), 8, scale(known[-1]), 8, f"interval {css}"))
    if known:
        middle = scale(known[len(known) // 2])
        parts.append(line(middle, 8, middle, 8, f"dot {css}"))
    return Markup('<svg class="strip" viewBox="0 0 100 16" preserveAspectRatio="none" aria-hidden="true">{}</svg>').format(
        Markup("").join(parts)
    )


def line(x1: float, y1: float, x2: float, y2: float, css: str) -> Markup:
    """A straight line."""
    return Markup('<line x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}" class="{}"/>').format(x1, y1, x2, y2, css)


def dot(x: float, y: float, css: str, radius: float = 4) -> Markup:
    """A filled circle."""
    return Markup('<circle cx="{:.1f}" cy="{:.1f}" r="{:.1f}" class="{}"/>').format(x, y, radius, css)


def text(x: float, y: float, words: str, css: str = "", anchor: str = "start") -> Markup:
    """A label; its words are escaped."""
    return Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}" class="{}">{}</text>').format(x, y, anchor, css, escape(words))


def path(points: Sequence[tuple[float, float]], css: str) -> Markup:
    """A line through points."""
    steps = " L".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return Markup('<path d="M{}" class="{}"/>').format(steps, css)


def area(upper: Sequence[tuple[float, float]], lower: Sequence[tuple[float, float]], css: str) -> Markup:
    """The band between two lines."""
    return path([*upper, *reversed(lower)], css)


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers that divide [low, high] into about that many parts."""
    span = high - low
    if span <= 0:
        return [low]
    rough = span / about
    magnitude: float = 10.0 ** _exponent(rough)
    step = next(magnitude * factor for factor in (1, 2, 2.5, 5, 10) if magnitude * factor >= rough)
    first = int(low / step) - 1
    marks = [round((first + index) * step, 10) for index in range(about * 3)]
    return [mark for mark in marks if low - 1e-9 <= mark <= high + 1e-9]


def _exponent(value: float) -> int:
    exponent = 0
    while value < 1:
        value, exponent = value * 10, exponent - 1
    while value >= 10:
        value, exponent = value / 10, exponent + 1
    return exponent
