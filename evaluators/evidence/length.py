"""Row 10: is it the answers, or their length? In the pairs that were trained on, and in the answers that are scored."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

from evaluators.analysis.comparisons import Comparison
from evaluators.analysis.settings import ClaimSettings
from evaluators.analysis.words import points
from evaluators.evidence.subject import DECIDED, Looked, Subject, is_criterion, not_done
from evaluators.results import Finding, LengthEffect
from evaluators.statistics.outcome import FloatArray, IntArray, Refusal

_ABOUT_LENGTH = frozenset({"ends_with_end", "no_rambling", "appropriate_length"})
"""Criteria that judge where an answer stops: adjusting them for length would take away what they measure."""
_NOTHING = 1e-9
"""A difference of rates that is none but for rounding."""
_OVERLAP = 0.05
"""Share of items with answers of similar length, below which an adjustment reaches beyond the data."""
_GAP = 2.0
"""From this ratio of mean lengths on, the pairs teach length as well."""


def length_effects(subject: Subject) -> tuple[LengthEffect, ...]:
    """Every claim on a criterion, its difference adjusted for the length of the answers."""
    tokens = {arm: subject.tokens(arm) for arm in subject.outcomes.seeds}
    found = []
    for claim, endpoint, comparison in subject.tested():
        if is_criterion(endpoint) and all(tokens[arm].size for arm in claim.compare):
            first, second = (_log_tokens(tokens[arm]) for arm in claim.compare)
            both = np.logical_and(*(subject.outcomes.complete(arm, endpoint) for arm in claim.compare))
            effect = _adjusted(claim, comparison, (first - second)[both])
            found += [effect] if effect is not None else []
    return tuple(found)


def _log_tokens(tokens: FloatArray) -> FloatArray:
    """log2 of the tokens of every item's answers, averaged over seeds, (n,); NaN where a seed has no answer."""
    return np.asarray(np.log2(np.maximum(tokens, 1.0)).mean(axis=0))


def _adjusted(claim: ClaimSettings, comparison: Comparison, doublings: FloatArray) -> LengthEffect | None:
    """The difference at equal length: the intercept of item differences regressed on log2 length ratios.

    Its interval: cluster-robust over template families, plus what training seeds add to the main test, with its degrees of
    freedom. None where the lengths do not vary or no test is valid.
    """
    known = ~np.isnan(doublings)
    result = comparison.result
    if isinstance(result, Refusal) or known.sum() < 10 or np.ptp(doublings[known]) < 1e-9:
        return None
    families = None if comparison.families is None else comparison.families[known]
    intercept, slope, variance = regress(comparison.differences[known], doublings[known], families)
    seeds = comparison.seeds
    variance += seeds.weight * seeds.pooled.excess if seeds is not None else 0.0
    half = float(stats.t.ppf(0.975, min(result.degrees_of_freedom, known.sum() - 2))) * math.sqrt(variance)
    return LengthEffect(
        claim=claim.name,
        endpoint=comparison.endpoint,
        effect=float(comparison.differences.mean()),
        adjusted=intercept,
        low=intercept - half,
        high=intercept + half,
        doublings=float(doublings[known].mean()),
        overlap=float((np.abs(doublings[known]) < 1).mean()),
        slope=slope,
    )


def regress(y: FloatArray, x: FloatArray, families: IntArray | None) -> tuple[float, float, float]:
    """Intercept and slope of y (n,) on x (n,), and the intercept's variance, robust to clusters by family (CR1) or HC1.

    Source: Liang and Zeger (1986), Longitudinal data analysis using generalized linear models.
    """
    design = np.column_stack([np.ones_like(x), x])
    bread = np.linalg.inv(design.T @ design)
    beta = bread @ design.T @ y
    scores = design * (y - design @ beta)[:, None]
    codes = np.arange(len(y)) if families is None else np.unique(families, return_inverse=True)[1]
    groups = int(codes.max()) + 1
    sums = np.stack([np.bincount(codes, weights=column) for column in scores.T], axis=1)
    n = len(y)
    correction = groups / max(groups - 1, 1) * (n - 1) / (n - 2)
    robust = correction * bread @ (sums.T @ sums) @ bread
    return float(beta[0]), float(beta[1]), float(robust[0, 0])


