"""Arms that hang together wrongly."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from itertools import pairwise

from compiler.checks.subject import Subject
from compiler.diagnostics import Diagnostic, error, quoted, warning
from compiler.resolve import Need, ResolvedArm, cycles


def check_cycles(subject: Subject) -> Iterator[Diagnostic]:
    """No arm needs itself, over however many others."""
    for circle in cycles(subject.arms):
        needs = [_need(subject.arms[name], other) for name, other in pairwise(circle)]
        name, path = circle[0], needs[0].path
        own = subject.written("arms", name, *path)
        yield error(
            "S207",
            subject.value("arms", name, *path) if own else subject.key("arms", name),
            f"arm {quoted(name)} needs itself: {' -> '.join(quoted(member) for member in circle)}",
            label="closes the circle",
            help="break the circle: let one of them start from another arm, or take its data from one",
            notes=tuple(f"{quoted(name)} {need.how} {quoted(need.arm)}" for name, need in zip(circle, needs, strict=False)),
        )


def _need(arm: ResolvedArm, other: str) -> Need:
    return next(need for need in arm.needs() if need.arm == other)


def check_idle_arms(subject: Subject) -> Iterator[Diagnostic]:
    """An arm that starts from another is trained, or at least asked differently."""
    for name, arm in subject.spec.arms.items():
        if arm.from_ is not None and arm.train is None and arm.prompt is None and subject.draft.is_whole("arms", name):
            yield error(
                "S208",
                subject.key("arms", name),
                f"arm {quoted(name)} is {quoted(arm.from_)} under another name",
                label="neither trained nor asked differently",
                help="add `train: RECIPE`, or `prompt: few-shot` or `prompt: raw`",
            )


def check_twins(subject: Subject) -> Iterator[Diagnostic]:
    """Two arms that come out the same are one arm, and comparing them shows nothing."""
    seen: dict[Hashable, str] = {}
    for name, arm in subject.arms.items():
        identity = _identity(arm)
        twin = seen.setdefault(identity, name)
        if twin != name and subject.draft.is_whole("arms", name) and subject.draft.is_whole("arms", twin):
            yield warning(
                "S209",
                subject.key("arms", name),
                f"arms {quoted(twin)} and {quoted(name)} are the same in every setting",
                label="a twin",
                help="remove one of them, or change what was meant to differ",
            )


def _identity(arm: ResolvedArm) -> Hashable:
    trained_on = (arm.demonstrations, arm.preferences) if arm.recipe is not None else None
    shown = arm.demonstrations.few_shot if arm.prompt == "few-shot" else None
    return (arm.parent, repr(arm.recipe), arm.match, arm.prompt, shown, repr(trained_on), arm.responses)
