"""Are there enough items and seeds to find what matters? Expected power, by simulating the tests that will be run (row 13)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from compiler.checks.method.controls import listed
from compiler.checks.method.design import Comparison, Design
from compiler.checks.method.finding import Finding, Remedy
from compiler.checks.method.power import MOST_ITEMS, MOST_SEEDS, Believed, Chance, Needs, Question
from compiler.diagnostics import counted
from compiler.language.data import UNIFORM_MIX
from compiler.language.evidence import PREFERENCE_ACCURACY

SEEDS = {"mvp": 3, "publication": 5}
"""Training seeds that a recipe claim needs."""
USUAL_POWER = 0.8
_USUAL, _LARGEST = 0.1, 0.2
"""The smallest effect that is usual, and the largest that evidence for others may name."""
_LEAST_IN_A_TRIAL = 0.4
"""Power below which a trial run is told so; evidence for others is, below what the spec wants."""


def question(design: Design, comparison: Comparison) -> Question:
    """A claim as it will be tested, for the port that knows its power."""
    spec, arms = design.spec, (comparison.ahead, comparison.behind)
    nested = design.nested(*arms)
    return Question(
        items=spec.data.instructions.heldout,
        seeds=len(spec.seeds),
        effect=spec.analysis.smallest_effect,
        alpha=spec.analysis.alpha,
        tests=design.tests,
        correction=spec.analysis.correction.primary,
        expect="greater" if comparison.claim.expect == "less" else comparison.claim.expect,  # the arms are in order of size
        recipe=comparison.is_recipe,
        trained=(design.is_trained(arms[0]), design.is_trained(arms[1])),
        nested=nested,
        pool=len(design.related(arms[0]) if nested else design.trained),
        endpoints=tuple(_believed(design, endpoint, comparison.behind.name) for endpoint in comparison.endpoints),
    )


def _believed(design: Design, endpoint: str, behind: str) -> Believed:
    """The spec's assumptions; what it leaves open is taken from a pilot run where there is one."""
    assumed = design.spec.analysis.assumptions
    measured: dict[str, float] = {}
    if design.pilot is not None:
        measured = dict(design.pilot.endpoints.get(endpoint, {}))
        rates = design.pilot.rates.get(endpoint, {})
        measured |= {"base_rate": rates[behind]} if behind in rates else {}
    applies = measured.pop("applies", 1.0)
    update = {key: value for key, value in measured.items() if key not in assumed.model_fields_set}
    judgements = len(UNIFORM_MIX) if endpoint == PREFERENCE_ACCURACY else 1
    return Believed(assumed.model_copy(update=update) if update else assumed, judgements, applies)


def _rate_is_measured(design: Design, endpoint: str, behind: str) -> bool:
    """Whether the rate of the arm to be beaten was measured by the pilot run, and is not what the spec says itself."""
    said = "base_rate" in design.spec.analysis.assumptions.model_fields_set
    return design.pilot is not None and not said and behind in design.pilot.rates.get(endpoint, {})


def target(design: Design) -> float:
    """The power that designs are proposed for: what the spec wants, and no less than is usual."""
    return max(design.spec.analysis.power, USUAL_POWER)


def needs(design: Design, asked: Question) -> Needs | None:
    """What a claim needs at the level of the spec; None where nothing is known of power."""
    return design.power.needs(asked, target(design), SEEDS[design.spec.level]) if design.power is not None else None


def check_power(design: Design) -> Iterator[Finding]:
    """The smallest effect of interest would probably be found (row 13)."""
    full: list[tuple[Comparison, Question, Chance]] = []
    if design.power is not None:
        chances = [(c, asked := question(design, c), design.power.chance(asked)) for c in design.comparisons]
        full = [found for found in chances if found[2].room is not None]
        least = target(design) if design.level == "publication" else _LEAST_IN_A_TRIAL
        weak = [found for found in chances if found[2].room is None and found[2].power < least - 1e-9]
        if weak:
            yield _underpowered(design, weak)
        yield from _without_room(design, full)
    analysis = design.spec.analysis
    lax = analysis.power < USUAL_POWER or analysis.smallest_effect > _LARGEST
    if design.level == "publication" and len(full) < len(design.comparisons) and lax:
        yield _lax(design, "power" if analysis.power < USUAL_POWER else "smallest_effect")


def _underpowered(design: Design, weak: list[tuple[Comparison, Question, Chance]]) -> Finding:
    names = tuple(comparison.name for comparison, _, _ in weak)
    powers = [chance.power for _, _, chance in weak]
    power = " to ".join(dict.fromkeys(f"{bound:.0%}" for bound in (min(powers), max(powers))))
    weakest, asked, chance = min(weak, key=lambda found: found[2].power)
    of_one = f"lowest for {weakest.name}: " if len(set(powers)) > 1 else ""
    needed = needs(design, asked)
    enough = needed is not None and needed.items is not None
    return Finding(
        "M013",
        "weakens",
        names,
        design.subject.key("data", "instructions", "heldout"),
        f"{listed(names)}: power {power} at {asked.effect * 100:g} points",
        "underpowered",
        tuple(of_one + told if place == 0 else told for place, told in enumerate(_evidence(design, asked, chance, needed))),
        Remedy(settings=_more(design, asked, needed)) if enough else Remedy(),
        "hold out more items, with more seeds"
        if enough
        else "test fewer endpoints, or name a larger smallest effect if only that matters",
    )


