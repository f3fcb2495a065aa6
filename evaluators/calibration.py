"""Self-test of the instrument: thousands of simulated experiments, judged by the analysis that judges real ones.

Where nothing is to be found, how often is something found? Where something is, as often as the plan said? Scores are simulated
(`statistics.simulation`); tests, corrections, sensitivity analyses and verdicts are those of `analysis`, one by one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from compiler.checks.method.power import Believed, Chance, Question
from compiler.language.assumptions import Assumptions
from evaluators.analysis.claims import ClaimJudge
from evaluators.analysis.comparisons import Comparer
from evaluators.analysis.outcomes import Outcomes
from evaluators.analysis.settings import AnalyzeSettings
from evaluators.results import ClaimResult
from evaluators.statistics.planning import Simulation
from evaluators.statistics.simulation import Experiments, Population

ALPHA = 0.05
PLAIN = Population()
_BATCH = 200
"""Experiments drawn together: bounds memory."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One kind of experiment: arm `a0` against arm `a1`, further trained arms beside them."""

    name: str
    population: Population = PLAIN
    items: int = 130
    seeds: tuple[int, ...] = (3, 3, 3, 3)
    """Training seeds of every arm; 0: untrained."""
    endpoints: int = 1
    """Criteria, independent of each other, each with a claim of its own."""
    expect: str = "different"
    kind: str = "recipe"
    nested: bool = False
    """Whether seed k of every arm is built on seed k of the first."""
    effect: float = 0.0
    """True difference of the first two arms on the first criterion; all else is equal."""
    margin: float = 0.10

    def settings(self) -> AnalyzeSettings:
        """What the analysis is told."""
        arms = {f"a{k}": list(range(1, count + 1)) if count else [None] for k, count in enumerate(self.seeds)}
        criteria = [f"c{k}" for k in range(self.endpoints)]
        claims = [{"name": c, "compare": ["a0", "a1"], "expect": self.expect, "kind": self.kind, "on": [c]} for c in criteria]
        lineage = {arm: ["a0"] for arm in list(arms)[1:]} if self.nested else {}
        told: dict[str, Any] = {"claims": claims, "arms": arms, "criteria": criteria, "lineage": lineage}
        return AnalyzeSettings.model_validate(told | {"analysis": {"alpha": ALPHA, "smallest_effect": self.margin}})


@dataclass(frozen=True, slots=True)
class Found:
    """Shares of simulated experiments."""

    test: float
    """The main test of the first claim, uncorrected, found a difference (for claims of sameness: showed it)."""
    verdict: float
    """The first claim came out as supported."""
    family: float
    """Any claim came out as supported: the family-wise rate where nothing is true."""
    experiments: int

    def error(self, share: float) -> float:
        """Monte Carlo standard error of a share."""
        return math.sqrt(max(share * (1 - share), 1 / self.experiments) / self.experiments)

    def at_most(self, share: float, nominal: float = ALPHA) -> bool:
        """Whether a share exceeds the nominal one by no more than chance explains (three standard errors of the nominal)."""
        return share <= nominal + 3 * math.sqrt(nominal * (1 - nominal) / self.experiments)


def calibrate(setting: Setting, experiments: int, seed: int = 0) -> Found:
    """Run a setting many times."""
    settings = setting.settings()
    counts = np.zeros(3)
    for outcomes in simulated(setting, settings, experiments, np.random.default_rng(seed)):
        claims = ClaimJudge(settings, Comparer(settings, outcomes), detectable=False).verdicts()
        supported = [claim.verdict == "supported" for claim in claims]
        counts += (_by_the_test(claims[0]), supported[0], any(supported))
    test, verdict, family = counts / experiments
    return Found(float(test), float(verdict), float(family), experiments)


def _by_the_test(claim: ClaimResult) -> bool:
    p, effect = claim.contrasts[0].p, claim.contrasts[0].effect
    right_way = claim.expect in ("different", "equivalent", "not_worse") or ((effect or 0.0) > 0) == (claim.expect == "greater")
    return p is not None and p < ALPHA and right_way


def simulated(setting: Setting, settings: AnalyzeSettings, experiments: int, rng: np.random.Generator) -> Iterator[Outcomes]:
    """The outcomes of experiments of a setting, one after the other."""
    arms = list(settings.arms)
    for start in range(0, experiments, _BATCH):
        size = min(_BATCH, experiments - start)
        drawn = [Experiments(setting.population, setting.items, setting.seeds, size, rng) for _ in settings.criteria]
        answers = [[each.answers(k, _rate(setting, k, place)) for k in range(len(arms))] for place, each in enumerate(drawn)]
        families = _families(drawn[0], setting.items)
        for r in range(size):
            tables = {
                criterion: {arm: of_arm[r] / setting.population.judgements for arm, of_arm in zip(arms, passed, strict=True)}
                for criterion, passed in zip(settings.criteria, answers, strict=True)
            }
            yield Outcomes(tuple(map(str, range(setting.items))), families, dict(settings.arms), tables)


