"""Row 14: criteria that say the same."""

from __future__ import annotations

import numpy as np

from evaluators.analysis.outcomes import Outcomes
from evaluators.evidence.subject import Looked, Subject, not_done
from evaluators.results import Finding, Redundancy
from evaluators.statistics.outcome import FloatArray

_SAME = 0.7
"""From this correlation on, two endpoints of one claim are told to be one."""


def redundancy_of(subject: Subject) -> Redundancy | None:
    """The phi matrix of the criteria and their effective number; None when fewer than two vary.

    Correlated within arms and seeds (each one's rate taken away first), so that an arm better at everything does not make
    criteria look alike. Effective number: (sum of eigenvalues)^2 / (sum of squared eigenvalues), from 1 to their count; source:
    Galwey (2009), A new measure of the effective number of tests, in the form with all eigenvalues to the first power.
    """
    columns = {name: residuals(subject.outcomes, name) for name in subject.settings.criteria}
    varying = [name for name, values in columns.items() if np.nanmax(np.abs(values), initial=0.0) > 1e-9]
    if len(varying) < 2:
        return None
    phi = [[_phi(columns[one], columns[other]) for other in varying] for one in varying]
    values = np.clip(np.linalg.eigvalsh(np.array([[0.0 if x is None else x for x in row] for row in phi])), 0, None)
    effective = float(values.sum() ** 2 / (values**2).sum())
    return Redundancy(criteria=tuple(varying), phi=tuple(tuple(row) for row in phi), effective=effective)


def residuals(outcomes: Outcomes, endpoint: str) -> FloatArray:
    """All outcomes of an endpoint, minus the mean of their arm and seed, in one row; NaN where it does not apply."""
    tables = [outcomes.tables[endpoint][arm] for arm in outcomes.seeds]
    rows = [row - (np.nanmean(row) if not np.isnan(row).all() else 0.0) for table in tables for row in table]
    return np.concatenate(rows) if rows else np.array([])


def _phi(one: FloatArray, other: FloatArray) -> float | None:
    both = ~(np.isnan(one) | np.isnan(other))
    a, b = one[both], other[both]
    spread = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / spread if spread > 1e-9 else None


def check_redundancy(subject: Subject, redundancy: Redundancy | None) -> Looked:
    """Whether two endpoints of one claim are nearly one."""
    if redundancy is None:
        return not_done("fewer than two criteria vary")
    place = {name: i for i, name in enumerate(redundancy.criteria)}
    findings = []
    for claim in subject.settings.claims:
        varying = [e for e in claim.on if e in place]
        for i, one in enumerate(varying):
            for other in varying[i + 1 :]:
                phi = redundancy.phi[place[one]][place[other]]
                if phi is not None and abs(phi) >= _SAME:
                    findings.append(_same(claim.name, one, other, phi))
    note = f"{len(redundancy.criteria)} criteria vary and count as {redundancy.effective:.1f} independent ones"
    return Looked(note, tuple(findings))


def _same(claim: str, one: str, other: str, phi: float) -> Finding:
    return Finding(
        code="M014",
        subject="redundant endpoints",
        weight="notes",
        claims=(claim,),
        message=f"{one} and {other} are nearly one endpoint (phi {phi:.2f}): that both hold is little more than that one does",
        numbers={"phi": phi},
        remedy="claim one of them",
    )
