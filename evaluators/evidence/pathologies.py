"""Row 20: what goes wrong in DPO, as its curves tell."""

from __future__ import annotations

import numpy as np

from evaluators.analysis.words import decimal
from evaluators.evidence.material import Training
from evaluators.evidence.subject import Looked, Subject, not_done
from evaluators.results import Finding

_TAIL = 0.2
"""Share of the points at the end of a curve that are averaged."""
_SATURATED = 0.02
"""DPO loss (log 2 at the start) below which the sigmoid passes hardly any gradient."""


def check_pathologies(subject: Subject) -> Looked:
    """Whether the chosen answers became less likely, and whether the margins saturated."""
    arms = {arm: found for arm in subject.outcomes.seeds if (found := _dpo(subject, arm))}
    if not arms:
        return not_done("no arm was trained by DPO")
    ends = {arm: (_end(trainings, "rewards/chosen"), _end(trainings, "train/loss")) for arm, trainings in arms.items()}
    findings = []
    for arm, (chosen, loss) in ends.items():
        if chosen is not None and chosen < 0:
            findings.append(_falling(subject, arm, chosen, _end(arms[arm], "rewards/margin"), arms[arm]))
        if loss is not None and loss < _SATURATED:
            findings.append(_saturated(subject, arm, loss, _end(arms[arm], "rewards/margin")))
    told = ", ".join(f"{arm} {decimal(chosen, signed=True)}" for arm, (chosen, _) in ends.items() if chosen is not None)
    return Looked(f"implicit reward of the chosen answers at the end of training: {told or 'not recorded'}", tuple(findings))


def _dpo(subject: Subject, arm: str) -> list[Training]:
    return [training for training in subject.material.trainings(arm) if training.is_dpo]


def _end(trainings: list[Training], curve: str) -> float | None:
    """The mean of a curve's last points, averaged over seeds; None where no seed has it."""
    ends = []
    for training in trainings:
        values = [value for _, value in training.curves.get(curve, ()) if np.isfinite(value)]
        if values:
            ends.append(float(np.mean(values[-max(int(len(values) * _TAIL), 1) :])))
    return float(np.mean(ends)) if ends else None


def _falling(subject: Subject, arm: str, chosen: float, margin: float | None, trainings: list[Training]) -> Finding:
    beta = trainings[0].beta
    fallen = f" ({decimal(chosen / beta, 1, signed=True)} nats per answer)" if beta else ""
    grown = margin is not None and margin > 0
    how = f"; the margin of {decimal(margin or 0)} comes from pushing rejected answers down further" if grown else ""
    return Finding(
        code="M020",
        subject="chosen log-probability",
        weight="notes",
        claims=subject.touched([arm]),
        message=f"DPO made the chosen answers of {arm} less likely than they were: implicit reward {decimal(chosen)}{fallen} "
        f"at the end{how}",
        numbers={"reward_chosen": chosen, "nats": chosen / beta if beta else None},
        remedy="train shorter, with a larger beta, or with an SFT term",
    )


def _saturated(subject: Subject, arm: str, loss: float, margin: float | None) -> Finding:
    told = f" at a margin of {margin:.1f}" if margin is not None else ""
    return Finding(
        code="M020",
        subject="margins",
        weight="notes",
        claims=subject.touched([arm]),
        message=f"the margins of {arm} are saturated: the loss ends at {loss:.3f}{told}, so that further pairs teach nothing",
        numbers={"loss": loss, "margin": margin},
        remedy="train shorter, or on negatives that are harder to tell",
    )
