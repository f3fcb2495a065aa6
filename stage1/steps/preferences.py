"""Step `preferences`: chosen answers and the negatives built from them become preference pairs."""

from __future__ import annotations

from compiler.records import Answer, Item
from datagen.preferences import Preferences, build_preferences
from evaluators.evidence.pairs import too_few
from stage1.steps.job import Job

_SHOWN = 3
"""Reasons that are named."""


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
    _tell_of_shortfall(job, built)
    job.draft.write("pairs.jsonl", built.pairs)
    job.draft.write("dropped.jsonl", built.dropped)
    job.draft.write_json("counts.json", built.counts)


def _tell_of_shortfall(job: Job, built: Preferences) -> None:
    """The report tells it beside the verdicts; whoever watches the run need not wait for that."""
    made, asked = built.counts["train"]["made"], built.counts["train"]["asked"]
    if not too_few(made, asked):
        return
    reasons = [
        (count, f"{'chosen answers' if kind == 'chosen' else kind}: {reason}")
        for kind, found in built.counts["dropped"].items()
        for reason, count in found.items()
    ]
    most = ", ".join(f"{reason} ({count})" for count, reason in sorted(reasons, key=lambda each: -each[0])[:_SHOWN])
    job.note(
        f"{made} of the {asked} pairs asked for could be made"
        + (f"; dropped above all {most.replace('_', ' ')}" if most else "; there are too few training instructions")
    )
