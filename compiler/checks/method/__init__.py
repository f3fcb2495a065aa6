"""Whether the arms can answer the claims. Codes are `M` and the number of the kind of mistake.

These look at resolved arms and their contrasts, so they run only once nothing else is wrong. To add one: write a function from
a `Design` to findings, and list it in `METHOD_CHECKS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from compiler.checks.method import contrast, controls, evidence, files, pairs, sizes
from compiler.checks.method.design import Design
from compiler.checks.method.finding import Finding, Remedy

MethodCheck = Callable[[Design], Iterable[Finding]]

METHOD_CHECKS: tuple[MethodCheck, ...] = (
    contrast.check_missing_arms,
    contrast.check_empty_contrasts,
    contrast.check_leftovers,
    contrast.check_idle_factors,
    controls.check_compute,
    controls.check_exposure,
    controls.check_contrast,
    pairs.check_policies,
    pairs.check_references,
    pairs.check_mirrors,
    pairs.check_graders,
    evidence.check_lengths,
    evidence.check_seeds,
    evidence.check_room,
    sizes.check_power,
    evidence.check_redundancy,
    evidence.check_sampling,
    files.check_file,
    controls.check_baseline,
    evidence.check_drift,
    evidence.check_selection,
    pairs.check_pathologies,
    evidence.check_expectations,
    evidence.check_multiplicity,
)

__all__ = ["METHOD_CHECKS", "Design", "Finding", "MethodCheck", "Remedy", "run_method_checks"]


def run_method_checks(design: Design) -> tuple[Finding, ...]:
    """What every method check has to say."""
    return tuple(finding for check in METHOD_CHECKS for finding in check(design))