def _rate(setting: Setting, arm: int, criterion: int) -> float:
    return setting.population.rate + (setting.effect if arm == criterion == 0 else 0.0)


def _families(drawn: Experiments, items: int) -> Any:
    if drawn.families is None:
        return None
    return np.repeat(np.arange(len(drawn.families)), np.diff(np.append(drawn.families, items)))


def predicted(setting: Setting, experiments: int | None = None) -> Chance:
    """What the planner expects of the first claim of a setting: its power at the setting's effect."""
    population = setting.population
    assumptions = Assumptions(
        base_rate=population.rate,
        item_sd=population.item_sd,
        item_arm_sd=population.item_arm_sd,
        seed_sd=population.seed_sd,
        items_per_family=population.family_size,
        family_share=population.family_share,
    )
    question = Question(
        items=setting.items,
        seeds=max(setting.seeds),
        effect=setting.effect or setting.margin,
        alpha=ALPHA,
        tests=setting.endpoints,
        correction="holm",
        expect=setting.expect,  # type: ignore[arg-type]
        recipe=setting.kind == "recipe",
        trained=(setting.seeds[0] > 0, setting.seeds[1] > 0),
        nested=setting.nested,
        pool=sum(count > 0 for count in setting.seeds),
        endpoints=(Believed(assumptions, population.judgements),),
    )
    return Simulation(question, experiments).chance()


def table_settings() -> tuple[Setting, ...]:
    """Items, seeds and seed noise of the table in the methodology: item sd 1.5, item x arm sd 0.7, rate 65%."""
    sizes = ((130, 3, 0.0), (130, 3, 0.015), (130, 3, 0.03), (130, 5, 0.03), (400, 3, 0.03))
    return tuple(
        Setting(f"{n} items, {S} seeds, {100 * noise:g} points of seed noise", Population(seed_sd=noise), n, (S,) * 4)
        for n, S, noise in sizes
    )


def null_settings() -> tuple[Setting, ...]:
    """Further settings in which nothing is to be found."""
    hard = Population(seed_sd=0.03)
    return (
        Setting("two arms only, 3 points of seed noise", hard, seeds=(3, 3)),
        Setting("trained against untrained", hard, seeds=(3, 0, 3, 3)),
        Setting("unequal seeds: 5 against 2", hard, seeds=(5, 2, 3)),
        Setting("nested lineages", hard, nested=True),
        Setting("families of 3, half of the variance shared", Population(family_size=3, family_share=0.5)),
        Setting("rate 95%", Population(rate=0.95)),
        Setting("12 items", items=12),
        Setting("ordinal scores of 6 values", Population(judgements=5)),
        Setting("checkpoints, one seed (exact McNemar)", Population(seed_sd=0.0), seeds=(1, 1), kind="checkpoint"),
        Setting("checkpoints, three seeds (sign-flip)", Population(seed_sd=0.0), seeds=(3, 3), kind="checkpoint"),
        Setting("equivalence at its margin", items=400, expect="equivalent", effect=0.10),
        Setting("not worse, at its margin", Population(rate=0.75), items=400, expect="not_worse", effect=-0.10),
    )


def family_settings() -> tuple[Setting, ...]:
    """Nine criteria, nothing true of any: what Holm's correction is for."""
    return (
        Setting("9 criteria, 130 items, 3 seeds, 1.5 points", endpoints=9),
        Setting("9 criteria, 130 items, 3 seeds, 3 points", Population(seed_sd=0.03), endpoints=9),
    )


def power_settings() -> tuple[Setting, ...]:
    """Settings with a true difference of 10 points (or none, for a claim of sameness)."""
    found = tuple(replace(setting, expect="greater", effect=0.10) for setting in table_settings())
    more: Mapping[str, Setting] = {
        "trained against untrained": Setting("", seeds=(3, 0, 3, 3)),
        "nested lineages": Setting("", nested=True),
        "families of 3, a fifth of the variance shared": Setting("", Population(family_size=3, family_share=0.2)),
        "checkpoints, one seed (exact McNemar)": Setting("", Population(seed_sd=0.0), seeds=(1, 1), kind="checkpoint"),
        "9 criteria corrected by Holm, 250 items": Setting("", items=250, endpoints=9),
    }
    beside = tuple(replace(setting, name=name, expect="greater", effect=0.10) for name, setting in more.items())
    return (*found, *beside, Setting("equivalent within 10 points, 400 items", items=400, expect="equivalent"))
