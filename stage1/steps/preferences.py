"""Step `preferences`: chosen answers and the negatives built from them become preference pairs."""

from __future__ import annotations

from compiler.records import Answer, Item
from datagen.preferences import build_preferences
from stage1.steps.job import Job


def run(job: Job) -> None:
    """Write `pairs.jsonl`, `dropped.jsonl` (with reasons) and `counts.json`."""
    instructions = job.inputs["instructions"]
    observed = job.inputs.get("observed")
    built = build_preferences(
        instructions.read("train.jsonl", Item) + instructions.read("validation.jsonl", Item),
        job.inputs["chosen"].read("answers.jsonl", Answer),
        pairs=job.settings["pairs"],
        rejected=job.settings["rejected"],
        labels=job.settings["labels"],
        seed=job.settings["seed"],
        observed=observed.read("answers.jsonl", Answer) if observed else None,
    )
    job.draft.write("pairs.jsonl", built.pairs)
    job.draft.write("dropped.jsonl", built.dropped)
    job.draft.write_json("counts.json", built.counts)
