"""Row 20: what goes wrong in training, as its curves tell."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evaluators.analysis.words import counted, decimal
from evaluators.evidence.material import Training
from evaluators.evidence.subject import Looked, Subject, not_done
from evaluators.results import Finding

LOSS = "train/loss"
"""The curve of the training loss."""
_TAIL = 0.2
"""Share of the points at the end of a curve that are averaged."""
_RISE, _CHANCE = 1.01, 1.1
"""Factors beyond which a loss has risen: more than arithmetic does to one that stays; more than chance where it cannot fall."""
_SATURATED = 0.02
"""DPO loss (log 2 at the start) below which the sigmoid passes hardly any gradient."""


def rise(losses: Sequence[float], labels: str = "true") -> tuple[float, float] | None:
    """The loss at the first step and its mean over the last fifth of the steps, where a training ended higher than it began.

    Shuffled labels leave nothing to bring the loss down by, so that there it has to be more than chance.
    """
    finite = [loss for loss in losses if np.isfinite(loss)]
    if len(finite) < 2:
        return None
    first, last = finite[0], _tail(finite)
    return (first, last) if last > first * (_CHANCE if labels == "shuffled" else _RISE) else None


def check_pathologies(subject: Subject) -> Looked:
    """Whether a loss rose; in DPO also whether the chosen answers became less likely, and whether the margins saturated."""
    trained = {arm: found for arm in subject.outcomes.seeds if (found := subject.material.trainings(arm))}
    if not trained:
        return not_done("no arm was trained")
    findings = [found for arm, trainings in trained.items() for found in _diverged(subject, arm, trainings)]
    arms = {arm: dpo for arm, trainings in trained.items() if (dpo := [each for each in trainings if each.is_dpo])}
    ends = {arm: (_end(trainings, "rewards/chosen"), _end(trainings, LOSS)) for arm, trainings in arms.items()}
    for arm, (chosen, loss) in ends.items():
        if chosen is not None and chosen < 0:
            findings.append(_falling(subject, arm, chosen, _end(arms[arm], "rewards/margin"), arms[arm]))
        if loss is not None and loss < _SATURATED:
            findings.append(_saturated(subject, arm, loss, _end(arms[arm], "rewards/margin")))
    told = ", ".join(f"{arm} {decimal(chosen, signed=True)}" for arm, (chosen, _) in ends.items() if chosen is not None)
    rewards = f"; implicit reward of the chosen answers at the end of DPO: {told or 'not recorded'}" if arms else ""
    losses = [rise(_values(each, LOSS), each.labels) for trainings in trained.values() for each in trainings]
    rose = sum(found is not None for found in losses)
    return Looked(
        f"the loss ended higher than it began in {rose} of {counted(len(losses), 'training')}{rewards}", tuple(findings)
    )


def _values(training: Training, curve: str) -> list[float]:
    return [value for _, value in training.curves.get(curve, ())]


def _tail(values: Sequence[float]) -> float:
    """The mean of a curve's last points."""
    return float(np.mean(values[-max(int(len(values) * _TAIL), 1) :]))


def _end(trainings: list[Training], curve: str) -> float | None:
    """The mean of a curve's last points, averaged over seeds; None where no seed has it."""
    ends = []
    for training in trainings:
        values = [value for value in _values(training, curve) if np.isfinite(value)]
        if values:
            ends.append(_tail(values))
    return float(np.mean(ends)) if ends else None


def _diverged(subject: Subject, arm: str, trainings: list[Training]) -> list[Finding]:
    rises = [found for each in trainings if (found := rise(_values(each, LOSS), each.labels)) is not None]
    if not rises:
        return []
    first, last = (float(np.mean(values)) for values in zip(*rises, strict=True))
    seeds = f" in {len(rises)} of {len(trainings)} seeds" if len(trainings) > 1 else ""
    mean = ", means over these seeds" if len(rises) > 1 else ""
    return [
        Finding(
            code="M020",
            subject="loss",
            weight="weakens",
            claims=subject.touched(subject.built_on([arm])),
            message=f"the training of {arm} ended with a higher loss than it began with{seeds}: {first:.3g} at the first step, "
            f"{last:.3g} over the last fifth of the steps{mean}",
            numbers={"first_loss": first, "last_loss": last, "seeds": len(rises)},
            remedy="train with a smaller learning rate",
        )
    ]


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
