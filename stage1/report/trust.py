"""How far the scorer can be trusted: its agreement with labelled answers, and with a person's labels of this very run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from evaluators.criteria import CRITERIA
from evaluators.criteria.measured import Measured
from stage1.report.words import endpoint_name


def trust(measured: Measured, first_meetings: dict[str, dict[str, float]], criteria: Sequence[str]) -> dict[str, Any]:
    """Agreement per criterion of this experiment: on labels that the rules know, and on labels when they were new to it."""
    known = {each.criterion: each for each in measured.criteria}
    about = {criterion.name: criterion for criterion in CRITERIA}
    in_order = [first_meetings[name] for name in sorted(first_meetings, key=_round)]
    rows = []
    for name in criteria:
        if name not in known:
            continue
        each, met = known[name], [round_[name] for round_ in in_order if name in round_]
        newest = newest_kappa(first_meetings).get(name)
        rows.append(
            {
                "name": endpoint_name(name),
                "labels": each.n,
                "kappa": _kappa(each.kappa),
                "newest": _kappa(newest),
                "first": f"{_kappa(min(met))} to {_kappa(max(met))}" if met else "–",
                "passed_wrongly": f"{each.passed_wrongly} of {each.fails}",
                "failed_wrongly": f"{each.failed_wrongly} of {each.passes}",
                "definition": about[name].definition,
                "blind_to": list(about[name].blind_to),
                "at": [min(met) if met else None, each.kappa],
                "unseen": newest,
            }
        )
    return {
        "heading": _told(rows),
        "note": f"{measured.answers} labelled answers, {measured.traps} of them written to mislead a scorer, in "
        f"{measured.rounds} rounds. Labels were written from the definitions, in all but the first round before the scorer saw "
        "them, and the rules were improved after each round: agreement on all labels flatters it, that at first meeting "
        "does not. On answers about subjects far from the labelled ones it may be lower than either.",
        "unlabelled": [endpoint_name(name) for name in criteria if name not in known],
        "scorer": measured.scorer,
        "rows": rows,
    }


def newest_kappa(first_meetings: dict[str, dict[str, float]]) -> dict[str, float]:
    """Criterion -> kappa on the newest labels that speak about it, when the rules had not seen them."""
    return {name: kappa for round_ in sorted(first_meetings, key=_round) for name, kappa in first_meetings[round_].items()}


def _round(name: str) -> int:
    digits = name.rpartition("_")[2]
    return int(digits) if digits.isdigit() else 0


def _kappa(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _told(rows: Sequence[dict[str, Any]]) -> str:
    newest = [(row["unseen"], row["name"]) for row in rows if row["unseen"] is not None]
    fitted = [row["at"][1] for row in rows if row["at"][1] is not None]
    if not newest or not fitted:
        return "How far the scorer can be trusted"
    low, weakest = min(newest)
    return (
        f"The scorer agreed with new labels at kappa {low:.2f} ({weakest}) to {max(newest)[0]:.2f}, "
        f"and agrees with labels it was tuned on at {min(fitted):.2f} to {max(fitted):.2f}"
    )
