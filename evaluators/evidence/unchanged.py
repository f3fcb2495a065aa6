"""Row 20: a training that changed nothing, which is no evidence of sameness."""

from __future__ import annotations

from evaluators.analysis.words import counted
from evaluators.evidence.material import ArmRun
from evaluators.evidence.subject import DECIDED, Looked, Subject, not_done
from evaluators.results import Finding

_SAMENESS = ("equivalent", "not_worse")


def check_unchanged(subject: Subject) -> Looked:
    """Whether every trained arm answers any held-out item otherwise than the arm whose weights it was trained from."""
    compared, findings = [], []
    for arm in subject.outcomes.seeds:
        trained = [run for run in subject.material.of(arm) if run.training is not None]
        parents = [_started_from(subject, run) for run in trained]
        if not trained or not all(parents):
            continue
        compared.append(arm)
        alike = [
            {other.arm for other in others if _same(subject, run, other)} for run, others in zip(trained, parents, strict=True)
        ]
        findings += [_unchanged(subject, arm, parent, len(trained)) for parent in sorted(set.intersection(*alike))]
    if not compared:
        return not_done("no trained arm stands beside the arm that it was trained from")
    return Looked(f"answers of {counted(len(compared), 'trained arm')} held against those before the training", tuple(findings))


def _started_from(subject: Subject, run: ArmRun) -> list[ArmRun]:
    """The runs that answered with the weights from which this one was trained."""
    start = run.training.start if run.training is not None else None
    return [other for other in subject.material.runs if start is not None and other.weights == start and other.arm != run.arm]


def _same(subject: Subject, run: ArmRun, other: ArmRun) -> bool:
    """Whether two runs answered every held-out item, and alike to the last byte."""
    answers = [(run.answers.get(item), other.answers.get(item)) for item in subject.outcomes.items]
    return bool(answers) and all(a is not None and b is not None and a.response == b.response for a, b in answers)


def _unchanged(subject: Subject, arm: str, parent: str, seeds: int) -> Finding:
    claims = subject.touched([arm])
    rests_on_it = [name for name in claims if set(subject.claim(name).compare) == {arm, parent}]
    sameness = [name for name in rests_on_it if subject.claim(name).expect in _SAMENESS and subject.verdicts[name] in DECIDED]
    return Finding(
        code="M020",
        subject="answers",
        weight="weakens",
        claims=claims,
        message=f"training changed no answer: in {counted(seeds, 'seed')} {arm} answers all {len(subject.outcomes.items)} "
        f"held-out items byte for byte as {parent}, from whose weights it was trained",
        numbers={"items": len(subject.outcomes.items), "seeds": seeds},
        remedy="see whether the training took steps, and with what learning rate",
        changes=dict.fromkeys(sameness, "inconclusive"),
    )
