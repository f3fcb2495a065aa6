"""What each data step was asked for, made and lost, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stage1.report.data import ReportData
from stage1.report.words import counted, endpoint_name, harmless, listed, number


def losses(data: ReportData) -> dict[str, Any]:
    """A row per data step, and what fell out between items and scores."""
    rows = [_row(step, counts) for step, counts in data.counts.items()]
    missing = _missing(data)
    total = sum(row["lost"] for row in rows)
    told = (
        f"{number(total)} examples or candidates were dropped while the data were made" if total else "No example was dropped"
    )
    unanswered = f"{counted(sum(missing.values()), 'held-out answer')} missing" if missing else "no held-out answer is missing"
    return {
        "heading": f"{told}; {unanswered}",
        "note": "Counts as the steps recorded them. A candidate that was dropped may have been replaced by another.",
        "rows": rows,
        "missing": [{"arm": arm, "items": count} for arm, count in missing.items()],
        "too_long": _too_long(data),
        "failures": _failures(data),
    }


def _row(step: str, counts: Mapping[str, Any]) -> dict[str, Any]:
    dropped = [(reason, count) for reason, count in _leaves(counts.get("dropped") or {}) if count]
    return {
        "step": step,
        "lost": sum(count for _, count in dropped),
        "reasons": [f"{reason}: {number(count)}" for reason, count in dropped],
        "counts": [f"{name}: {_value(value)}" for name, value in counts.items() if name != "dropped"],
    }


def _leaves(value: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, int]]:
    for name, inner in value.items():
        here = f"{path}, {name}" if path else str(name)
        if isinstance(inner, Mapping):
            yield from _leaves(inner, here)
        elif isinstance(inner, int):
            yield here.replace("_", " "), inner


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name.replace('_', ' ')} {_value(inner)}" for name, inner in value.items()) or "none"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return listed([_value(each) for each in value], most=6)
    return number(value)


def _missing(data: ReportData) -> dict[str, int]:
    """Arm (and seed) -> held-out items that it has no answer or no score for."""
    found = {}
    for run in data.runs:
        absent = sum(item.id not in run.answers or item.id not in run.scores for item in data.items)
        if absent:
            found[run.arm if run.seed is None else f"{run.arm}, seed {run.seed}"] = absent
    return found


def _failures(data: ReportData) -> list[dict[str, Any]]:
    """Answers that a criterion could not judge: criterion, how many, and the first reason."""
    found: dict[str, list[str]] = {}
    for run in data.runs:
        for score in run.scores.values():
            for name, reason in score.failures.items():
                found.setdefault(name, []).append(reason)
    return [
        {"criterion": endpoint_name(name), "answers": len(reasons), "reason": harmless(reasons[0])}
        for name, reasons in found.items()
    ]


def _too_long(data: ReportData) -> str:
    dropped = {run.arm: run.training.get("dropped_too_long", 0) for run in data.runs if run.training}
    some = [f"{arm} {count}" for arm, count in dropped.items() if count]
    return f"Examples longer than the recipe's limit, dropped in training: {', '.join(some)}." if some else ""
