"""The report's drawings: training curves with seeds as a band, and refusal against format. Rows of plots are `svg.strip`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from stage1.report import svg
from stage1.report.training import Band

_SAME_PLACE = 0.03
"""Arms closer than this share a label."""
_LETTER, _LINE = 6.6, 13.0
"""Width of a letter and height of a line of the labels, in pixels."""


def curves_figure(title: str, bands: Mapping[str, Band], arms: Sequence[str]) -> Markup:
    """One metric over optimizer steps: the mean over seeds as a line, the lowest and highest seed as a band."""
    width, height, left, bottom = 360.0, 230.0, 52.0, 30.0
    values = [value for band in bands.values() for _, _, low, high in band for value in (low, high)]
    steps = [step for band in bands.values() for step, *_ in band]
    low, high = min(values), max(values)
    margin = (high - low) * 0.05 or 0.5
    x = svg.Scale(min(steps), max(steps), left, width - 12)
    y = svg.Scale(low - margin, high + margin, height - bottom, 24)
    parts = [svg.text(left, 14, title, "label strong")]
    for mark in svg.ticks(low, high, 4):
        parts += [
            svg.line(left, y(mark), width - 12, y(mark), "grid"),
            svg.text(left - 6, y(mark) + 4, f"{mark:g}", "label", "end"),
        ]
    for mark in svg.ticks(min(steps), max(steps), 4):
        parts.append(svg.text(x(mark), height - 10, f"{mark:g}", "label", "middle"))
    for arm, band in bands.items():
        look = svg.series(arms.index(arm))
        upper = [(x(step), y(top)) for step, _, _, top in band]
        lower = [(x(step), y(bottom_)) for step, _, bottom_, _ in band]
        parts += [
            svg.area(upper, lower, f"band {look}"),
            svg.path([(x(step), y(mean)) for step, mean, _, _ in band], f"curve {look}"),
        ]
    return svg.figure(width, height, f"{title} over optimizer steps, seeds as a band", parts)


def refusal_figure(rows: Sequence[Mapping[str, Any]], arms: Sequence[str]) -> Markup:
    """Share of refusals (up) against share of answers with proper structure (right); one dot per arm, its name beside it."""
    width, height, left, bottom = 360.0, 260.0, 48.0, 42.0
    x = svg.Scale(0.0, 1.0, left, width - 24)
    y = svg.Scale(0.0, max(0.1, *(row["at"][1] for row in rows)), height - bottom, 18)
    parts: list[Markup] = []
    for mark in (0.0, 0.25, 0.5, 0.75, 1.0):
        parts += [
            svg.line(x(mark), 18, x(mark), height - bottom, "grid"),
            svg.text(x(mark), height - bottom + 15, f"{mark:.0%}", "label", "middle"),
        ]
    for mark in svg.ticks(y.low, y.high, 4):
        parts += [
            svg.line(left, y(mark), width - 24, y(mark), "grid"),
            svg.text(left - 6, y(mark) + 4, f"{mark * 100:g}%", "label", "end"),
        ]
    parts.append(svg.text((left + width - 24) / 2, height - 8, "proper structure →", "label", "middle"))
    parts.append(svg.text(left, 12, "↑ refuses", "label"))
    for row in rows:
        parts.append(svg.dot(x(row["at"][0]), y(row["at"][1]), svg.series(arms.index(row["arm"])), 5))
    named = [(names, (x(proper), y(refused))) for names, (proper, refused) in _together(rows, y.high)]
    parts += _beside(named, [(x(row["at"][0]), y(row["at"][1])) for row in rows], (left, width - 2))
    return svg.figure(width, height, "Share of answers that refuse, against share with proper structure, by arm", parts)


def _beside(
    named: Sequence[tuple[str, tuple[float, float]]], dots: Sequence[tuple[float, float]], sides: tuple[float, float]
) -> list[Markup]:
    """Labels above their dots, as low as they can be without lying on dots or labels, tied to their dots from afar."""
    placed = [(x - 6, x + 6, y + 4) for x, y in dots]  # left, right, baseline
    parts: list[Markup] = []
    for names, (dot, level) in sorted(named, key=lambda each: -each[1][1]):
        half = _LETTER * len(names) / 2
        middle = min(max(dot, sides[0] + half), sides[1] - half)
        baseline = level - 10
        while any(low < middle + half and middle - half < high and abs(baseline - at) < _LINE for low, high, at in placed):
            baseline -= _LINE
        placed.append((middle - half, middle + half, baseline))
        if level - baseline > 2 * _LINE:
            parts.append(svg.line(dot, level - 6, dot, baseline + 3, "grid"))
        parts.append(svg.text(middle, baseline, names, "label", "middle"))
    return parts


def _together(rows: Sequence[Mapping[str, Any]], top: float) -> list[tuple[str, tuple[float, float]]]:
    """Names at their places; arms whose dots lie on one another share a label."""
    places: list[tuple[list[str], tuple[float, float]]] = []
    for row in rows:
        proper, refused = row["at"]
        for names, (other, level) in places:
            if abs(proper - other) < _SAME_PLACE * 4 and abs(refused - level) < top * _SAME_PLACE * 2:
                names.append(row["arm"])
                break
        else:
            places.append(([row["arm"]], (proper, refused)))
    return [
        (", ".join(names) if len(names) <= 3 else f"{names[0]} and {len(names) - 1} more", place) for names, place in places
    ]
