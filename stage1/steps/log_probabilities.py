"""Steps `reference` and `prefer`: the log-probabilities of both sides of every pair under one checkpoint."""

from __future__ import annotations

from compiler.records import PreferencePair
from models.pairs import pair_log_probs
from stage1.log_prob_cache import log_prob_cache
from stage1.steps.job import Job


def run(job: Job) -> None:
    """Write `logprobs.jsonl`, one line per pair, in the order of the pairs."""
    pairs = job.inputs["pairs"].read("pairs.jsonl", PreferencePair)
    checkpoint = job.inputs.get("checkpoint")
    remembered = log_prob_cache(job.step, checkpoint, job.draft.log_probs)
    with job.resident.checkpoint(job.settings["model"], checkpoint) as loaded:
        job.draft.write("logprobs.jsonl", pair_log_probs(loaded, pairs, job.progress, remembered))
