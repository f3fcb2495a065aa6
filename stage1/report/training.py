"""What training did: curves with seeds as a band, and what each arm used."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from stage1.report.data import ArmRun
from stage1.report.words import counted, listed, span

Band = Sequence[tuple[float, float, float, float]]
"""Points of a curve over seeds: (step, mean, lowest, highest)."""

_CURVES = {
    "train/loss": "training loss", "validation/loss": "validation loss", "rewards/margin": "reward margin",
    "rewards/accuracy": "reward accuracy", "rewards/chosen": "reward of chosen", "rewards/rejected": "reward of rejected",
}  # fmt: skip
_USED = {
    "examples": "examples", "steps": "steps", "tokens_forward": "tokens", "dropped_too_long": "too long, dropped",
    "first_loss": "first loss", "final_loss": "final loss", "trainable_params": "trainable parameters",
}  # fmt: skip


def training(runs: Sequence[ArmRun]) -> dict[str, Any] | None:
    """Curves and a table; None where nothing was trained."""
    by_arm: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for run in runs:
        if run.training:
            by_arm[run.arm].append(run.training)
    if not by_arm:
        return None
    columns = [key for key in _USED if any(key in summary for summaries in by_arm.values() for summary in summaries)]
    return {
        "heading": _fell(by_arm),
        "note": "Lines are means over training seeds, bands reach from the lowest to the highest seed. Losses of SFT and DPO "
        "have different scales and are drawn apart.",
        "columns": [_USED[key] for key in columns],
        "rows": [
            {"arm": arm, "cells": [span([summary.get(key) for summary in summaries]) for key in columns]}
            for arm, summaries in by_arm.items()
        ],
        "arms": list(by_arm),
        "curves": [
            {"title": title, "bands": {arm: [list(point) for point in band] for arm, band in bands.items()}}
            for title, bands in curve_groups(runs)
        ],
    }


def _fell(by_arm: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    losses = [
        (arm, summary["first_loss"], summary["final_loss"])
        for arm, summaries in by_arm.items()
        for summary in summaries
        if isinstance(summary.get("first_loss"), int | float) and isinstance(summary.get("final_loss"), int | float)
    ]
    if not losses:
        return f"{counted(sum(map(len, by_arm.values())), 'training')} of {counted(len(by_arm), 'arm')}"
    rose = [arm for arm, first, final in losses if not final < first]
    if not rose:
        return f"Training loss fell in all {counted(len(losses), 'training')}"
    return (
        f"Training loss did not fall in {len(rose)} of {counted(len(losses), 'training')} ({listed(list(dict.fromkeys(rose)))})"
    )


def curve_bands(runs: Sequence[ArmRun], name: str) -> dict[str, list[tuple[float, float, float, float]]]:
    """Arm -> (step, mean, lowest, highest) over its seeds, for one metric."""
    values: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for run in runs:
        for row in run.curves:
            if row.name == name:
                values[run.arm][row.step].append(row.value)
    return {
        arm: [(step, sum(seen) / len(seen), min(seen), max(seen)) for step, seen in sorted(steps.items())]
        for arm, steps in values.items()
    }


def curve_groups(runs: Sequence[ArmRun]) -> list[tuple[str, dict[str, list[tuple[float, float, float, float]]]]]:
    """Titles and bands of the figures; losses of different objectives are never drawn on one axis."""
    by_objective: dict[str, list[ArmRun]] = defaultdict(list)
    for run in runs:
        if run.curves:
            by_objective[str(run.training.get("objective", "training"))].append(run)
    groups = []
    for objective, members in sorted(by_objective.items(), key=lambda pair: pair[0] != "sft"):
        for metric, title in _CURVES.items():
            bands = curve_bands(members, metric)
            if bands:
                groups.append((f"{objective.upper()}: {title}", bands))
    return groups
