"""What a claim's contrast shows by itself: arms that are missing, equal, or different in more than is claimed (rows 1, 2)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from compiler.checks.method.design import Design
from compiler.checks.method.finding import Finding, Remedy
from compiler.contrasts import Contrast
from compiler.diagnostics import quoted


def check_missing_arms(design: Design) -> Iterator[Finding]:
    """Both arms of a claim are there; one that is not has to be added."""
    for name, claim in design.spec.claims.items():
        for index, arm in enumerate(claim.compare):
            if arm not in design.spec.arms:
                yield Finding(
                    "M001",
                    "blocks",
                    (name,),
                    design.subject.value("claims", name, "compare", index),
                    f"claim {quoted(name)} cannot be tested: there is no arm {quoted(arm)}",
                    "missing arm",
                    remedy=_missing(design, arm, claim.compare[1 - index], claim.isolates),
                    advice=f"add the arm {quoted(arm)}",
                )


def _missing(design: Design, arm: str, other: str, isolates: tuple[str, ...]) -> Remedy:
    """The other arm of the claim, with the isolated factor changed where it is plain what to change it to."""
    if other not in design.arms:
        return Remedy()
    written, twin = design.written(design.arms[other]), design.arms[other]
    changed: dict[str, Any]
    if "data.preferences.rejected" in isolates:
        changed = {"data": {"preferences": {"rejected": "random"}}}
    elif "data.preferences.labels" in isolates:
        changed = {"data": {"preferences": {"labels": "shuffled"}}}
    elif "train.loss_on" in isolates and twin.recipe is not None and isinstance(written["train"], str):
        opposite = "response" if getattr(twin.recipe, "loss_on", "response") == "all" else "all"
        changed = {"train": {"use": written["train"], "loss_on": opposite}}
    else:
        return Remedy()
    return Remedy(arms={arm: written | changed})


def check_empty_contrasts(design: Design) -> Iterator[Finding]:
    """A claim compares two arms that differ at all."""
    for contrast in design.contrasts:
        if not contrast.factors:
            yield Finding(
                "M001",
                "blocks",
                (contrast.claim,),
                design.subject.key("claims", contrast.claim, "compare"),
                f"claim {quoted(contrast.claim)} cannot be tested: {_both(contrast)} are the same",
                "nothing differs",
                advice="compare two arms that differ in what is claimed",
            )


def check_leftovers(design: Design) -> Iterator[Finding]:
    """Nothing differs between the arms of a claim but what the claim isolates."""
    for contrast in design.contrasts:
        if contrast.leftover:
            yield _leftover(design, contrast)


def _leftover(design: Design, contrast: Contrast) -> Finding:
    names = [factor.name for factor in contrast.leftover]
    listed = ", ".join(quoted(name) for name in names)
    isolates = design.subject.spec.claims[contrast.claim].isolates
    message = f"claim {quoted(contrast.claim)} is confounded: {_both(contrast)} also differ in {listed}"
    way_out = f"make {'it' if len(names) == 1 else 'them'} equal in both arms, or add an arm that differs in one factor only"
    if not isolates:
        message = f"claim {quoted(contrast.claim)} does not say what it isolates: {_both(contrast)} differ in {listed}"
        way_out = f"add `isolates: [{', '.join(names)}]` if that is what is claimed"
    return Finding(
        "M002",
        "blocks",
        (contrast.claim,),
        design.subject.key("claims", contrast.claim, "compare"),
        message,
        f"{len(names)} {'factor' if len(names) == 1 else 'factors'} not claimed",
        tuple(f"{quoted(factor.name)}: {contrast.told(factor)}" for factor in contrast.leftover),
        advice=way_out,
    )


def check_idle_factors(design: Design) -> Iterator[Finding]:
    """What a claim isolates does differ."""
    for contrast in design.contrasts:
        isolates = design.subject.spec.claims[contrast.claim].isolates
        for factor in contrast.idle if contrast.factors else ():
            yield Finding(
                "M101",
                "notes",
                (contrast.claim,),
                design.subject.value("claims", contrast.claim, "isolates", isolates.index(factor)),
                f"claim {quoted(contrast.claim)} isolates {quoted(factor)}, in which {_both(contrast)} do not differ",
                "does not differ",
                advice=f"they differ in {', '.join(quoted(other.name) for other in contrast.factors)}",
            )


def _both(contrast: Contrast) -> str:
    return f"{quoted(contrast.first)} and {quoted(contrast.second)}"
