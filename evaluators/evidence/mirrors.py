"""Row 8: gains on what was trained to the test, and gains on the rest."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

from compiler.checks.method.design import MIRRORED
from evaluators.analysis.outcomes import PREFERENCE
from evaluators.analysis.settings import ClaimSettings
from evaluators.analysis.words import joined, points
from evaluators.evidence.subject import Looked, Subject, is_criterion, not_done
from evaluators.results import Finding, MirrorGain
from evaluators.statistics.clusters import variance_of_mean
from evaluators.statistics.outcome import FloatArray


def mirror_gains(subject: Subject) -> tuple[MirrorGain, ...]:
    """Every claim one of whose arms is shown, as bad, what a criterion fails, and the other is not."""
    return tuple(found for claim in subject.settings.claims if (found := _gain(subject, claim)) is not None)


def _shown(subject: Subject, arm: str) -> frozenset[str]:
    """The criteria that mirror a negative type of the arm's own training, or of an arm that its seeds build on."""
    lineage = {arm, *subject.settings.lineage.get(arm, ())}
    pairs = (t.pairs for name in lineage for t in subject.material.trainings(name)[:1] if t.labels == "true")
    return frozenset(MIRRORED[pair.negative_type] for some in pairs for pair in some if pair.negative_type in MIRRORED)


def _gain(subject: Subject, claim: ClaimSettings) -> MirrorGain | None:
    first, second = claim.compare
    if not {first, second} <= subject.outcomes.seeds.keys():
        return None
    rehearsed = _shown(subject, first) ^ _shown(subject, second)
    scored = [c for c in subject.settings.criteria if subject.outcomes.has(first, c) and subject.outcomes.has(second, c)]
    mirrored = tuple(c for c in scored if c in rehearsed)
    unmirrored = tuple(c for c in scored if c not in rehearsed)
    if not mirrored:
        return None
    one, other = (_mean_difference(subject, claim, criteria) for criteria in (mirrored, unmirrored))
    gap, low, high = _interval(subject, one - other)
    return MirrorGain(
        claim=claim.name,
        mirrored=mirrored,
        unmirrored=unmirrored,
        gain_mirrored=_mean(one),
        gain_unmirrored=_mean(other),
        gap=gap,
        low=low,
        high=high,
    )


def _mean_difference(subject: Subject, claim: ClaimSettings, criteria: tuple[str, ...]) -> FloatArray:
    """Item differences averaged over criteria and seeds, (n,); NaN where none of the criteria applies."""
    tables = [[subject.outcomes.tables[c][arm].mean(axis=0) for c in criteria] for arm in claim.compare]
    if not criteria:
        return np.full(len(subject.outcomes.items), np.nan)
    difference = np.array(tables[0]) - np.array(tables[1])
    known = ~np.isnan(difference)
    counts = known.sum(axis=0)
    return np.where(counts > 0, np.where(known, difference, 0.0).sum(axis=0) / np.maximum(counts, 1), np.nan)


def _mean(values: FloatArray) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else None


def _interval(subject: Subject, gaps: FloatArray) -> tuple[float | None, float | None, float | None]:
    known = ~np.isnan(gaps)
    families = subject.outcomes.clusters(known)
    if known.sum() < 10 or (families is not None and families.max() < 1):
        return _mean(gaps), None, None
    variance, df = variance_of_mean(gaps[known], families)
    half = float(stats.t.ppf(0.975, df)) * math.sqrt(variance)
    centre = float(gaps[known].mean())
    return centre, centre - half, centre + half


def check_mirrors(subject: Subject, gains: tuple[MirrorGain, ...]) -> Looked:
    """Whether a claim's gain is larger where it was rehearsed."""
    if not gains:
        return not_done("no claim sets an arm that was shown a negative type against one that was not")
    claims = [(subject.claim(gain.claim), gain) for gain in gains]
    findings = tuple(
        _rehearsed(claim, gain)
        for claim, gain in claims
        if gain.low is not None and gain.low > 0 and set(claim.on) & set(gain.mirrored)
    )
    about_pairs = tuple(_about_pairs(claim, gain) for claim, gain in claims if not all(map(is_criterion, claim.on)))
    told = "; ".join(f"{gain.claim} {_told(gain)}" for gain in gains)
    return Looked(f"mean gain on mirrored and on other criteria: {told}", (*findings, *about_pairs))


def _told(gain: MirrorGain) -> str:
    one, other = (
        points(value, signed=True) if value is not None else "none" for value in (gain.gain_mirrored, gain.gain_unmirrored)
    )
    return f"{one} and {other} points"


def _about_pairs(claim: ClaimSettings, gain: MirrorGain) -> Finding:
    return Finding(
        code="M008",
        subject="mirrored pairs",
        weight="notes",
        claims=(claim.name,),
        message=f"{PREFERENCE} asks about negative types that only one of {joined(claim.compare)} was shown as bad, so a "
        f"gain there shows that these were learned; in the answers {claim.compare[0]} differs by {_told(gain)} from "
        f"{claim.compare[1]} on criteria that mirror these types and on the others",
        numbers=_numbers(gain),
        remedy="claim a criterion that mirrors no negative type, too",
    )


def _rehearsed(claim: ClaimSettings, gain: MirrorGain) -> Finding:
    about = joined([endpoint for endpoint in claim.on if endpoint in gain.mirrored])
    return Finding(
        code="M008",
        subject="mirrored criteria",
        weight="weakens",
        claims=(claim.name,),
        message=f"{about} mirrors a negative type that one of the two arms was shown, and the difference is larger there than "
        f"on other criteria: {_told(gain)}",
        numbers=_numbers(gain),
        remedy="add an arm trained without that negative type",
    )


def _numbers(gain: MirrorGain) -> dict[str, float | None]:
    return {
        "mirrored": gain.gain_mirrored,
        "unmirrored": gain.gain_unmirrored,
        "gap": gain.gap,
        "low": gain.low,
        "high": gain.high,
    }
