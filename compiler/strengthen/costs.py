"""What each addition to a spec costs, from the estimate of the strengthened plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from compiler.diagnostics import counted
from compiler.estimates.estimate import Estimate, StepEstimate
from compiler.estimates.rendering import duration
from compiler.plan import Plan, Step


@dataclass(frozen=True, slots=True)
class Addition:
    """One thing that was added to a spec."""

    path: tuple[str, ...]
    value: Any
    code: str
    """The finding that it answers; several where it was raised again."""
    claims: tuple[str, ...]
    was: Any = None
    """The value before; None for what was not there."""

    @property
    def name(self) -> str:
        """The dotted path."""
        return ".".join(self.path)


@dataclass(frozen=True, slots=True)
class Costs:
    """The strengthened plan with its estimate; `device` None: work is told, and no time."""

    plan: Plan
    estimate: Estimate
    device: str | None

    def of(self, addition: Addition) -> str:
        """What an addition costs, in numbers."""
        section = addition.path[0]
        if section == "arms":
            return self._steps(lambda step: step.arm == addition.path[1])
        if section == "claims":
            return f"one more test ({self._tests()} share alpha)" if len(addition.path) == 2 else "nothing"
        if section == "seeds":
            new = set(addition.value) - set(addition.was or ())
            return self._steps(lambda step: step.seed in new)
        if addition.name == "data.instructions.heldout":
            share = 1 - (addition.was or 0) / addition.value
            return self._steps(lambda step: step.kind in ("respond", "prefer", "score"), share)
        return "no training"

    def _tests(self) -> int:
        claims: Mapping[str, Any] = self.plan.spec["claims"]
        primary = len(self.plan.spec["evaluation"]["primary"])
        return sum(len(claim["on"]) if claim["on"] else primary for claim in claims.values())

    def _steps(self, is_meant: Callable[[Step], bool], share: float = 1.0) -> str:
        meant = {step.id for step in self.plan.steps if is_meant(step)}
        return _told([step for step in self.estimate.steps if step.id in meant], share, self.device)


def _told(steps: Sequence[StepEstimate], share: float, device: str | None) -> str:
    trainings = [step.work for step in steps if step.kind == "train"]
    tokens = share * sum(step.work.tokens_read + step.work.tokens_written for step in steps)
    parts = []
    if trainings:
        updates, read = sum(work.optimizer_steps for work in trainings), sum(work.tokens_read for work in trainings)
        parts.append(f"{counted(len(trainings), 'training')} ({updates:,} steps, {_short(read)} tokens)")
    parts.append(f"in all {_short(tokens)} tokens, {share * sum(step.work.flops for step in steps):.1e} FLOPs")
    if device is not None:
        parts.append(f"about {duration(share * sum(step.seconds for step in steps))} on {device}")
    return ", ".join(parts)


def _short(tokens: float) -> str:
    return f"{tokens / 1e6:.1f}M" if tokens >= 1e6 else f"{tokens / 1e3:.0f}k" if tokens >= 1e4 else f"{tokens:,.0f}"


def merged(added: Sequence[Addition]) -> list[Addition]:
    """Each place once: what was raised twice has its first value before, its last value now, and both findings."""
    found: dict[tuple[str, ...], Addition] = {}
    for addition in added:
        if (before := found.get(addition.path)) is not None:
            codes = before.code if addition.code in before.code else f"{before.code}, {addition.code}"
            claims = tuple(dict.fromkeys((*before.claims, *addition.claims)))
            addition = replace(addition, was=before.was, code=codes, claims=claims)  # noqa: PLW2901  (both in one)
        found[addition.path] = addition
    return list(found.values())
