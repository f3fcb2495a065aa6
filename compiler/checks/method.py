"""Whether the arms can answer the claims. Codes are `M` and the number of the kind of mistake.

These look at resolved arms and their contrasts, so they run only once nothing else is wrong. To add one: write a function from
a `Design` to diagnostics, and list it in `METHOD_CHECKS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from compiler.checks.subject import Subject
from compiler.contrasts import Contrast
from compiler.diagnostics import Diagnostic, Severity, quoted


@dataclass(frozen=True, slots=True)
class Design:
    """An experiment whose parts fit together."""

    subject: Subject
    contrasts: tuple[Contrast, ...]

    @property
    def blocking(self) -> Severity:
        """How a finding that blocks a claim is told: evidence for others must not have it."""
        return "error" if self.subject.spec.level == "publication" else "warning"


MethodCheck = Callable[[Design], Iterable[Diagnostic]]


def check_empty_contrasts(design: Design) -> Iterator[Diagnostic]:
    """A claim compares two arms that differ at all."""
    for contrast in design.contrasts:
        if not contrast.factors:
            yield Diagnostic(
                "M001",
                design.blocking,
                f"claim {quoted(contrast.claim)} cannot be tested: {_both(contrast)} are the same",
                design.subject.key("claims", contrast.claim, "compare"),
                label="nothing differs",
                help="compare two arms that differ in what is claimed",
            )


def check_leftovers(design: Design) -> Iterator[Diagnostic]:
    """Nothing differs between the arms of a claim but what the claim isolates."""
    for contrast in design.contrasts:
        if contrast.leftover:
            yield _leftover(design, contrast)


def _leftover(design: Design, contrast: Contrast) -> Diagnostic:
    names = [factor.name for factor in contrast.leftover]
    listed = ", ".join(quoted(name) for name in names)
    isolates = design.subject.spec.claims[contrast.claim].isolates
    message = f"claim {quoted(contrast.claim)} is confounded: {_both(contrast)} also differ in {listed}"
    way_out = f"make {'it' if len(names) == 1 else 'them'} equal in both arms, or add an arm that differs in one factor only"
    if not isolates:
        message = f"claim {quoted(contrast.claim)} does not say what it isolates: {_both(contrast)} differ in {listed}"
        way_out = f"add `isolates: [{', '.join(names)}]` if that is what is claimed"
    return Diagnostic(
        "M002",
        design.blocking,
        message,
        design.subject.key("claims", contrast.claim, "compare"),
        label=f"{len(names)} {'factor' if len(names) == 1 else 'factors'} not claimed",
        help=way_out,
        notes=tuple(f"{quoted(factor.name)}: {contrast.told(factor)}" for factor in contrast.leftover),
    )


def check_idle_factors(design: Design) -> Iterator[Diagnostic]:
    """What a claim isolates does differ."""
    for contrast in design.contrasts:
        isolates = design.subject.spec.claims[contrast.claim].isolates
        for factor in contrast.idle if contrast.factors else ():
            yield Diagnostic(
                "M101",
                "warning",
                f"claim {quoted(contrast.claim)} isolates {quoted(factor)}, in which {_both(contrast)} do not differ",
                design.subject.value("claims", contrast.claim, "isolates", isolates.index(factor)),
                label="does not differ",
                help=f"they differ in {', '.join(quoted(other.name) for other in contrast.factors)}",
            )


def _both(contrast: Contrast) -> str:
    return f"{quoted(contrast.first)} and {quoted(contrast.second)}"


METHOD_CHECKS: tuple[MethodCheck, ...] = (check_empty_contrasts, check_leftovers, check_idle_factors)


def run_method_checks(design: Design) -> Iterator[Diagnostic]:
    """What every method check has to say."""
    for check in METHOD_CHECKS:
        yield from check(design)
