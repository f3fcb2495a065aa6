"""The analysis of an experiment: from item scores to one `Analysis`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from compiler.records import Item
from evaluators.analysis.claims import ClaimJudge
from evaluators.analysis.comparisons import Comparer
from evaluators.analysis.contrasts import secondary_contrasts
from evaluators.analysis.methods import methods_of
from evaluators.analysis.outcomes import PREFERENCE, Outcomes, Scores, read_outcomes
from evaluators.analysis.rates import rate_of
from evaluators.analysis.settings import AnalyzeSettings
from evaluators.analysis.summary import aggregates_of, order_of
from evaluators.analysis.words import counted
from evaluators.results import Analysis
from evaluators.statistics.outcome import Refusal

_FEW_FAMILIES = 10
_FEW_ITEMS = 10


def analyze(settings: AnalyzeSettings, scores: Scores, items: Sequence[Item]) -> Analysis:
    """Rates, contrasts and a verdict per claim from the scores of every arm and training seed on the held-out `items`.

    `scores` maps (arm, seed), seed None for an untrained arm, to that run's scores, one for each item. Endpoints are the
    criteria of the settings and, where scored, `preference_accuracy` with its negative types.

    Raises:
        ValueError: an item occurs twice among the items or in one run.
    """
    return analyze_outcomes(settings, read_outcomes(settings, scores, items), items)


def analyze_outcomes(settings: AnalyzeSettings, outcomes: Outcomes, items: Sequence[Item]) -> Analysis:
    """The same, from scores that have been read into tables."""
    endpoints = _endpoints(settings, outcomes)
    comparer = Comparer(settings, outcomes)
    judge = ClaimJudge(settings, comparer)
    return Analysis(
        alpha=settings.analysis.alpha,
        smallest_effect=settings.analysis.smallest_effect,
        power=settings.analysis.power,
        level=settings.level,
        seeds=tuple(sorted({seed for seeds in outcomes.seeds.values() for seed in seeds if seed is not None})),
        arms=tuple(settings.arms),
        primary=settings.primary,
        endpoints=endpoints,
        n_items=len(items),
        n_families=None if outcomes.families is None else int(outcomes.families.max()) + 1,
        rates=tuple(rate_of(outcomes, arm, endpoint) for endpoint in endpoints for arm in outcomes.seeds),
        claims=judge.verdicts(),
        contrasts=secondary_contrasts(settings, comparer, endpoints, judge.claimed()),
        seed_sd=_seed_spread(comparer, endpoints),
        methods=methods_of(settings, outcomes),
        warnings=(*outcomes.warnings, *_cautions(settings, outcomes)),
        order=order_of(outcomes, settings.criteria),
        aggregates=aggregates_of(outcomes, items, settings.criteria),
    )


def _endpoints(settings: AnalyzeSettings, outcomes: Outcomes) -> tuple[str, ...]:
    """The criteria in the order of the spec, then preference accuracy as a whole, then by negative type."""
    preference = [e for e in outcomes.tables if e.startswith(PREFERENCE)]
    return (*settings.criteria, *sorted(preference))


def _seed_spread(comparer: Comparer, endpoints: Sequence[str]) -> dict[str, float]:
    spread = {endpoint: comparer.pooled_seed_variance(endpoint) for endpoint in endpoints}
    return {endpoint: found.excess**0.5 for endpoint, found in spread.items() if not isinstance(found, Refusal)}


def _cautions(settings: AnalyzeSettings, outcomes: Outcomes) -> list[str]:
    cautions = []
    if len(outcomes.items) < _FEW_ITEMS:
        cautions.append(f"{len(outcomes.items)} held-out items are too few to test a way of training")
    if outcomes.families is not None and int(outcomes.families.max()) + 1 < _FEW_FAMILIES:
        cautions.append(
            f"the held-out items come from only {int(outcomes.families.max()) + 1} template families: intervals are wide"
        )
    counts = {arm: len(seeds) for arm, seeds in outcomes.seeds.items() if settings.trained(arm)}
    if len(set(counts.values())) > 1:
        listed = ", ".join(f"{arm} {count}" for arm, count in counts.items())
        cautions.append(f"the arms have unequal numbers of training seeds ({listed})")
    partly = {endpoint: _partly_null(outcomes, endpoint) for endpoint in outcomes.tables}
    cautions += [
        f"{endpoint} is null for some answers only to {counted(count, 'item')}: contrasts leave such items out"
        for endpoint, count in partly.items()
        if count
    ]
    return cautions


def _partly_null(outcomes: Outcomes, endpoint: str) -> int:
    """The items to which the endpoint applies for some arms and seeds and not for others."""
    scored = [table for arm, table in outcomes.tables[endpoint].items() if outcomes.has(arm, endpoint)]
    if not scored:
        return 0
    null = np.isnan(np.concatenate(scored))
    return int((null.any(axis=0) & ~null.all(axis=0)).sum())
