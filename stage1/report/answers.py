"""Every held-out item with the answers of all arms side by side."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from compiler.records import Item
from stage1.report.data import ArmRun, ReportData
from stage1.report.words import counted, endpoint_name, harmless, listed


def answers(data: ReportData) -> dict[str, Any]:
    """All items; seeds of an arm that gave the same answer share an entry."""
    criteria = scored_criteria(data)
    items = [_item(item, data.runs) for item in data.items]
    differ = sum(bool(item["disagree"]) for item in items)
    primary = [name for name in data.analysis.primary if name in criteria]
    on_primary = sum(any(name in item["disagree"] for name in primary) for item in items)
    about = f"; on {on_primary} of them about {listed([endpoint_name(name) for name in primary])}" if primary else ""
    return {
        "heading": f"Judgements differ between arms or seeds on {differ} of {counted(len(items), 'held-out item')}{about}",
        "note": "Raw text after `Response:`, up to the END marker or the token limit. Control, formatting and "
        "direction-changing characters are shown as symbols.",
        "criteria": [{"key": name, "name": endpoint_name(name)} for name in criteria],
        "items": items,
    }


def scored_criteria(data: ReportData) -> list[str]:
    """The names of the criteria that answers were scored on, in the order of the spec."""
    seen = dict.fromkeys(name for run in data.runs for score in run.scores.values() for name in score.criteria)
    return [endpoint for endpoint in data.analysis.endpoints if endpoint in seen] or list(seen)


def _told(name: str, score: bool | float) -> str:
    """A criterion that is failed, or an ordinal score below the best."""
    return endpoint_name(name) if isinstance(score, bool) else f"{endpoint_name(name)} {score:.2g}"


def _item(item: Item, runs: Sequence[ArmRun]) -> dict[str, Any]:
    entries: dict[str, dict[tuple[str, tuple[str, ...]], list[str]]] = defaultdict(lambda: defaultdict(list))
    outcomes: dict[str, set[float]] = defaultdict(set)
    for run in runs:
        answer, score = run.answers.get(item.id), run.scores.get(item.id)
        criteria = score.criteria if score else {}
        for name, passed in criteria.items():
            if passed is not None:
                outcomes[name].add(float(passed))
        failed = tuple(_told(name, passed) for name, passed in criteria.items() if passed is not None and passed < 1)
        text = harmless(answer.response) if answer else "(no answer)"
        entries[run.arm][text, failed].append("" if run.seed is None else str(run.seed))
    return {
        "id": harmless(item.id),
        "instruction": harmless(item.instruction),
        "kind": item.kind,
        "expected": [harmless(answer) for answer in item.answers or ()],
        "disagree": [name for name, seen in outcomes.items() if len(seen) > 1],
        "failed": [name for name, seen in outcomes.items() if min(seen) < 1],
        "arms": [
            {
                "arm": arm,
                "answers": [
                    {"seeds": [seed for seed in seeds if seed], "text": text, "fails": list(failed)}
                    for (text, failed), seeds in given.items()
                ],
            }
            for arm, given in entries.items()
        ],
    }
