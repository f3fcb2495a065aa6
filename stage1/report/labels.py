"""The scorer against a person who labelled answers of this run."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

from evaluators.labels import Compared, Scored, answer_key
from stage1.report.answers import scored_criteria
from stage1.report.data import ReportData
from stage1.report.words import endpoint_name, harmless


def labels_section(data: ReportData) -> dict[str, Any] | None:
    """Agreement per criterion and every disputed answer; None where no labels were given."""
    if data.labels is None:
        return None
    n, agreed = sum(each.n for each in data.labels), sum(each.agreed for each in data.labels)
    return {
        "heading": f"A person and the scorer agree on {agreed:,} of {n:,} labels of this run's answers",
        "note": "Cohen's kappa over true, false and null; a dash where both know one value only, so that there is nothing to "
        "agree on beyond chance.",
        "rows": [
            {
                "name": endpoint_name(each.criterion),
                "labels": each.n,
                "agreed": each.agreed,
                "kappa": "–" if each.kappa is None else f"{each.kappa:.2f}",
            }
            for each in data.labels
        ],
        "disputes": [dispute for each in data.labels for dispute in _disputes(each, data)],
    }


def _disputes(compared: Compared, data: ReportData) -> list[dict[str, Any]]:
    asked = {item.id: item.instruction for item in data.items}
    return [
        {
            "item": harmless(each.item_id),
            "instruction": harmless(asked.get(each.item_id, "")),
            "criterion": endpoint_name(each.criterion),
            "person": _said(each.person),
            "scorer": _said(each.scorer),
            "text": harmless(each.response),
            "line": each.line,
        }
        for each in compared.disputes
    ]


def _said(value: bool | None) -> str:
    return "does not apply" if value is None else "passes" if value else "fails"


def scored_answers(data: ReportData) -> list[Scored]:
    """Every scored answer of the run."""
    return [
        Scored(item.id, run.arm, run.seed, run.answers[item.id].response, _labelled_alike(run.scores[item.id].criteria))
        for item in data.items
        for run in data.runs
        if item.id in run.answers and item.id in run.scores
    ]


def _labelled_alike(scores: Mapping[str, bool | float | None]) -> dict[str, bool | None]:
    """The criteria that a person labels by yes and no; ordinal scores are not among them."""
    return {name: score for name, score in scores.items() if score is None or isinstance(score, bool)}


def labelling_sheet(data: ReportData) -> str:
    """A CSV file to be filled in: every different answer once, without the arm that gave it; items in their order."""
    scored = scored_answers(data)
    labelled = {name for each in scored for name, score in each.criteria.items() if score is not None}
    criteria = [name for name in scored_criteria(data) if name in labelled]
    asked = {item.id: item for item in data.items}
    keys = sorted({(each.item_id, answer_key(each.item_id, each.response), each.response) for each in scored})
    place = {item_id: number for number, item_id in enumerate(asked)}
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["item_id", "answer", "instruction", "response", *criteria])
    for item_id, key, response in sorted(keys, key=lambda row: (place[row[0]], row[1])):
        shown = [_cell(harmless(asked[item_id].instruction)), _cell(harmless(response))]
        writer.writerow([item_id, key, *shown, *[""] * len(criteria)])
    return out.getvalue()


def _cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t") else text
