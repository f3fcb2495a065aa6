"""A plan as text: how much of it is done, what has to run and why; in full, every step and every contrast."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence

from compiler.contrasts import Contrast
from compiler.diagnostics import counted, printable
from compiler.explain_plan import PlanOutlook, StepOutlook
from compiler.plan import Plan

_MOST = 6
"""Causes and arms that are told one by one."""
_AS_EVER = ("new",)


def render_plan(plan: Plan, outlook: PlanOutlook) -> str:
    """Arms, counts of steps, and the causes for which steps run, a few lines each."""
    to_run = [step for step in outlook.steps if step.action == "run"]
    kinds = ", ".join(f"{kind} {counts['run']}" for kind, counts in outlook.counts().items() if counts["run"])
    reused = len(outlook.steps) - len(to_run)
    steps = f"steps: {len(outlook.steps)}, {reused} to reuse, {len(to_run)} to run" + (f": {kinds}" if kinds else "")
    return "\n".join(
        printable(line)
        for text in (f"plan {plan.fingerprint[:12]} of {plan.experiment}: {_arms(plan)}", steps, *_causes(to_run))
        for line in textwrap.wrap(text, 120, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
    )


def _arms(plan: Plan) -> str:
    names = list(dict.fromkeys(entry.arm for entry in plan.arms))
    shown = ", ".join(_lineage(plan, name) for name in names[:_MOST])
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return f"{shown}{more}; seeds {', '.join(map(str, plan.spec['seeds']))}"


def _lineage(plan: Plan, arm: str) -> str:
    """`sft_dpo (sft + dpo)`: what an arm starts from and is trained by."""
    body = plan.spec["arms"][arm]
    train = body.get("train")
    recipe = train.get("use") if isinstance(train, dict) else train
    return f"{arm} ({body.get('from') or 'base model'} + {recipe})" if recipe else arm


def _causes(to_run: Sequence[StepOutlook]) -> Iterator[str]:
    """Why steps run: causes with the number of their steps; what only follows from other steps is counted."""
    causes = Counter(step.why for step in to_run if not step.upstream or step.changes)
    following = len(to_run) - causes.total()
    if not set(causes) - set(_AS_EVER) and not following:
        return
    told = [f"{why} ({counted(count, 'step')})" for why, count in causes.most_common(_MOST)]
    told += [f"{len(causes) - _MOST} more causes"] if len(causes) > _MOST else []
    told += [f"{counted(following, 'step')} more read what these make"] if following else []
    yield f"why: {'; '.join(told)}"


def render_steps(outlook: PlanOutlook, table: Sequence[Contrast]) -> str:
    """Every contrast with its values, and every step with what becomes of it and why."""
    width = max((len(step.id) for step in outlook.steps), default=0)
    lines = ["contrasts"]
    for contrast in table:
        lines.append(f"  {contrast.claim}: {contrast.first} against {contrast.second}")
        lines += [
            f"    {'claimed    ' if factor.claimed else 'NOT CLAIMED'} {factor.name}: {contrast.told(factor)}"
            for factor in contrast.factors
        ]
    lines += ["", "steps", *(f"  {step.action:<6} {step.id:<{width}}  {step.why}" for step in outlook.steps)]
    return "\n".join(printable(line) for line in lines)
