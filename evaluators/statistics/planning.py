"""The power of a planned claim: the very tests and the rule of the verdict, run on simulated experiments.

A claim is supported when on each of its endpoints the corrected p-value of the test and of every sensitivity analysis that
answers the claim is below alpha. Corrections count all planned tests; those of other claims are taken to find nothing, which is
the worst case for Holm's procedure. Variance between seeds that is pooled over further arms is drawn from its distribution, a
scaled chi-squared, instead of simulating these arms answer by answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from compiler.checks.method.power import Believed, Chance, Question
from evaluators.statistics import many
from evaluators.statistics.crossed import FEWEST_ITEMS, seed_weight
from evaluators.statistics.many import Contrasts, Flags, SeedSquares
from evaluators.statistics.outcome import FloatArray
from evaluators.statistics.simulation import HIGHEST_RATE, Counts, Experiments, Population, with_discordance

BUDGET = 2_500_000
"""Answers simulated per endpoint, within the numbers of experiments below."""
FEWEST, MOST = 2_000, 10_000
_ROUGHLY = 3.0
"""The normal limit of the sign-flip test is trusted where it is this many times below or above what counts."""


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """One test of one endpoint in R experiments."""

    family: FloatArray
    """The p-value that stands for it among the corrected tests."""
    expected: FloatArray
    """The p-value of what the claim expects: 1 where the effect points the other way."""


class Simulation:
    """A planned claim in many simulated experiments, drawn once."""

    def __init__(self, question: Question, experiments: int | None = None, seed: int = 0) -> None:
        self.question = question
        cells = question.items * sum(max(runs, 1) for runs in seeds_of(question))
        self.experiments = experiments or int(np.clip(BUDGET // cells, FEWEST, MOST))
        self.endpoints = [
            _Endpoint(question, believed, self.experiments, np.random.default_rng([seed, place]))
            for place, believed in enumerate(question.endpoints)
        ]

    def chance(self, effect: float | None = None, *, sensitivity: bool = True) -> Chance:
        """How often the claim is supported at a true effect (for a claim of sameness: at that margin, the arms being equal).

        `sensitivity` False counts what the main test alone would find.
        """
        effect = self.question.effect if effect is None else effect
        power = float(self.supported(effect, sensitivity=sensitivity).mean())
        error = np.sqrt(max(power * (1 - power), 1 / self.experiments) / self.experiments)
        return Chance(power, float(error), self.experiments)

    def supported(self, effect: float, *, sensitivity: bool = True) -> Flags:
        """In which experiments the claim is supported, (R,)."""
        found = [endpoint.evidence(effect) for endpoint in self.endpoints]
        main = np.stack([tests[0].family for tests in found], axis=1)
        verdict = np.ones(self.experiments, dtype=bool)
        for place, tests in enumerate(found):
            for test in tests if sensitivity else tests[:1]:
                verdict &= self._significant(main, place, test.expected)
        return verdict

    def _significant(self, main: FloatArray, place: int, p: FloatArray) -> Flags:
        """Whether `p`, at its place among the claim's own tests, is significant after correction."""
        question = self.question
        if question.correction != "holm":
            return p * (question.tests if question.correction == "bonferroni" else 1) < question.alpha
        table = main.copy()
        table[:, place] = p
        ranked = np.sort(table, axis=1) * (question.tests - np.arange(table.shape[1]))
        rank = (table < p[:, None]).sum(axis=1)
        stepped = np.maximum.accumulate(ranked, axis=1)
        return np.asarray(stepped[np.arange(len(p)), rank] < question.alpha)


def seeds_of(question: Question) -> tuple[int, int]:
    """Training seeds of both arms; 0 for an untrained one."""
    first, second = question.trained
    return (question.seeds if first else 0), (question.seeds if second else 0)


def why_no_test(question: Question) -> str:
    """Why no valid test of the claim exists at this size, in words; empty where there is one."""
    if question.recipe and any(question.trained) and question.seeds < 2:
        return "one seed: no valid test of a recipe"
    if not question.endpoints:
        return "no endpoint"
    fewest = min(round(question.items * endpoint.applies) for endpoint in question.endpoints)
    if fewest < (FEWEST_ITEMS if question.recipe else 2):
        return f"{fewest} {'item is' if fewest == 1 else 'items are'} too few for a test"
    return ""


