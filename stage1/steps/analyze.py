"""Step `analyze`: from all scores to rates, contrasts and a verdict per claim."""

from __future__ import annotations

from compiler.records import Item, ItemScore
from evaluators.analysis import AnalyzeSettings, analyze
from stage1.steps.job import Job


def run(job: Job) -> None:
    """Write `analysis.json`."""
    scores = {
        _arm_and_seed(role): artifact.read("scores.jsonl", ItemScore)
        for role, artifact in job.inputs.items()
        if role.startswith("score:")
    }
    items = job.inputs["instructions"].read("heldout.jsonl", Item)
    analysis = analyze(AnalyzeSettings.model_validate(dict(job.settings)), scores, items)
    job.draft.write_json("analysis.json", analysis.model_dump(mode="json"))


def _arm_and_seed(role: str) -> tuple[str, int | None]:
    _, arm, *seed = role.split(":")
    return arm, int(seed[0]) if seed else None
