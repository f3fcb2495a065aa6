"""What the report says, as plain words and numbers: every format renders this and computes nothing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from evaluators.results import Analysis, ClaimResult, Contrast, Rate
from stage1.report.data import ArmRun, ReportData
from stage1.report.words import endpoint_name, harmless, interval, p_value, percent, points, points_interval

_CURVES = {
    "train/loss": "training loss", "validation/loss": "validation loss", "rewards/margin": "reward margin",
    "rewards/accuracy": "reward accuracy", "rewards/chosen": "reward of chosen", "rewards/rejected": "reward of rejected",
}  # fmt: skip
_TRAINING = {
    "examples": "examples", "steps": "steps", "tokens_forward": "tokens", "dropped_too_long": "too long, dropped",
    "first_loss": "first loss", "final_loss": "final loss", "trainable_params": "trainable parameters",
}  # fmt: skip
_VERDICTS = ("supported", "contradicted", "inconclusive", "confounded", "not testable")


def headline(claims: Sequence[ClaimResult]) -> str:
    """The finding in one line, such as `4 claims: 2 supported, 2 inconclusive`."""
    if not claims:
        return "No claim was made"
    counts: Counter[str] = Counter(claim.verdict for claim in claims)
    told = ", ".join(f"{counts[verdict]} {verdict}" for verdict in _VERDICTS if counts[verdict])
    return f"{len(claims)} claim{'s' if len(claims) > 1 else ''}: {told}"


def design(data: ReportData) -> str:
    """The size of the experiment in one line."""
    analysis, model = data.analysis, data.plan.spec.get("model", {})
    seeds = ", ".join(str(seed) for seed in analysis.seeds)
    families = f" of {analysis.n_families} families" if analysis.n_families else ""
    return (
        f"{len(analysis.arms)} arms on {model.get('base', 'a base model')}; training seeds {seeds or 'none'}; "
        f"{analysis.n_items} held-out items{families}; level {analysis.level}"
    )


def claim_view(claim: ClaimResult) -> dict[str, Any]:
    """One claim, its verdict first."""
    label = f"{'Planned' if claim.planned else 'Exploratory'} {claim.kind} claim, expecting {claim.expect.replace('_', ' ')}"
    return {
        "name": claim.claim,
        "verdict": claim.verdict,
        "says": claim.says,
        "sentence": claim.sentence,
        "label": f"{label}: {' against '.join(claim.compare)}." if claim.compare else f"{label}.",
        "reasons": list(claim.reasons),
        "rows": [contrast_view(contrast) for contrast in claim.contrasts],
    }


def contrast_view(contrast: Contrast) -> dict[str, str]:
    """One contrast as a table row."""
    checks = "; ".join(
        f"{other.name}: {'agrees' if other.agrees else 'disagrees'} (p {p_value(other.p)})" for other in contrast.sensitivity
    )
    return {
        "arms": f"{contrast.first} − {contrast.second}",
        "endpoint": endpoint_name(contrast.endpoint),
        "effect": points(contrast.effect),
        "interval": points_interval(contrast.low, contrast.high),
        "p": p_value(contrast.p),
        "adjusted": p_value(contrast.p_adjusted),
        "detectable": points(contrast.detectable).lstrip("+"),
        "test": contrast.test + (f" ({contrast.note})" if contrast.note else ""),
        "sensitivity": checks,
    }


def rate_rows(analysis: Analysis) -> list[dict[str, Any]]:
    """Endpoints x arms, each cell a rate and its interval."""
    found = {(rate.endpoint, rate.arm): rate for rate in analysis.rates}
    return [
        {"name": endpoint_name(endpoint), "cells": [_rate_cell(found.get((endpoint, arm))) for arm in analysis.arms]}
        for endpoint in analysis.endpoints
    ]


def _rate_cell(rate: Rate | None) -> dict[str, str]:
    if rate is None or rate.rate is None:
        return {"rate": "–", "interval": "not applicable"}
    return {"rate": percent(rate.rate), "interval": interval(rate.low, rate.high)}


def headline_rates(analysis: Analysis) -> list[Rate]:
    """Rates worth a picture: primary endpoints, the marker, preference accuracy."""
    shown = list(dict.fromkeys([*analysis.primary, "ends_with_end", "preference_accuracy"]))
    order = {(endpoint, arm): index for index, (endpoint, arm) in enumerate((e, a) for e in shown for a in analysis.arms)}
    rates = [rate for rate in analysis.rates if (rate.endpoint, rate.arm) in order]
    return sorted(rates, key=lambda rate: order[rate.endpoint, rate.arm])


def forest_rows(data: ReportData) -> list[Contrast]:
    """The claims' contrasts, then each arm against its parent on the primary endpoints and preference accuracy."""
    claimed = [contrast for claim in data.analysis.claims for contrast in claim.contrasts]
    seen = {frozenset((c.first, c.second)) | {c.endpoint} for c in claimed}
    arms = data.plan.spec.get("arms", {})
    parents = {frozenset((arm, body["from"])) for arm, body in arms.items() if isinstance(body, dict) and body.get("from")}
    wanted = {*data.analysis.primary, "preference_accuracy"}
    others = [
        contrast
        for contrast in data.analysis.contrasts
        if frozenset((contrast.first, contrast.second)) in parents
        and contrast.endpoint in wanted
        and frozenset((contrast.first, contrast.second)) | {contrast.endpoint} not in seen
    ]
    return [*claimed, *others]


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


