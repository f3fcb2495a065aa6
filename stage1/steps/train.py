"""Step `train`: one arm, one seed: supervised fine-tuning or DPO, from the base model or another arm's checkpoint."""

from __future__ import annotations

from collections.abc import Mapping

from compiler.records import Demonstration, PairLogProbs, PreferencePair
from evaluators.evidence.pathologies import LOSS, rise
from stage1.curves import curves_in
from stage1.steps.job import Job
from stage1.store import Artifact
from trainers.fit import Examples, train
from trainers.launch import train_on_devices
from trainers.resume import Keeping


def run(job: Job) -> None:
    """Write `checkpoint/`, `curves.jsonl` and `summary.json`; go on from a kept state where there is one."""
    parent = job.inputs.get("checkpoint")
    matched = job.inputs.get("match")
    seconds, steps = job.runtime.keep_every_seconds, job.runtime.keep_every_steps
    told = {
        "recipe": job.settings["recipe"],
        "adapter": job.settings["model"]["adapter"],
        "seed": job.settings["seed"],
        "examples": _examples(job.inputs),
        "checkpoint": parent.folder / "checkpoint" if parent else None,
        "out": job.draft.folder,
        "loggers": job.curve_loggers(),
        "token_budget": _tokens(matched.read_json("summary.json")) if matched else None,
        "on_progress": job.progress,
        "keeping": Keeping(job.draft.scratch(), job.draft.damaged, steps, seconds),
        "warn": job.note,
    }
    devices, strategy = job.runtime.devices, job.runtime.strategy
    job.draft.provenance.update(devices=devices, **({"strategy": strategy} if devices > 1 else {}))
    if devices == 1:
        train(job.resident.base(job.settings["model"]), **told)
    else:
        job.resident.release()  # its memory is needed, and every process has its own
        train_on_devices(job.settings["model"], devices=devices, strategy=strategy, **told)
    _tell_of_rise(job)


def _tell_of_rise(job: Job) -> None:
    """The report tells it beside the verdicts; whoever watches the run need not wait for that."""
    pairs = job.inputs.get("pairs")
    losses = [row.value for row in curves_in(job.draft.folder) if row.name == LOSS]
    found = rise(losses, pairs.manifest["settings"]["labels"] if pairs else "true")
    if found is not None:
        first, last = found
        job.note(
            f"the loss ended higher than it began: {first:.3g} at the first step, {last:.3g} over the last fifth of the steps; "
            "a smaller learning_rate may help"
        )


def _examples(inputs: Mapping[str, Artifact]) -> Examples:
    if "demonstrations" in inputs:
        return Examples(demonstrations=inputs["demonstrations"].read("demonstrations.jsonl", Demonstration))
    return Examples(
        pairs=inputs["pairs"].read("pairs.jsonl", PreferencePair),
        reference=inputs["reference"].read("logprobs.jsonl", PairLogProbs),
    )


def _tokens(summary: Mapping[str, int]) -> int:
    """All that a training passed forward: what the reference read for it is compute, too."""
    return summary["tokens_forward"] + summary["tokens_reference"]