def _without_room(design: Design, full: list[tuple[Comparison, Question, Chance]]) -> Iterator[Finding]:
    """The effect asked about cannot occur: neither items nor seeds help, and no larger effect does.

    Claims are told together only where the very same numbers hold for them.
    """
    alike: dict[tuple[str, bool, bool], list[str]] = {}
    for comparison, asked, chance in full:
        told, measured = _room(design, comparison, asked, chance.room or 0.0)
        too_large = asked.effect > _LARGEST and (chance.room or 0.0) > _USUAL
        alike.setdefault((told, measured, too_large), []).append(comparison.name)
    for (told, measured, too_large), names in alike.items():
        known = "" if measured else "; if the arm to be beaten passes less, say so in `analysis.assumptions.base_rate`"
        yield Finding(
            "M013",
            "weakens",
            tuple(names),
            design.subject.key("analysis", "smallest_effect"),
            f"{listed(names)}: no room for {design.spec.analysis.smallest_effect * 100:g} points",
            "cannot occur",
            (told,),
            Remedy(settings={"analysis.smallest_effect": _USUAL}) if too_large else Remedy(),
            "name the smallest effect that matters" if too_large else f"take harder items or another endpoint{known}",
        )


def _room(design: Design, comparison: Comparison, asked: Question, room: float) -> tuple[str, bool]:
    """What fits above the rate of the arm to be beaten, in words, and whether that rate was measured."""
    behind, needed = comparison.behind.name, needs(design, asked)
    fullest = max(comparison.endpoints, key=lambda endpoint: _believed(design, endpoint, behind).assumptions.base_rate)
    measured = design.pilot is not None and _rate_is_measured(design, fullest, behind)
    rate = f"{round(100 * (1 - room), 2):g}%"
    by = f" ({behind} on {fullest}, {design.pilot.source})" if design.pilot is not None and measured else ""
    detectable = needed.detectable if needed is not None else None
    found = f"detectable from {detectable * 100:g} points" if detectable is not None else "no effect is detectable"
    size = f"{counted(asked.items, 'item')} x {counted(asked.seeds, 'seed')}"
    fits = f"at the {'measured' if measured else 'assumed'} rate of {rate}{by} at most {round(100 * room, 2):g} points fit"
    return f"{fits}; {size}: {found}", measured


def _evidence(design: Design, asked: Question, chance: Chance, needed: Needs | None) -> Iterator[str]:
    planned = f"{counted(asked.items, 'item')} x {counted(asked.seeds, 'seed')}"
    size = f"{planned}, {counted(asked.tests, 'test')} sharing alpha {asked.alpha:g}"
    if chance.why:
        yield f"{size}: {chance.why}"
        yield from _as_checkpoints(design, asked)
    else:
        found = needed.detectable if needed is not None else None
        detectable = f"detectable from {found * 100:g} points" if found is not None else "no effect is detectable"
        yield f"{size}: {detectable}; {counted(chance.simulations, 'simulation')}, error {chance.error * 100:.1f} points"
    if needed is not None:
        reach = f"reach {target(design):.0%}"
        yield (
            f"{counted(needed.items, 'item')} x {counted(needed.seeds, 'seed')} {reach}"
            if needed.items
            else f"no design of up to {MOST_ITEMS:,} items and {MOST_SEEDS} seeds was found to {reach}"
        )


def _as_checkpoints(design: Design, asked: Question) -> Iterator[str]:
    """What a recipe claim without a valid test would have as a claim about its checkpoints."""
    if design.power is not None and asked.recipe:
        chance = design.power.chance(replace(asked, recipe=False))
        if not chance.why:
            yield f"as a claim about these checkpoints alone it would have {chance.power:.0%}"


def _more(design: Design, asked: Question, needed: Needs | None) -> dict[str, object]:
    wanted: dict[str, object] = {}
    if needed is None or needed.items is None:
        return wanted
    items = needed.items
    if needed.seeds > asked.seeds:
        wanted["seeds"] = more_seeds(design.spec.seeds, needed.seeds)
    else:  # where the planned items nearly suffice, the search may find them enough: a few more, then
        items = max(items, _next_ten(1.05 * asked.items))
    if items > asked.items:
        wanted["data.instructions.heldout"] = items
    return wanted


def _next_ten(items: float) -> int:
    return 10 * math.ceil(items / 10)


def more_seeds(seeds: tuple[int, ...], needed: int) -> list[int]:
    """The seeds, and as many more as are needed."""
    return [*seeds, *(seed for seed in range(1, needed + len(seeds) + 1) if seed not in seeds)][:needed]


def with_seeds(design: Design, comparisons: tuple[Comparison, ...]) -> Iterator[str]:
    """What the seeds that the spec's level needs would bring: evidence for claims that have too few."""
    seeds = SEEDS[design.spec.level]
    if design.power is not None and len(design.spec.seeds) < seeds:
        asked = [replace(question(design, comparison), seeds=seeds) for comparison in comparisons]
        power = min(design.power.chance(each).power for each in asked)
        yield f"with {seeds} seeds and {asked[0].items} items power {power:.0%} at {asked[0].effect * 100:g} points"


def _lax(design: Design, key: str) -> Finding:
    names = tuple(comparison.name for comparison in design.comparisons)
    value = getattr(design.spec.analysis, key)
    return Finding(
        "M013",
        "weakens",
        names,
        design.subject.key("analysis", key),
        f"{listed(names)}: `analysis.{key}` {value:g} makes the power look better than it is",
        "too lax for evidence",
        ("usual: power 0.8 or more, a smallest effect of 20 points or less",),
        Remedy(settings={f"analysis.{key}": USUAL_POWER if key == "power" else _USUAL}),
    )
