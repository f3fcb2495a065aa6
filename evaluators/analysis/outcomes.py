"""Item scores as tables: for every endpoint and arm, training seeds x items, between 0 (failed) and 1 (passed)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from compiler.records import Item, ItemScore
from evaluators.analysis.settings import AnalyzeSettings
from evaluators.statistics.clusters import family_codes
from evaluators.statistics.outcome import FloatArray, IntArray

PREFERENCE = "preference_accuracy"

Scores = Mapping[tuple[str, int | None], Sequence[ItemScore]]
Mask = NDArray[np.bool_]


@dataclass(slots=True)
class Outcomes:
    """All outcomes of an experiment on its held-out items."""

    items: tuple[str, ...]
    families: IntArray | None
    """The template family of every item, (n,); None where every item stands alone."""
    seeds: dict[str, tuple[int | None, ...]]
    """Arm -> the training seeds that were scored; an arm without any scores is absent."""
    tables: dict[str, dict[str, FloatArray]] = field(default_factory=dict)
    """Endpoint -> arm -> (S, n); NaN where the endpoint does not apply to an answer."""
    warnings: list[str] = field(default_factory=list)
    missing: dict[str, Mask] = field(default_factory=dict)
    """Arm -> (S, n): items without a score, which count as failed."""
    unjudged: dict[str, dict[str, Mask]] = field(default_factory=dict)
    """Endpoint -> arm -> (S, n): answers that the criterion broke on, which count as failed; absent where it broke on none."""

    def has(self, arm: str, endpoint: str) -> bool:
        """Whether the arm has any outcome on the endpoint."""
        table = self.tables.get(endpoint, {}).get(arm)
        return table is not None and not bool(np.isnan(table).all())

    def complete(self, arm: str, endpoint: str) -> Mask:
        """The items (n,) to which the endpoint applies for every seed of the arm."""
        return np.asarray(~np.isnan(self.tables[endpoint][arm]).any(axis=0))

    def clusters(self, chosen: Mask) -> IntArray | None:
        """The families of the chosen items, numbered from 0; None where no two of them share one."""
        if self.families is None:
            return None
        labels, codes = np.unique(self.families[chosen], return_inverse=True)
        return None if len(labels) == len(codes) else codes.astype(np.int64)


def read_outcomes(settings: AnalyzeSettings, scores: Scores, items: Sequence[Item]) -> Outcomes:
    """Tables of all endpoints: the criteria, `preference_accuracy/<type>` and `preference_accuracy`, an item's mean over types.

    An item without a score counts as failed wherever the endpoint applies to it in any other answer, with a warning. So does an
    answer on which a criterion of one's own broke, if it judged any: what it cannot read is seldom a good answer, and left out
    it would take the item from both arms. An arm and seed without any score are left out, with a warning.

    Raises:
        ValueError: an item occurs twice in `items`, or twice in the scores of one arm and seed.
    """
    ids = tuple(item.id for item in items)
    position = {item_id: i for i, item_id in enumerate(ids)}
    if len(position) < len(ids):
        raise ValueError("an item occurs twice among the held-out items")
    warnings: list[str] = []
    seeds = _scored_seeds(settings, scores, warnings)
    outcomes = Outcomes(ids, family_codes([item.family for item in items]), seeds, warnings=warnings)
    types = sorted({kind for run in scores.values() for score in run for kind in score.preference})
    endpoints = [*settings.criteria, *(f"{PREFERENCE}/{kind}" for kind in types)]
    outcomes.tables = {e: {a: np.full((len(s), len(ids)), np.nan) for a, s in seeds.items()} for e in endpoints}
    outcomes.missing = {
        arm: np.stack([_fill_row(outcomes, arm, row, scores[arm, seed], position) for row, seed in enumerate(arm_seeds)])
        for arm, arm_seeds in seeds.items()
    }
    for endpoint in endpoints:
        _count_missing_as_failed(outcomes.tables[endpoint], outcomes.missing)
        _count_unjudged_as_failed(outcomes, endpoint, scores, position)
    if types:
        outcomes.tables[PREFERENCE] = {arm: _mean_over_types(outcomes, arm, types) for arm in seeds}
    return outcomes


def _scored_seeds(settings: AnalyzeSettings, scores: Scores, warnings: list[str]) -> dict[str, tuple[int | None, ...]]:
    found: dict[str, tuple[int | None, ...]] = {}
    for arm, planned in settings.arms.items():
        present = tuple(seed for seed in planned if scores.get((arm, seed)))
        absent = [str(seed) for seed in planned if seed not in present]
        if not present:
            warnings.append(f"arm {arm} has no scores: nothing can be said about it")
            continue
        if absent:
            warnings.append(f"arm {arm} has no scores for training seed {', '.join(absent)}; the others are used")
        found[arm] = present
    return found


def _fill_row(outcomes: Outcomes, arm: str, row: int, run: Sequence[ItemScore], position: Mapping[str, int]) -> Mask:
    """Enter one run's scores; returns which items (n,) had none."""
    missing = np.ones(len(position), dtype=bool)
    where = f"arm {arm}" + (f" seed {outcomes.seeds[arm][row]}" if outcomes.seeds[arm][row] is not None else "")
    rows = {endpoint: tables[arm][row] for endpoint, tables in outcomes.tables.items()}
    unknown = 0
    for score in run:
        column = position.get(score.item_id)
        if column is None:
            unknown += 1
            continue
        if not missing[column]:
            raise ValueError(f"{where}: item {score.item_id} is scored twice")
        missing[column] = False
        for name, passed in score.criteria.items():
            if passed is not None and name in rows:
                rows[name][column] = passed
        for kind, preferred in score.preference.items():
            rows[f"{PREFERENCE}/{kind}"][column] = preferred
    if unknown:
        outcomes.warnings.append(f"{where}: {unknown} scored items are not among the held-out items and were ignored")
    if missing.any():
        outcomes.warnings.append(f"{where}: {int(missing.sum())} of {len(missing)} items have no score and count as failed")
    return missing


