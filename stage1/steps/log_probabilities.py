"""Steps `reference` and `prefer`: the log-probabilities of both sides of every pair under one checkpoint."""

from __future__ import annotations

from compiler.plan import fingerprint
from compiler.records import PreferencePair
from models.pairs import pair_log_probs
from stage1.log_prob_cache import LogProbCache
from stage1.steps.job import Job
from stage1.store import Artifact


def run(job: Job) -> None:
    """Write `logprobs.jsonl`, one line per pair, in the order of the pairs."""
    pairs = job.inputs["pairs"].read("pairs.jsonl", PreferencePair)
    checkpoint = job.inputs.get("checkpoint")
    remembered = LogProbCache(job.draft.log_probs(_asked(job, checkpoint)))
    with job.resident.checkpoint(job.settings["model"], checkpoint) as loaded:
        job.draft.write("logprobs.jsonl", pair_log_probs(loaded, pairs, job.progress, remembered))


def _asked(job: Job, checkpoint: Artifact | None) -> str:
    """Fingerprint of the very model that is asked: base, precision, and the weights trained on it."""
    trained = checkpoint.manifest["fingerprint"] if checkpoint else None
    return fingerprint({"model": job.settings["model"], "checkpoint": trained, "version": job.step.version})
