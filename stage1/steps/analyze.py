"""Step `analyze`: from all scores, and what lies beside them, to rates, contrasts, findings and a verdict per claim."""

from __future__ import annotations

from compiler.records import Item, ItemScore
from evaluators.analysis import AnalyzeSettings
from evaluators.evidence import judge
from stage1.steps.job import Job
from stage1.steps.material import Materials, arm_and_seed


def run(job: Job) -> None:
    """Write `analysis.json`."""
    scores = {
        arm_and_seed(role.removeprefix("score:")): artifact.read("scores.jsonl", ItemScore)
        for role, artifact in job.inputs.items()
        if role.startswith("score:")
    }
    items = job.inputs["instructions"].read("heldout.jsonl", Item)
    analysis = judge(AnalyzeSettings.model_validate(dict(job.settings)), scores, items, Materials(job.inputs).material())
    job.draft.write_json("analysis.json", analysis.model_dump(mode="json"))
