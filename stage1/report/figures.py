"""The report's figures: rates with intervals, a forest of contrasts, training curves with their seeds as a band."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from markupsafe import Markup

from evaluators.results import Contrast, Rate
from stage1.report import svg
from stage1.report.words import endpoint_name, points

_LABEL, _PLOT, _VALUE, _ROW = 250, 360, 150, 22
Band = Sequence[tuple[float, float, float, float]]
"""Points of a curve over seeds: (step, mean, lowest, highest)."""


def rates_figure(rates: Sequence[Rate], arms: Sequence[str]) -> Markup:
    """One row per endpoint and arm: the pass rate as a dot, its 95% interval as a line, one hue per arm."""
    scale = svg.Scale(0.0, 1.0, _LABEL, _LABEL + _PLOT)
    rows = [rate for rate in rates if rate.rate is not None]
    endpoints = list(dict.fromkeys(rate.endpoint for rate in rows))
    parts: list[Markup] = []
    y = 14.0
    for endpoint in endpoints:
        parts.append(svg.text(0, y + 4, endpoint_name(endpoint), "label strong"))
        for rate in (row for row in rows if row.endpoint == endpoint):
            parts += _interval_row(rate.arm, rate.rate, rate.low, rate.high, y, scale, f"s{arms.index(rate.arm) % svg.SERIES}")
            y += _ROW
        y += 6
    axis = _axis(scale, [0.0, 0.25, 0.5, 0.75, 1.0], y, lambda value: f"{value:.0%}")
    return svg.figure(
        _LABEL + _PLOT + _VALUE, y + 26, "Share of held-out answers that pass, by arm, with 95% intervals", axis + parts
    )


def forest_figure(contrasts: Sequence[Contrast], smallest_effect: float) -> Markup:
    """One row per contrast: the effect in points with its interval, against zero and the smallest effect of interest."""
    rows = [contrast for contrast in contrasts if contrast.effect is not None]
    reach = max(
        [smallest_effect * 1.5, *(abs(bound) for row in rows for bound in (row.low, row.high, row.effect) if bound is not None)]
    )
    scale = svg.Scale(-reach, reach, _LABEL + 60, _LABEL + 60 + _PLOT)
    parts: list[Markup] = []
    y = 14.0
    for row in rows:
        parts.append(svg.text(0, y + 4, f"{row.first} − {row.second}: {endpoint_name(row.endpoint)}", "label"))
        sure = row.low is not None and row.high is not None and (row.low > 0 or row.high < 0)
        parts += _interval(row.effect, row.low, row.high, y, scale, "s0" if sure else "muted")
        parts.append(svg.text(scale.end + 10, y + 4, points(row.effect), "label"))
        y += _ROW
    marks = svg.ticks(-reach, reach, 6)
    guides = [
        svg.line(scale(0), 4, scale(0), y, "zero"),
        *(svg.line(scale(edge), 4, scale(edge), y, "guide") for edge in (-smallest_effect, smallest_effect)),
    ]
    axis = _axis(scale, marks, y, lambda value: f"{value * 100:+.0f}")
    return svg.figure(
        scale.end + _VALUE - 60, y + 26, "Differences between arms in points, with 95% intervals", [*axis, *guides, *parts]
    )


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
        hue = arms.index(arm) % svg.SERIES
        upper = [(x(step), y(top)) for step, _, _, top in band]
        lower = [(x(step), y(bottom_)) for step, _, bottom_, _ in band]
        parts += [
            svg.area(upper, lower, f"band s{hue}"),
            svg.path([(x(step), y(mean)) for step, mean, _, _ in band], f"curve s{hue}"),
        ]
    return svg.figure(width, height, f"{title} over optimizer steps, seeds as a band", parts)


def _interval_row(
    label: str, value: float | None, low: float | None, high: float | None, y: float, scale: svg.Scale, css: str
) -> list[Markup]:
    shown = (
        "" if value is None else f"{value:.1%}" + (f"  [{low:.1%}, {high:.1%}]" if low is not None and high is not None else "")
    )
    return [
        svg.text(_LABEL - 10, y + 4, label, "label", "end"),
        *_interval(value, low, high, y, scale, css),
        svg.text(scale.end + 10, y + 4, shown, "label"),
    ]


def _interval(value: float | None, low: float | None, high: float | None, y: float, scale: svg.Scale, css: str) -> list[Markup]:
    parts = []
    if low is not None and high is not None:
        parts.append(svg.line(scale(low), y, scale(high), y, f"interval {css}"))
    if value is not None:
        parts.append(svg.dot(scale(value), y, css))
    return parts


def _axis(scale: svg.Scale, marks: Sequence[float], y: float, name: Callable[[float], str]) -> list[Markup]:
    parts: list[Markup] = []
    for mark in marks:
        parts.append(svg.line(scale(mark), 4, scale(mark), y, "grid"))
        parts.append(svg.text(scale(mark), y + 16, name(mark), "label", "middle"))
    return parts
