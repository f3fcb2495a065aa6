"""Row 18: plain prompts for every arm, and no arm that changes how another one answers."""

from __future__ import annotations

from evaluators.analysis.words import counted, joined
from evaluators.evidence.material import ArmRun
from evaluators.evidence.subject import Looked, Subject, not_done
from evaluators.results import Finding


def check_guard(subject: Subject) -> Looked:
    """Every input was looked through for template and special tokens before a model saw it."""
    guarded = [run for run in subject.material.runs if run.guard is not None]
    if not guarded:
        return not_done("no answers came from a model that was run here")
    inputs = sum(int(run.guard.get("inputs", 0)) for run in guarded if run.guard)
    bare = [run for run in subject.material.runs if run.guard is None]
    findings = (_unguarded(subject, bare),) if bare else ()
    return Looked(
        f"no special or template token in any of {counted(inputs, 'prompt')} of {counted(len(guarded), 'run')}", findings
    )


def _unguarded(subject: Subject, runs: list[ArmRun]) -> Finding:
    arms = list(dict.fromkeys(run.arm for run in runs))
    return Finding(
        code="M018",
        subject="contamination guard",
        weight="weakens",
        claims=subject.touched(arms),
        message=f"how the prompts of {joined(arms)} were rendered is not known: the answers were made elsewhere",
        numbers={"runs": len(runs)},
        remedy="let stage1 generate the answers, or record the prompts that were sent",
    )


def check_isolation(subject: Subject) -> Looked:
    """Sentinel prompts are answered alike by the base model before an arm was evaluated and after it."""
    checked = [run for run in subject.material.runs if run.isolation is not None]
    if not checked:
        return not_done("no sentinel answers were recorded")
    leaking = [run for run in checked if run.isolation is not None and not run.isolation.get("identical")]
    same = len(checked) - len(leaking)
    findings = (_leaking(subject, leaking),) if leaking else ()
    return Looked(f"sentinel answers were the same before and after {same} of {counted(len(checked), 'run')}", findings)


def _leaking(subject: Subject, runs: list[ArmRun]) -> Finding:
    arms = list(dict.fromkeys(run.arm for run in runs))
    claims = subject.touched(arms)
    return Finding(
        code="M018",
        subject="isolation",
        weight="blocks",
        claims=claims,
        message=f"the base model answered sentinel prompts otherwise after {joined(arms)} than before: arms were not evaluated "
        "independently of each other",
        numbers={"runs": len(runs)},
        remedy="evaluate every arm in a process of its own",
        changes={name: "confounded" for name in claims if subject.verdicts[name] != "not testable"},
    )
