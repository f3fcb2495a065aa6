"""Step `score`: judge every held-out answer by the criteria, and every held-out pair by its log-probabilities."""

from __future__ import annotations

from compiler.records import Answer, Item, PairLogProbs, PreferencePair
from evaluators.scoring import score_items
from stage1.steps.job import Job


def run(job: Job) -> None:
    """Write `scores.jsonl`, one line per held-out item."""
    scores = score_items(
        job.inputs["instructions"].read("heldout.jsonl", Item),
        job.inputs["answers"].read("answers.jsonl", Answer),
        job.inputs["pairs"].read("pairs.jsonl", PreferencePair),
        job.inputs["logprobs"].read("logprobs.jsonl", PairLogProbs),
        criteria=job.settings["criteria"],
    )
    job.draft.write("scores.jsonl", scores)
