"""Steps `reference` and `prefer`: the log-probabilities of both sides of every pair under one checkpoint."""

from __future__ import annotations

from compiler.records import PreferencePair
from models.pairs import pair_log_probs
from stage1.steps.job import Job


def run(job: Job) -> None:
    """Write `logprobs.jsonl`, one line per pair, in the order of the pairs."""
    pairs = job.inputs["pairs"].read("pairs.jsonl", PreferencePair)
    with job.resident.checkpoint(job.settings["model"], job.inputs.get("checkpoint")) as loaded:
        job.draft.write("logprobs.jsonl", pair_log_probs(loaded, pairs, on_progress=job.progress))
