"""Step `demonstrations`: answers to the training instructions become examples for supervised fine-tuning."""

from __future__ import annotations

from compiler.records import Answer, Item
from datagen.demonstrations import build_demonstrations
from stage1.steps.job import Job


def run(job: Job) -> None:
    """Write `demonstrations.jsonl`, `dropped.jsonl` (with reasons) and `counts.json`."""
    instructions = job.inputs["instructions"]
    items = instructions.read("train.jsonl", Item) + instructions.read("validation.jsonl", Item)
    answers = job.inputs["answers"].read("answers.jsonl", Answer)
    built = build_demonstrations(items, answers, clean=job.settings["clean"])
    job.draft.write("demonstrations.jsonl", built.kept)
    job.draft.write("dropped.jsonl", built.dropped)
    job.draft.write_json("counts.json", built.counts)
