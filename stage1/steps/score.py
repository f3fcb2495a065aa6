"""Step `score`: judge every held-out answer by the criteria, and every held-out pair by its log-probabilities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from compiler.records import Answer, Item, PairLogProbs, PreferencePair
from evaluators.criteria import Criterion
from evaluators.own_criteria import criterion_of_package, read_criterion
from evaluators.scoring import score_items
from stage1.installed import find_criterion
from stage1.steps.job import Job
from stage1.steps.planned_files import planned_text


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
    return {f"own.{name}": _criterion(job, name, planned) for name, planned in own.items()}


def _criterion(job: Job, name: str, planned: Mapping[str, Any]) -> Criterion:
    if "file" in planned:
        return read_criterion(planned_text(job, planned["file"], planned["digest"]), planned["file"], name)
    place = f"{planned['distribution']} {planned['version']}, {planned['object']}"
    entry_point = find_criterion(planned)
    return criterion_of_package(entry_point.load, place)
