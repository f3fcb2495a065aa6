"""Step `gate`: do the untrained arms leave room for what is claimed? Asked before anything is trained."""

from __future__ import annotations

from compiler.records import Item, ItemScore
from evaluators.analysis import AnalyzeSettings
from evaluators.analysis.outcomes import read_outcomes
from evaluators.evidence.headroom import Room, rooms, told_at_the_gate
from stage1.steps.job import GATE, Job
from stage1.steps.material import arm_and_seed


class GateClosed(Exception):
    """The experiment could not show what it claims, and was told to stop then; the message says which claims and why."""


def run(job: Job) -> None:
    """Write `gate.json`: `rooms` (one per claim and endpoint) and `closed`, a line for people, empty where there is room.

    Raises:
        GateClosed: there is too little room for a claim, and the policy is to stop.
    """
    scores = {
        arm_and_seed(role.removeprefix("score:")): artifact.read("scores.jsonl", ItemScore)
        for role, artifact in job.inputs.items()
        if role.startswith("score:")
    }
    settings = AnalyzeSettings.model_validate(dict(job.settings))
    outcomes = read_outcomes(settings, scores, job.inputs["instructions"].read("heldout.jsonl", Item))
    found = list(rooms(settings, outcomes))
    closed = told_at_the_gate(found)
    if closed and job.settings["policy"] == "stop":
        raise GateClosed(f"{closed}; nothing was trained (`--set evaluation.gate=warn` goes on all the same)")
    job.draft.write_json(GATE, {"rooms": [_row(room) for room in found], "closed": closed})


def _row(room: Room) -> dict[str, object]:
    measured = {name: getattr(room, name) for name in ("endpoint", "arm", "rate", "left", "most", "needed", "is_enough")}
    return {"claim": room.claim.name, **measured}
