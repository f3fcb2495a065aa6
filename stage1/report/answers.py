"""Every held-out item with the different answers to it side by side, each under the arms that gave it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from compiler.records import Item
from stage1.report.data import ArmRun, ReportData
from stage1.report.words import counted, endpoint_name, harmless, listed


def answers(data: ReportData) -> dict[str, Any]:
    """All items. An answer stands once, under all arms and seeds that gave it: so it is read once, and stored once."""
    criteria = scored_criteria(data)
    seeds = Counter(run.arm for run in data.runs)
    items = [_item(item, data.runs, seeds) for item in data.items]
    differ = sum(bool(item["disagree"]) for item in items)
    primary = [name for name in data.analysis.primary if name in criteria]
    on_primary = sum(any(name in item["disagree"] for name in primary) for item in items)
    about = f"; on {on_primary} of them about {listed([endpoint_name(name) for name in primary])}" if primary else ""
    return {
        "heading": f"Judgements differ between arms or seeds on {differ} of {counted(len(items), 'held-out item')}{about}",
        "note": "Raw text after “Response:”, up to the END marker or the token limit. Each different answer stands once, under "
        "the arms that gave it; an arm without seeds gave it with all of its seeds. Control, formatting and direction-changing "
        "characters are shown as symbols.",
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


def _item(item: Item, runs: Sequence[ArmRun], seeds: Mapping[str, int]) -> dict[str, Any]:
    given: dict[tuple[str, tuple[str, ...]], dict[str, list[int | None]]] = defaultdict(lambda: defaultdict(list))
    outcomes: dict[str, set[float]] = defaultdict(set)
    for run in runs:
        answer, score = run.answers.get(item.id), run.scores.get(item.id)
        judged = {name: passed for name, passed in score.criteria.items() if passed is not None} if score else {}
        for name, passed in judged.items():
            outcomes[name].add(float(passed))
        failed = tuple(_told(name, passed) for name, passed in judged.items() if passed < 1)
        text = harmless(answer.response) if answer else "(no answer)"
        given[text, failed][run.arm].append(run.seed)
    return {
        "id": harmless(item.id),
        "instruction": harmless(item.instruction),
        "kind": item.kind,
        "expected": [harmless(answer) for answer in item.answers or ()],
        "disagree": [name for name, seen in outcomes.items() if len(seen) > 1],
        "failed": [name for name, seen in outcomes.items() if min(seen) < 1],
        "answers": [
            {
                "by": {arm: [seed for seed in some if seed is not None] for arm, some in arms.items()},
                "told": "; ".join(_giver(arm, some, seeds[arm]) for arm, some in arms.items()),
                "text": text,
                "fails": list(failed),
            }
            for (text, failed), arms in given.items()
        ],
    }


def _giver(arm: str, seeds: Sequence[int | None], all_seeds: int) -> str:
    """The arm, with the seeds that gave an answer unless all of them did."""
    if len(seeds) == all_seeds:
        return arm
    return f"{arm} (seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))})"