def room_above(question: Question) -> float | None:
    """The largest effect, a fraction, that fits above the assumed rate; None where what is asked about fits or may be below."""
    if question.expect in ("equivalent", "not_worse", "different"):  # no effect is asked for, or one downwards will do
        return None
    highest = max((endpoint.assumptions.base_rate for endpoint in question.endpoints), default=0.0)
    return None if highest + question.effect <= HIGHEST_RATE else 1 - highest


def bank_family_size(items: int) -> float:
    """Items per template family in a draw from the built-in bank: 2682 items of 481 families, drawn without replacement."""
    kept = 1 - (1 - min(items / 2682, 1.0)) ** (2682 / 481)
    return float(max(items / (481 * kept), 1.0))


@cache
def population_of(believed: Believed, items: int, effect: float) -> Population:
    """What is simulated for an endpoint that applies to `items`; a given discordance is what it is at `effect`."""
    assumed = believed.assumptions
    population = Population(
        rate=assumed.base_rate,
        seed_sd=assumed.seed_sd,
        item_sd=assumed.item_sd,
        item_arm_sd=assumed.item_arm_sd,
        family_size=assumed.items_per_family or bank_family_size(items),
        family_share=assumed.family_share,
        judgements=believed.judgements,
    )
    return population if assumed.discordance is None else with_discordance(population, effect, assumed.discordance)