def training_rows(runs: Sequence[ArmRun]) -> tuple[list[str], list[dict[str, Any]]]:
    """Columns and rows of what each arm's training used, ranges over seeds."""
    by_arm: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for run in runs:
        if run.training:
            by_arm[run.arm].append(run.training)
    columns = [key for key in _TRAINING if any(key in summary for summaries in by_arm.values() for summary in summaries)]
    rows = [
        {"arm": arm, "cells": [_range([s.get(key) for s in summaries]) for key in columns]} for arm, summaries in by_arm.items()
    ]
    return [_TRAINING[key] for key in columns], rows


def _range(values: Iterable[Any]) -> str:
    known = sorted(value for value in values if value is not None)
    if not known:
        return "–"
    low, high = _number(known[0]), _number(known[-1])
    return low if low == high else f"{low} to {high}"


def _number(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.4f}"


def item_views(data: ReportData) -> list[dict[str, Any]]:
    """Every held-out item with the answers of all arms; seeds with the same text are one row."""
    return [_item_view(item, data.runs) for item in data.items]


def _item_view(item: Any, runs: Sequence[ArmRun]) -> dict[str, Any]:
    grouped: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    outcomes: dict[str, set[bool]] = defaultdict(set)
    for run in runs:
        answer, score = run.answers.get(item.id), run.scores.get(item.id)
        criteria = score.criteria if score else {}
        for name, passed in criteria.items():
            if passed is not None:
                outcomes[name].add(passed)
        fails = ", ".join(endpoint_name(name) for name, passed in criteria.items() if passed is False)
        grouped[run.arm, harmless(answer.response) if answer else "(no answer)", fails].append(str(run.seed))
    expected = f"; expected: {', '.join(item.answers)}" if item.answers else ""
    return {
        "instruction": harmless(item.instruction),
        "about": f"({item.kind}{expected})",
        "disagree": " ".join(name for name, seen in outcomes.items() if len(seen) > 1),
        "answers": [
            {"arm": arm if seeds == ["None"] else f"{arm}, seed {', '.join(seeds)}", "text": text, "fails": fails}
            for (arm, text, fails), seeds in grouped.items()
        ],
    }


def data_rows(counts: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What each data step was asked for, made and dropped."""
    return [
        {"step": step, "counts": [(name, _told(value)) for name, value in content.items()]} for step, content in counts.items()
    ]


def _told(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name.replace('_', ' ')} {_told(inner)}" for name, inner in value.items()) or "none"
    return f"{value:.1f}" if isinstance(value, float) else str(value)
