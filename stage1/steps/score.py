"""Step `score`: judge every held-out answer by the criteria, and every held-out pair by its log-probabilities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from compiler.records import Answer, Item, PairLogProbs, PreferencePair
from evaluators.criteria import Criterion
from evaluators.scoring import score_items
from stage1.own_criteria import planned_criterion
from stage1.steps.job import Job


def run(job: Job) -> None:
    """Write `scores.jsonl`, one line per held-out item. An arm whose answers were made elsewhere has no log-probabilities."""
    asked = "logprobs" in job.inputs
    scores = score_items(
        job.inputs["instructions"].read("heldout.jsonl", Item),
        job.inputs["answers"].read("answers.jsonl", Answer),
        job.inputs["pairs"].read("pairs.jsonl", PreferencePair) if asked else (),
        job.inputs["logprobs"].read("logprobs.jsonl", PairLogProbs) if asked else (),
        criteria=job.settings["criteria"],
        own=_own(job),
    )
    job.draft.write("scores.jsonl", scores)


def _own(job: Job) -> dict[str, Criterion]:
    """Endpoint -> criterion, from the files and installed packages that the spec names."""
    own: Mapping[str, Mapping[str, Any]] = job.settings.get("own") or {}
    return {f"own.{name}": planned_criterion(name, planned, job.read_text) for name, planned in own.items()}
