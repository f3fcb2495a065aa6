"""Rates of every arm: the table, the gain per negative type, refusal against format."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from evaluators.results import Analysis, Contrast, Rate
from stage1.report.data import ReportData
from stage1.report.verdicts import parent_of
from stage1.report.words import endpoint_name, interval, listed, percent, points, points_interval

PREFERENCE = "preference_accuracy"
_FORMAT, _REFUSAL = "proper_structure", "no_unwarranted_refusal"


def rates(analysis: Analysis) -> dict[str, Any]:
    """Endpoints x arms, each cell a rate with its interval; primary endpoints first."""
    ordered = list(dict.fromkeys([*analysis.primary, *analysis.endpoints]))
    return {
        "heading": _best(analysis, ordered),
        "note": "Share of held-out answers that pass, mean over training seeds, with 95% Wilson intervals over items. "
        "A dash: the criterion applies to no item, or could judge none.",
        "arms": list(analysis.arms),
        "rows": [
            {
                "name": endpoint_name(endpoint),
                "primary": endpoint in analysis.primary,
                "cells": [_rate_cell(rate_of(analysis, arm, endpoint), arm) for arm in analysis.arms],
            }
            for endpoint in ordered
        ],
        "overall": _overall(analysis),
    }


def _overall(analysis: Analysis) -> list[dict[str, str]]:
    means = {each.arm: each for each in analysis.aggregates}
    return [
        {
            "arm": each.arm,
            "mean": percent(means[each.arm].mean) if each.arm in means else "–",
            "mean_interval": interval(means[each.arm].low, means[each.arm].high) if each.arm in means else "",
            "strength": f"{each.strength:+.2f} [{each.low:+.2f}, {each.high:+.2f}]".replace("-", "−"),
            "wins": percent(each.wins),
        }
        for each in analysis.order
    ]


def rate_of(analysis: Analysis, arm: str, endpoint: str) -> Rate | None:
    """One arm's rate on one endpoint; None where it was not measured."""
    return next((rate for rate in analysis.rates if rate.arm == arm and rate.endpoint == endpoint), None)


def _best(analysis: Analysis, ordered: Sequence[str]) -> str:
    told = []
    for endpoint in (list(analysis.primary) or list(ordered))[:3]:
        known = [rate for rate in analysis.rates if rate.endpoint == endpoint and rate.rate is not None]
        top = max((rate.rate or 0 for rate in known), default=None)
        if top is not None:
            best = [rate.arm for rate in known if round(rate.rate or 0, 3) == round(top, 3)]
            told.append(f"{listed(best)} on {endpoint_name(endpoint)} ({percent(top)})")
    return f"Highest measured rate: {', '.join(told)}" if told else "What each arm does"


def _rate_cell(rate: Rate | None, arm: str) -> dict[str, Any]:
    if rate is None or rate.rate is None:
        return {"arm": arm, "rate": "–", "interval": "no outcome", "at": None, "seeds": ""}
    seeds = ", ".join(f"{seed}: {percent(value)}" for seed, value in rate.per_seed.items())
    return {
        "arm": arm,
        "rate": percent(rate.rate),
        "interval": interval(rate.low, rate.high),
        "at": [rate.low, rate.rate, rate.high],
        "seeds": seeds,
    }


def negatives(data: ReportData) -> dict[str, Any]:
    """Per negative type, how much more often each arm prefers the good answer than the arm it started from."""
    parents, analysis = parent_of(data), data.analysis
    types = [endpoint for endpoint in analysis.endpoints if endpoint.startswith(f"{PREFERENCE}/")]
    rows = [
        _gain(analysis, arm, parent, endpoint)
        for endpoint in types
        for arm, parent in parents.items()
        if arm in analysis.arms and parent in analysis.arms
    ]
    known = [row for row in rows if row["at"] is not None]
    return {
        "heading": _largest_gains(known),
        "note": "Preference accuracy: the share of held-out pairs whose good side the arm finds likelier, per kind of bad "
        "answer; gain over the arm it started from, in points, with a 95% interval (exploratory, not corrected).",
        "rows": known,
    }


def _gain(analysis: Analysis, arm: str, parent: str, endpoint: str) -> dict[str, Any]:
    found = _contrast(analysis, arm, parent, endpoint)
    child, start = rate_of(analysis, arm, endpoint), rate_of(analysis, parent, endpoint)
    return {
        "type": endpoint.partition("/")[2].replace("_", " "),
        "arm": arm,
        "parent": parent,
        "gain": points(found[1]) if found else "–",
        "interval": points_interval(found[0], found[2]) if found else "",
        "rates": f"{percent(start.rate if start else None)} to {percent(child.rate if child else None)}",
        "at": found,
    }


def _contrast(analysis: Analysis, first: str, second: str, endpoint: str) -> list[float | None] | None:
    everything: list[Contrast] = [*analysis.contrasts, *(c for claim in analysis.claims for c in claim.contrasts)]
    for each in everything:
        if each.endpoint == endpoint and each.effect is not None:
            if (each.first, each.second) == (first, second):
                return [each.low, each.effect, each.high]
            if (each.second, each.first) == (first, second):
                return [None if each.high is None else -each.high, -each.effect, None if each.low is None else -each.low]
    return None


def _largest_gains(rows: Sequence[dict[str, Any]]) -> str:
    arms = list(dict.fromkeys(row["arm"] for row in rows))
    if not rows:
        return "Gain per negative type: nothing to compare"
    if len(arms) > 3:
        top = max(rows, key=lambda row: row["at"][1])
        return f"Largest gain on a negative type: {top['arm']} on {top['type']} ({top['gain']} over {top['parent']})"
    told = []
    for arm in arms:
        top = max((row for row in rows if row["arm"] == arm), key=lambda row: row["at"][1])
        told.append(f"{arm} on {top['type']} ({top['gain']})" if top["at"][1] > 0 else f"{arm} on none")
    return f"Largest gain of each arm over its start: {', '.join(told)}"


def refusal_and_format(analysis: Analysis) -> dict[str, Any] | None:
    """Share of answers that refuse, against the share whose structure is proper; None where one was not scored."""
    rows = []
    for arm in analysis.arms:
        answered, proper = rate_of(analysis, arm, _REFUSAL), rate_of(analysis, arm, _FORMAT)
        if answered is None or proper is None or answered.rate is None or proper.rate is None:
            continue
        refused = 1 - answered.rate
        low, high = (None if bound is None else 1 - bound for bound in (answered.high, answered.low))
        rows.append(
            {
                "arm": arm,
                "refuses": percent(refused),
                "refuses_interval": interval(low, high),
                "format": percent(proper.rate),
                "format_interval": interval(proper.low, proper.high),
                "at": [proper.rate, refused],
            }
        )
    return {"heading": _refusals(rows), "rows": rows} if rows else None


def _refusals(rows: Sequence[dict[str, Any]]) -> str:
    refused, proper = [row["at"][1] for row in rows], [row["at"][0] for row in rows]
    formats = f"proper structure in {percent(min(proper))} to {percent(max(proper))} of answers, by arm"
    if max(refused) == 0:
        return f"No answer of any arm was judged a refusal; {formats}"
    return f"Refusals in {percent(min(refused))} to {percent(max(refused))}, {formats}"