class _Endpoint:
    """One endpoint of a claim: its test and its sensitivity analyses, as `analysis.comparisons` chooses them."""

    def __init__(self, question: Question, believed: Believed, experiments: int, rng: np.random.Generator) -> None:
        self.question = question
        self.assumptions = believed.assumptions
        self.same = question.expect in ("equivalent", "not_worse")
        items = round(question.items * believed.applies)
        population = population_of(believed, items, 0.0 if self.same else question.effect)
        if not question.recipe:  # the claim is about these checkpoints: what their seeds did is part of what they are
            population = replace(population, seed_sd=0.0)
        if question.expect == "different" and population.rate > 0.5:  # differences upwards and downwards mirror each other
            population = replace(population, rate=1 - population.rate)
        self.population = population
        self.seeds = seeds_of(question)
        self.drawn = Experiments(population, items, self.seeds, experiments, rng)
        self.behind = self.drawn.answers(1, population.rate)
        further = max(question.pool - sum(question.trained), 0) * max(question.seeds - 1, 0) if question.recipe else 0
        self.further_df = further
        self.further = rng.chisquare(further, experiments) if further else np.zeros(experiments)

    @property
    def levels(self) -> tuple[float, float]:
        """The strictest and the laxest level that a p-value may have to meet after correction."""
        question = self.question
        strictest = question.alpha / (1 if question.correction == "none" else question.tests)
        steps = len(question.endpoints) - 1 if question.correction == "holm" else 0
        return strictest, max(question.alpha / max(question.tests - steps, 1), strictest)

    def answers(self, effect: float) -> tuple[Counts, Counts]:
        """Of both arms, when the true effect is `effect` (none in a claim of sameness)."""
        rate = self.population.rate if self.same else min(self.population.rate + effect, HIGHEST_RATE)
        return self.drawn.answers(0, rate), self.behind

    def contrast(self, effect: float) -> Contrasts:
        """The experiments at a true effect."""
        return many.contrast(*self.answers(effect), self.population.judgements, self.drawn.families)

    def parts(self, effect: float) -> tuple[float, float, float]:
        """Variances of one item's difference, of chance in one answer, and between seeds, at a true effect.

        The variance of the difference over n items of S runs each is (items + chance (1/S_1 + 1/S_2)) / n, and the seeds'.
        """
        data = self.contrast(effect)
        chance = self._chance(data)
        runs = sum(1 / max(count, 1) for count in self.seeds)
        planned = float(data.item_variance.mean()) * self.question.items
        return max(planned - chance * runs, 0.0), chance, self.population.seed_sd**2

    def _chance(self, data: Contrasts) -> float:
        """The variance of one answer around its own probability of passing, as seen between seeds; 0 if that is not seen."""
        seen = [float(data.within[arm].mean()) for arm, count in enumerate(self.seeds) if count > 1]
        return float(np.mean(seen)) if seen else 0.0

    def evidence(self, effect: float) -> list[Evidence]:
        """The test, then every sensitivity analysis that answers the claim, at a true effect or a margin of sameness."""
        data = self.contrast(effect)
        if self.question.recipe:
            return self._recipe(data, effect)
        if self.population.judgements > 1:
            return [self._signed_rank(data, effect), self._sign_flip(data, effect)]
        if max(self.seeds) > 1:
            return [self._sign_flip(data, effect)]
        exact = self._evidence(data, many.mcnemar_p(data), lambda bound: many.tango_scores(data, bound), np.inf, effect)
        return [exact, self._sign_flip(data, effect)] if data.clustered else [exact]

    def _recipe(self, data: Contrasts, effect: float) -> list[Evidence]:
        if not any(self.question.trained):
            main = self._student(data, *many.student(data), effect)
            tests = [main]
        else:
            weight = seed_weight((max(self.seeds[0], 1), max(self.seeds[1], 1)), self.question.trained)
            tests = [
                self._student(data, *many.crossed(data, squares, weight), effect)
                for squares in (self._pooled(data), self._own(data))
            ]
        if self.same:  # items alone cannot bound the difference of two ways of training
            return tests
        if self.population.judgements > 1:
            return [*tests, self._signed_rank(data, effect)]
        counts = np.maximum.reduce([test.expected for test in tests]) < self.levels[1]
        return [*tests, self._sign_flip(data, effect, counts)]

    def _own(self, data: Contrasts) -> SeedSquares:
        """The mean squares of the two arms alone, as `seed_variance` of both."""
        arms = [arm for arm, count in enumerate(self.seeds) if count > 1]
        mean_square = np.mean([data.rates[arm].var(axis=1, ddof=1) for arm in arms], axis=0)
        chance = np.mean([data.within[arm] for arm in arms], axis=0) / data.items
        df = len(arms) * (self.question.seeds - 1)
        return SeedSquares(mean_square, chance, df, df * data.items)

    def _pooled(self, data: Contrasts) -> SeedSquares:
        """The mean squares pooled over all arms that share them; of nested arms, of what their seeds do not have in common."""
        own = self._own(data)
        mean_square, df = own.mean_square, own.degrees_of_freedom
        if self.question.nested:
            mean_square = (data.rates[0] - data.rates[1]).var(axis=1, ddof=1) / 2
            df = self.question.seeds - 1
        expected = float(mean_square.mean())
        pooled = (mean_square * df + expected * self.further) / (df + self.further_df)
        chance_df = own.chance_degrees_of_freedom + self.further_df * data.items
        return SeedSquares(pooled, own.chance, df + self.further_df, chance_df)

    def _student(self, data: Contrasts, error: FloatArray, df: FloatArray, effect: float) -> Evidence:
        p = 2 * many.t_above(np.abs(data.effect) / error, df)
        return self._evidence(data, p, lambda bound: (data.effect - bound) / error, df, effect)

    def _sign_flip(self, data: Contrasts, effect: float, counts: Flags | None = None) -> Evidence:
        """Whole families are flipped; exact where the normal limit leaves doubt about what counts."""
        error, df = many.student(data)
        units = data.units.astype(np.int64)
        total, spread = units.sum(axis=1), np.sqrt((units**2).sum(axis=1))
        p = 2 * many.t_above(np.abs(total) / np.maximum(spread, 1e-12), np.full(len(total), np.inf))
        doubtful = (p > self.levels[0] / _ROUGHLY) & (p < self.levels[1] * _ROUGHLY)
        if not self.same:
            wanted = doubtful if counts is None else doubtful & counts
            p = np.where(wanted, many.sign_flip_p(data.units, wanted), p)
        return self._evidence(data, p, lambda bound: (data.effect - bound) / error, df, effect)

    def _signed_rank(self, data: Contrasts, effect: float) -> Evidence:
        error, df = many.student(data)
        p = many.signed_rank_p(data, self.drawn.families)
        return self._evidence(data, p, lambda bound: (data.effect - bound) / error, df, effect)

    def _evidence(
        self,
        data: Contrasts,
        p: FloatArray,
        score: Callable[[float], FloatArray],
        df: FloatArray | float,
        margin: float,
    ) -> Evidence:
        """As `verdicts.evidence_of`: a two-sided p-value for a difference, one-sided ones for a margin."""
        freedom = np.broadcast_to(np.asarray(df, dtype=np.float64), p.shape)
        if self.same:
            expected = many.t_above(score(-margin), freedom)
            if self.question.expect == "equivalent":
                expected = np.maximum(expected, many.t_above(-score(margin), freedom))
            return Evidence(expected, expected)
        return Evidence(p, p if self.question.expect == "different" else np.where(data.effect > 0, p, 1.0))
