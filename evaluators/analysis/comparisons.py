"""One arm against another on one endpoint: which test holds, what it says, and what other defensible tests say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evaluators.analysis.outcomes import Mask, Outcomes
from evaluators.analysis.settings import AnalyzeSettings
from evaluators.results import ClaimKind, Expectation
from evaluators.statistics.crossed import NO_SEED_VARIANCE, SeedVariance, crossed_test, seed_variance, seed_weight
from evaluators.statistics.effects import cliffs_delta
from evaluators.statistics.ordinal import signed_rank
from evaluators.statistics.outcome import FloatArray, IntArray, Refusal, TestResult
from evaluators.statistics.paired import mcnemar_exact, sign_flip
from evaluators.statistics.power import SeedPart, crossed_detectable, mcnemar_detectable

OWN_ARMS = "seed variance of these two arms alone"
ITEMS_ONLY = "sign-flip test on items"
BY_RANKS = "Wilcoxon signed-rank test on items"
BY_FAMILY = "sign-flip test on whole families"
_UNTRAINED = SeedPart(NO_SEED_VARIANCE, NO_SEED_VARIANCE, 0.0)

Tested = TestResult | Refusal
Alternatives = tuple[tuple[str, Tested], ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A contrast with its test, before any correction or verdict."""

    first: str
    second: str
    endpoint: str
    result: Tested
    alternatives: Alternatives
    """Sensitivity analyses, by name."""
    differences: FloatArray
    """Item differences averaged over seeds, (n,)."""
    families: IntArray | None
    seeds: SeedPart | None
    """None where training seeds play no part: a checkpoint claim."""
    rates: tuple[float, float] | None
    """Of both arms, on the items compared; None without items."""
    n_seeds: int
    dominance: float | None = None
    """Cliff's delta of item means, where outcomes have more than two values."""

    @property
    def discordant(self) -> tuple[int, int]:
        """On how many items the first, the second arm did better."""
        return int((self.differences > 1e-12).sum()), int((self.differences < -1e-12).sum())

    def detectable(self, alpha: float, power: float) -> float | None:
        """The smallest true effect that the test, two-sided at `alpha`, finds with `power`; None where there is none."""
        if isinstance(self.result, Refusal):
            return None
        if self.seeds is None and self.families is None and set(np.unique(np.abs(self.differences))) <= {0.0, 1.0}:
            return mcnemar_detectable(len(self.differences), float(np.abs(self.differences).mean()), alpha, power)
        return crossed_detectable(self.differences, self.seeds, self.families, alpha=alpha, power=power)

    def showable_margin(self, expect: Expectation, alpha: float, power: float) -> float | None:
        """The smallest margin within which the arms, if truly equal, are shown to be `equivalent` or `not_worse` with `power`.

        Being better than minus a margin mirrors being better by it: one-sided at alpha is two-sided at 2 alpha, and both sides
        hold together with `power` when each holds with (1 + power) / 2.
        """
        return self.detectable(2 * alpha, power if expect == "not_worse" else (1 + power) / 2)


