"""Step `heldout_pairs`: pairs that no arm wrote, on held-out instructions, to measure preference accuracy."""

from __future__ import annotations

from compiler.records import Item
from datagen.heldout_pairs import build_heldout_pairs
from stage1.steps.job import Job


def run(job: Job) -> None:
    """Write `pairs.jsonl`, `dropped.jsonl` and `counts.json`."""
    built = build_heldout_pairs(job.inputs["instructions"].read("heldout.jsonl", Item), seed=job.settings["seed"])
    job.draft.write("pairs.jsonl", built.pairs)
    job.draft.write("dropped.jsonl", built.dropped)
    job.draft.write_json("counts.json", built.counts)
