"""What stands against a claim when its verdict is reached: what the plan said about it, and nothing else.

A run and its plan must agree. So the analysis is told, per claim, the factors that differ and are not claimed, and every
finding of the method checks that blocks or weakens the claim at the spec's own level: what blocks makes the verdict
"confounded", what weakens calls for caution beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from compiler.checks.method import Finding
from compiler.contrasts import Contrast

_ELSEWHERE = frozenset({"M002", "M013"})
"""Leftover factors are told by their names, and power by simulating the test that was run."""
_SEVERITY = {"blocks": "blocks", "weakens": "downgrades"}

Confounds = Mapping[str, Sequence[Mapping[str, Any]]]
"""Claim -> what stands against it, as the settings of `analyze` say it."""


def confounds_of(table: Sequence[Contrast], findings: Sequence[Finding]) -> Confounds:
    """What stands against each claim whose two arms are known: factors first, then findings in the order of their codes."""
    told = sorted((f for f in findings if f.code not in _ELSEWHERE and f.weight in _SEVERITY), key=lambda f: f.code)
    return {contrast.claim: [*_factors(contrast), *_found(contrast.claim, told)] for contrast in table}


def _factors(contrast: Contrast) -> Iterator[Mapping[str, Any]]:
    for factor in contrast.leftover:
        yield {"factor": factor.name, "severity": "blocks", "detail": contrast.told(factor)}


def _found(claim: str, findings: Sequence[Finding]) -> Iterator[Mapping[str, Any]]:
    for finding in findings:
        if claim in finding.claims:
            yield {"factor": finding.code, "severity": _SEVERITY[finding.weight], "detail": finding.reason}
