"""What is recorded of an arm, as plain data: rates with intervals, the table of answers, the data it used."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from compiler.plan import ArmSteps, Plan
from compiler.records import Answer, Item, ItemScore
from stage1.store import Artifact, DamagedArtifact, Store

_DIGEST = 16  # hex digits of a content hash; MLflow takes up to 36


def evaluation(scores: Sequence[ItemScore]) -> dict[str, float]:
    """`eval/<criterion>`, with its 95% Wilson interval under `eval-low/` and `eval-high/`; pairs also by negative type."""
    from evaluators.statistics.intervals import wilson

    found: dict[str, float] = {}
    for name, (passed, n) in sorted(_counts(scores).items()):
        interval = wilson(passed, n)
        found |= {f"eval/{name}": passed / n, f"eval-low/{name}": interval.low, f"eval-high/{name}": interval.high}
    for kind, values in _pairs(scores).items():
        found[f"preference_accuracy/{kind}"] = sum(values) / len(values)
    return found


def _counts(scores: Sequence[ItemScore]) -> dict[str, tuple[float, int]]:
    """Per endpoint: passed and applicable items; the pairs of one item count as one item, by their mean."""
    values: dict[str, list[float]] = {}
    for score in scores:
        for name, value in score.criteria.items():
            if value is not None:
                values.setdefault(name, []).append(value)
        if score.preference:
            values.setdefault("preference_accuracy", []).append(sum(score.preference.values()) / len(score.preference))
    return {name: (sum(column), len(column)) for name, column in values.items()}


def _pairs(scores: Sequence[ItemScore]) -> dict[str, list[bool]]:
    kinds: dict[str, list[bool]] = {}
    for score in scores:
        for kind, value in score.preference.items():
            kinds.setdefault(kind, []).append(value)
    return kinds


def answers_table(plan: Plan, store: Store, steps: ArmSteps) -> dict[str, list[Any]]:
    """Column -> cells, one row per held-out item in the order of the split, so that runs line up.

    MLflow lays tables of several runs side by side by the first column, and shows the second.
    """
    scores = {row.item_id: row for row in opened(plan, store, steps.score).read("scores.jsonl", ItemScore)}
    answers = {row.item_id: row.response for row in opened(plan, store, steps.respond).read("answers.jsonl", Answer)}
    items = opened(plan, store, plan.step(steps.score).inputs["instructions"]).read("heldout.jsonl", Item)
    rows = [
        {"instruction": item.instruction, "response": answers.get(item.id, "")}
        | {name: "n/a" if passed is None else "pass" if passed else "fail" for name, passed in scores[item.id].criteria.items()}
        | {"kind": item.kind, "item": item.id}
        for item in items
        if item.id in scores
    ]
    return {name: [row[name] for row in rows] for name in (rows[0] if rows else ())}


@dataclass(frozen=True, slots=True)
class DataUsed:
    """One file of examples that an arm was trained on or judged by."""

    name: str
    digest: str
    """The beginning of the SHA-256 of the file."""
    context: str
    """`training` or `evaluation`."""
    source: str
    profile: str


_FILES = {"demonstrations": "demonstrations.jsonl", "pairs": "pairs.jsonl", "instructions": "heldout.jsonl"}


def data_used(plan: Plan, store: Store, steps: ArmSteps) -> Iterator[DataUsed]:
    """The held-out items, and what the arm was trained on, each by name and by the hash of its content."""
    used = [("instructions", plan.step(steps.score).inputs["instructions"], "evaluation")]
    if steps.train:
        inputs = plan.step(steps.train).inputs
        used += [(role, inputs[role], "training") for role in ("demonstrations", "pairs") if role in inputs]
    for role, step_id, context in used:
        artifact, file = opened(plan, store, step_id), _FILES[role]
        listed: Mapping[str, Any] = artifact.manifest["files"][file]
        with (artifact.folder / file).open("rb") as lines:
            rows = sum(1 for _ in lines)
        yield DataUsed(
            name=f"{step_id}/{file.removesuffix('.jsonl')}",
            digest=str(listed["sha256"])[:_DIGEST],
            context=context,
            source=json.dumps({"artifact": artifact.manifest["fingerprint"], "file": file}),
            profile=json.dumps({"num_rows": rows, "num_bytes": listed["bytes"]}),
        )


def opened(plan: Plan, store: Store, step_id: str) -> Artifact:
    """The artifact of a step.

    Raises:
        DamagedArtifact: it is not what was written, or not there: it is about to be made again.
    """
    fingerprint = plan.step(step_id).fingerprint
    try:
        return store.open(fingerprint)
    except KeyError:
        raise DamagedArtifact(fingerprint, f"{step_id} is not in the store") from None