def _count_missing_as_failed(tables: dict[str, FloatArray], missing: Mapping[str, Mask]) -> None:
    if not tables:
        return
    applies = np.any([~np.isnan(table).all(axis=0) for table in tables.values()], axis=0)
    for arm, table in tables.items():
        if not np.isnan(table).all():
            table[missing[arm] & applies] = 0.0


def _count_unjudged_as_failed(outcomes: Outcomes, endpoint: str, scores: Scores, position: Mapping[str, int]) -> None:
    judged = any(outcomes.has(arm, endpoint) for arm in outcomes.seeds)
    for arm, seeds in outcomes.seeds.items() if judged else ():
        broke = np.zeros(outcomes.tables[endpoint][arm].shape, dtype=bool)
        for row, seed in enumerate(seeds):
            columns = (position.get(score.item_id) for score in scores[arm, seed] if endpoint in score.failures)
            broke[row, [column for column in columns if column is not None]] = True
        if broke.any():
            outcomes.tables[endpoint][arm][broke] = 0.0
            outcomes.unjudged.setdefault(endpoint, {})[arm] = broke
            told = f"criterion {endpoint} broke on {int(broke.sum())} of {broke.size} answers, which count as failed"
            outcomes.warnings.append(f"arm {arm}: {told}")


def _mean_over_types(outcomes: Outcomes, arm: str, types: Sequence[str]) -> FloatArray:
    stacked = np.stack([outcomes.tables[f"{PREFERENCE}/{kind}"][arm] for kind in types])
    known = ~np.isnan(stacked)
    counts = known.sum(axis=0)
    return np.where(counts > 0, np.where(known, stacked, 0.0).sum(axis=0) / np.maximum(counts, 1), np.nan)