class Comparer:
    """Compares arms; pools the variance between training seeds over all that can share it."""

    def __init__(self, settings: AnalyzeSettings, outcomes: Outcomes) -> None:
        self.settings = settings
        self.outcomes = outcomes
        self._pools: dict[tuple[str, tuple[str, ...], bool], SeedVariance | Refusal] = {}

    def compare(self, first: str, second: str, endpoint: str, kind: ClaimKind, level: float = 0.95) -> Comparison:
        """Arm `first` against `second`, on the items to which the endpoint applies for every seed of both.

        A recipe is judged by the crossed test, a checkpoint by the exact McNemar test (one seed each) or the sign-flip test;
        `level` is the coverage of their intervals.
        """
        both = self.outcomes.complete(first, endpoint) & self.outcomes.complete(second, endpoint)
        a, b = (self.outcomes.tables[endpoint][arm][:, both] for arm in (first, second))
        families = self.outcomes.clusters(both)
        is_ordinal = not _is_binary(a, b)
        part = self._seed_part(first, second, endpoint, both) if kind == "recipe" else None
        result, alternatives = (
            _checkpoint(a, b, families, level, is_ordinal)
            if part is None
            else _recipe(a, b, self._trained(first, second), part, families, level, is_ordinal)
        )
        return Comparison(
            first=first,
            second=second,
            endpoint=endpoint,
            result=result,
            alternatives=alternatives,
            differences=a.mean(axis=0) - b.mean(axis=0),
            families=families,
            seeds=None if isinstance(part, Refusal) else part,
            rates=(float(a.mean()), float(b.mean())) if both.any() else None,
            n_seeds=self.seeds_of(first, second),
            dominance=cliffs_delta(list(a.mean(axis=0)), list(b.mean(axis=0))) if is_ordinal and both.any() else None,
        )

    def seeds_of(self, first: str, second: str) -> int:
        """Training seeds of the arm that has fewer; 0 when neither was trained."""
        counts = [len(self.outcomes.seeds[arm]) for arm in (first, second) if self.settings.trained(arm)]
        return min(counts, default=0)

    def pooled_seed_variance(self, endpoint: str) -> SeedVariance | Refusal:
        """The seed variance over all trained arms."""
        arms = tuple(arm for arm in self.outcomes.seeds if self.settings.trained(arm) and self.outcomes.has(arm, endpoint))
        return self._pool(endpoint, arms, paired=False)

    def _trained(self, first: str, second: str) -> tuple[bool, bool]:
        return self.settings.trained(first), self.settings.trained(second)

    def _seed_part(self, first: str, second: str, endpoint: str, both: Mask) -> SeedPart | Refusal:
        """The seed variances a recipe contrast needs; paired over seeds where the two lineages are nested."""
        trained = [arm for arm in (first, second) if self.settings.trained(arm)]
        if not trained or not both.any():
            return _UNTRAINED
        own = seed_variance([self.outcomes.tables[endpoint][arm][:, both] for arm in trained])
        nested = self._nested(first, second, endpoint)
        pooled = self._pool(endpoint, nested, paired=True) if nested else self.pooled_seed_variance(endpoint)
        if isinstance(pooled, Refusal):
            return pooled
        if isinstance(own, Refusal):
            return own
        counts = (len(self.outcomes.seeds[first]), len(self.outcomes.seeds[second]))
        return SeedPart(pooled, own, seed_weight(counts, self._trained(first, second)))

    def _nested(self, first: str, second: str, endpoint: str) -> tuple[str, ...]:
        """The trained arms whose seed k is related to seed k of both arms, with the same seeds; empty for unrelated arms."""
        related = self.settings.related(first)
        if second not in related or first == second or not all(self._trained(first, second)):
            return ()
        seeds = self.outcomes.seeds
        if seeds[first] != seeds[second]:
            return ()
        return tuple(arm for arm in seeds if arm in related and seeds[arm] == seeds[first] and self.outcomes.has(arm, endpoint))

    def _pool(self, endpoint: str, arms: tuple[str, ...], *, paired: bool) -> SeedVariance | Refusal:
        key = (endpoint, arms, paired)
        if key not in self._pools:
            tables = (self.outcomes.tables[endpoint][arm][:, self.outcomes.complete(arm, endpoint)] for arm in arms)
            self._pools[key] = seed_variance(list(tables), paired=paired)
        return self._pools[key]


def _checkpoint(
    a: FloatArray, b: FloatArray, families: IntArray | None, level: float, is_ordinal: bool
) -> tuple[Tested, Alternatives]:
    differences = a.mean(axis=0) - b.mean(axis=0)
    if is_ordinal:
        return signed_rank(differences, families, level), ((_guard_name(families), sign_flip(differences, families, level)),)
    if len(a) > 1 or len(b) > 1:
        return sign_flip(differences, families, level), ()
    by_family = () if families is None else ((BY_FAMILY, sign_flip(differences, families, level)),)
    return mcnemar_exact(a[0], b[0], level), by_family


def _recipe(
    a: FloatArray,
    b: FloatArray,
    trained: tuple[bool, bool],
    part: SeedPart | Refusal,
    families: IntArray | None,
    level: float,
    is_ordinal: bool,
) -> tuple[Tested, Alternatives]:
    if isinstance(part, Refusal):
        return part, ()
    result = crossed_test(a, b, part.pooled, trained=trained, families=families, level=level)
    if isinstance(result, Refusal):
        return result, ()
    # Discordant items may be too few for a t-test; the exact test of the same items knows.
    differences = a.mean(axis=0) - b.mean(axis=0)
    guard = (_guard_name(families), sign_flip(differences, families, level))
    if is_ordinal:
        guard = (BY_RANKS, signed_rank(differences, families, level))
    if not any(trained):
        return result, (guard,)
    own = crossed_test(a, b, part.own, trained=trained, families=families, level=level)
    return result, ((OWN_ARMS, own), guard)


def _guard_name(families: IntArray | None) -> str:
    return ITEMS_ONLY if families is None else BY_FAMILY


def _is_binary(*tables: FloatArray) -> bool:
    """Whether all outcomes are 0 or 1; others are ordinal scores, or means of several judgements."""
    return all(bool(np.isin(table, (0.0, 1.0)).all()) for table in tables)