def check_lengths(subject: Subject, effects: tuple[LengthEffect, ...]) -> Looked:
    """Whether a difference is what is to be expected of answers of another length."""
    if not effects:
        return not_done("no claim on a criterion has answers of varying length in both arms")
    findings = tuple(_explained(subject, effect) for effect in effects if is_explained(effect))
    widest = max(effects, key=lambda effect: abs(effect.doublings))
    ratio = 2 ** abs(widest.doublings)
    note = f"largest difference of length: {widest.claim}, answers {ratio:.1f} times as long in one arm as in the other"
    return Looked(note, findings)


def is_explained(effect: LengthEffect) -> bool:
    """Whether at equal length less than half of a difference is left, and that cannot be told from none."""
    if abs(effect.effect) < _NOTHING:
        return False
    shrunk = abs(effect.adjusted) < abs(effect.effect) / 2 or effect.adjusted * effect.effect < 0
    return effect.endpoint not in _ABOUT_LENGTH and shrunk and effect.low < _NOTHING and effect.high > -_NOTHING


def _explained(subject: Subject, effect: LengthEffect) -> Finding:
    decided = subject.verdicts[effect.claim] in DECIDED and subject.claim(effect.claim).expect in (
        "greater",
        "less",
        "different",
    )
    first, second = subject.claim(effect.claim).compare
    longer, shorter = (first, second) if effect.doublings > 0 else (second, first)
    lengths = f"{longer}'s answers are {2 ** abs(effect.doublings):.1f} times as long as {shorter}'s"
    adjusted, low, high, measured = (
        points(value, signed=True) for value in (effect.adjusted, effect.low, effect.high, effect.effect)
    )
    left = f"{adjusted} points (95% interval {low} to {high})"
    outcome = (
        f"at equal length the difference is {left} instead of {measured} points"
        if effect.overlap >= _OVERLAP
        else f"hardly any item has answers of about equal length: what is left of {measured} points at equal length cannot be "
        "told from these answers"
    )
    return Finding(
        code="M010",
        subject="length",
        weight="weakens",
        claims=(effect.claim,),
        message=f"on {effect.endpoint} {lengths}, and {outcome}",
        numbers={
            "effect": effect.effect, "adjusted": effect.adjusted, "low": effect.low, "high": effect.high,
            "doublings": effect.doublings, "slope": effect.slope, "overlap": effect.overlap,
        },
        remedy="compare with an arm whose answers are as long, such as SFT on the chosen answers",
        changes={effect.claim: "inconclusive"} if decided else {},
    )  # fmt: skip


def check_pair_lengths(subject: Subject) -> Looked:
    """Whether the pairs could be told apart by length alone."""
    gaps = {arm: found for arm in subject.outcomes.seeds if (found := _pair_words(subject, arm)) is not None}
    if not gaps:
        return not_done("no arm was trained on pairs")
    findings = tuple(
        _gap(subject, arm, chosen, rejected) for arm, (chosen, rejected) in gaps.items() if _ratio(chosen, rejected) >= _GAP
    )
    arm, (chosen, rejected) = max(gaps.items(), key=lambda gap: _ratio(*gap[1]))
    return Looked(f"widest: {arm}, {chosen:.1f} words chosen and {rejected:.1f} rejected on average", findings)


def _pair_words(subject: Subject, arm: str) -> tuple[float, float] | None:
    """Mean words of the chosen and of the rejected side, over all seeds; None for an arm without pairs."""
    pairs = [pair for training in subject.material.trainings(arm) for pair in training.pairs if pair.split == "train"]
    if not pairs:
        return None
    sides = ([pair.chosen for pair in pairs], [pair.rejected for pair in pairs])
    chosen, rejected = (np.mean([len(text.split()) for text in side]) for side in sides)
    return float(chosen), float(rejected)


def _ratio(chosen: float, rejected: float) -> float:
    return max(chosen, rejected) / max(min(chosen, rejected), 0.5)


def _gap(subject: Subject, arm: str, chosen: float, rejected: float) -> Finding:
    return Finding(
        code="M010",
        subject="length of pairs",
        weight="notes",
        claims=subject.touched([arm]),
        message=f"length tells the pairs of {arm} apart: {chosen:.1f} words chosen and {rejected:.1f} rejected on average",
        numbers={"chosen_words": chosen, "rejected_words": rejected},
        remedy="look at the gains on negatives of equal length, such as incorrect_factual",
    )
