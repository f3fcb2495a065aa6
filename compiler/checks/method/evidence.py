"""Is there enough to decide, and is it decided fairly? Seeds, tests, decoding (rows 10-12, 14, 15, 18, 19, 23, 24)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import comb

from compiler.checks.method.controls import listed
from compiler.checks.method.design import Comparison, Design
from compiler.checks.method.finding import Finding, Remedy
from compiler.checks.method.sizes import SEEDS, more_seeds, with_seeds
from compiler.diagnostics import Place, quoted

_REDUNDANT: tuple[tuple[str, ...], ...] = (
    ("ends_with_end", "no_rambling", "proper_structure"),
    ("addresses_instruction", "appropriate_length"),
)
"""Criteria that one and the same flaw fails: prose after END; a wrong number of items."""
_SAMENESS = re.compile(
    r"\b(no (significant )?difference|does(n't| not) (matter|differ)|(just )?as good as|equivalent|the same as|no effect)\b",
    re.I,
)
_INTERACTION = re.compile(r"\b(gains? more|(helps?|improves|benefits) more|interacts?|depends on)\b.*\b(than|on|with)\b", re.I)


def _names(comparisons: tuple[Comparison, ...]) -> tuple[str, ...]:
    return tuple(comparison.name for comparison in comparisons)


def check_lengths(design: Design) -> Iterator[Finding]:
    """Held-out answers may be as long as those learned from (row 10)."""
    limit = design.spec.evaluation.decode.max_new_tokens
    over: dict[str, int] = {}
    for comparison in design.comparisons:
        for arm in (*design.stages(comparison.ahead), *design.stages(comparison.behind)):
            decode = arm.preferences.chosen.decode if arm.needs_chosen else arm.demonstrations.decode
            if decode.max_new_tokens > limit:
                over[comparison.name] = max(over.get(comparison.name, 0), decode.max_new_tokens)
    if over:
        yield Finding(
            "M010",
            "weakens",
            tuple(over),
            design.subject.key("evaluation", "decode", "max_new_tokens"),
            f"{listed(list(over))}: answers are cut off at {limit} tokens, though the arms learn from longer ones",
            "shorter than the training answers",
            (f"up to {max(over.values())} tokens in training, {limit} in the evaluation",),
            Remedy(settings={"evaluation.decode.max_new_tokens": max(over.values())}),
            "raise the limit",
        )


def check_seeds(design: Design) -> Iterator[Finding]:
    """A claim about a way of training is tried with several seeds (row 11)."""
    needed, seeds = SEEDS[design.level], design.spec.seeds
    about = tuple(c for c in design.recipe_comparisons if design.is_trained(c.ahead) or design.is_trained(c.behind))
    if about and len(seeds) < needed:
        yield Finding(
            "M011",
            "blocks",
            _names(about),
            design.subject.key("seeds"),
            f"{listed(_names(about))}: {len(seeds)} training seed{'s' if len(seeds) > 1 else ''} cannot carry a claim "
            "about a way of training",
            f"{needed} are needed at level {design.level}",
            (
                f"level {design.level} needs {needed}",
                "ignoring seed noise of 3 points gives 11 to 25% false positives instead of 5%",
                *with_seeds(design, about),
            ),
            Remedy(settings={"seeds": more_seeds(seeds, needed)}),
            "train with more seeds, or claim `kind: checkpoint`",
        )


def check_room(design: Design) -> Iterator[Finding]:
    """The base model is measured, so that a ceiling or a floor can be seen before training (row 12)."""
    trained = tuple(c for c in design.comparisons if design.is_trained(c.ahead))
    has_base = any(not design.is_trained(arm) and arm.prompt == "instruction" for arm in design.arms.values())
    if trained and not has_base:
        yield Finding(
            "M012",
            "weakens",
            _names(trained),
            design.place(trained[0]),
            f"{listed(_names(trained))}: the base model is not measured, so a ceiling would go unnoticed",
            "no base rate",
            ("0 untrained arms; a base rate of 95% leaves room for at most 5 points",),
            Remedy({"base": {}}),
            "add the base model as an arm",
        )


def check_redundancy(design: Design) -> Iterator[Finding]:
    """The endpoints of a claim are not one flaw counted twice (row 14)."""
    found: dict[tuple[str, ...], list[Comparison]] = {}
    for comparison in design.comparisons:
        for group in _REDUNDANT:
            shared = tuple(endpoint for endpoint in group if endpoint in comparison.endpoints)
            if len(shared) > 1:
                found.setdefault(group, []).append(comparison)
    for group, comparisons in found.items():
        names = _names(tuple(comparisons))
        told = [quoted(endpoint) for endpoint in group if endpoint in comparisons[0].endpoints]
        yield Finding(
            "M014",
            "notes",
            names,
            design.place(comparisons[0]),
            f"{listed(names)}: {', '.join(told)} fail by one and the same flaw",
            "redundant endpoints",
            (f"{len(told)} endpoints, fewer effective tests; checked after the run: phi matrix, effective number of tests",),
            advice="claim one of them",
        )


def check_sampling(design: Design) -> Iterator[Finding]:
    """Held-out answers are the likeliest ones, not one draw of many (row 15)."""
    temperature = design.spec.evaluation.decode.temperature
    if temperature > 0 and design.comparisons:
        yield Finding(
            "M015",
            "weakens",
            _names(design.comparisons),
            design.subject.key("evaluation", "decode", "temperature"),
            f"{listed(_names(design.comparisons))}: one sampled answer per item adds noise that no test accounts for",
            "sampled",
            (f"temperature {temperature:g}, 1 sample per item",),
            Remedy(settings={"evaluation.decode.temperature": 0}),
            "decode greedily",
        )


def check_drift(design: Design) -> Iterator[Finding]:
    """Arms are asked as they were trained, from a base model that is one (row 18)."""
    drifted: dict[str, list[str]] = {}
    for comparison in design.comparisons:
        for arm in (comparison.ahead, comparison.behind):
            if arm.prompt != "instruction" and design.is_trained(arm) and "prompt" not in comparison.claim.isolates:
                drifted.setdefault(arm.name, []).append(comparison.name)
    for name, about in drifted.items():
        yield _drift(
            design.subject.key("arms", name, "prompt"),
            about,
            f"{quoted(name)} is trained on the instruction format and asked in another",
            (f"trained on `instruction`, asked `{design.arms[name].prompt}`",),
            f"leave out `prompt` in arm {quoted(name)}",
        )
    about = list(_names(design.comparisons))
    base = design.spec.model.base
    if about and re.search(r"(^|[-_/])(instruct|chat|it)($|[-_/.])", base, re.I):
        message = f"{quoted(base)} is tuned on instructions already, its chat template with it: no base model"
        place = design.subject.value("model", "base")
        yield _drift(place, about, message, ("the name says so",), "name the base model that it was made from")
    if about and design.level == "publication" and "/" in base and design.spec.model.revision is None and _is_hub(design):
        message = f"{quoted(base)} is not pinned, so weights and tokenizer may change between two stages"
        evidence = ("`model.revision` is not set",)
        yield _drift(design.subject.value("model", "base"), about, message, evidence, "set `model.revision` to a commit")


def _is_hub(design: Design) -> bool:
    return design.subject.world.digest_model(design.spec.model.base) is None


def _drift(place: Place, about: list[str], message: str, evidence: tuple[str, ...], advice: str) -> Finding:
    return Finding("M018", "blocks", tuple(about), place, f"{listed(about)}: {message}", "drift", evidence, advice=advice)


def check_selection(design: Design) -> Iterator[Finding]:
    """Where several settings are tried, something other than the test items is there to choose by (row 19)."""
    if design.spec.data.instructions.validation or not design.comparisons:
        return
    tried: dict[tuple[str | None, str], list[str]] = {}
    for name, arm in design.arms.items():
        if arm.recipe is not None and arm.match is None and not arm.own_data:
            tried.setdefault((arm.parent, arm.recipe.objective), []).append(name)
    for arms in tried.values():
        about = [c.name for c in design.comparisons if {c.ahead.name, c.behind.name} & set(arms)]
        if len(arms) > 1 and about:
            yield Finding(
                "M019",
                "blocks",
                tuple(about),
                design.subject.key("data", "instructions", "validation"),
                f"{listed(about)}: the best of {', '.join(map(quoted, arms))} could only be chosen on the test items",
                "nothing to choose by",
                (f"{len(arms)} settings tried, 0 validation instructions",),
                Remedy(settings={"data.instructions.validation": 20}),
                "keep validation instructions",
            )


def check_expectations(design: Design) -> Iterator[Finding]:
    """A claim of sameness is tested as one, and a claim of interaction is not made of two claims (row 23)."""
    for comparison in design.comparisons:
        says, expect = comparison.claim.says, comparison.claim.expect
        if _SAMENESS.search(says) and expect not in ("equivalent", "not_worse"):
            message = (
                f"claim {quoted(comparison.name)} has another test: it speaks of sameness and tests a difference; "
                "not finding one proves nothing"
            )
            evidence = f"`expect: {expect}`; margin of equivalence {design.spec.analysis.smallest_effect * 100:g} points"
            remedy = Remedy(settings={f"claims.{comparison.name}.expect": "equivalent"})
        elif _INTERACTION.search(says):
            message = (
                f"claim {quoted(comparison.name)} has another test: it speaks of a difference of differences "
                "and compares two arms"
            )
            evidence, remedy = "1 contrast; an interaction needs 2, and a test of their difference", Remedy()
        else:
            continue
        place = design.subject.key("claims", comparison.name, "expect")
        advice = "" if not remedy.empty else "say what the two arms show, or report the two contrasts side by side"
        yield Finding("M023", "blocks", (comparison.name,), place, message, "another test", (evidence,), remedy, advice)


def check_multiplicity(design: Design) -> Iterator[Finding]:
    """The more tests, the more are found by chance: they are corrected, and those that decide are named (row 24)."""
    analysis, primary = design.spec.analysis, design.spec.evaluation.primary
    about = _names(design.comparisons)
    if not about:
        return
    everything = comb(len(design.arms), 2) * len(design.spec.evaluation.criteria)
    uncorrected = analysis.correction.primary == "none" and design.tests > 1
    secondary = analysis.correction.secondary == "none" and everything > 1
    lax, unnamed = analysis.alpha > 0.05, not primary and design.level == "publication"
    if not (uncorrected or secondary or lax or unnamed):
        return
    key = ("analysis", "correction") if uncorrected or secondary else ("analysis", "alpha") if lax else ("evaluation",)
    count = everything if secondary else design.tests
    settings: dict[str, object] = {}
    correction = ({"primary": "holm"} if uncorrected else {}) | ({"secondary": "bh"} if secondary else {})
    settings |= {"analysis.correction": correction} if correction else {}
    settings |= {"analysis.alpha": 0.05} if lax else {}
    settings |= {"evaluation.primary": ["addresses_instruction"]} if not primary else {}
    yield Finding(
        "M024",
        "blocks",
        about,
        design.subject.key(*key),
        f"{listed(about)}: {count} {'uncorrected ' if uncorrected or secondary else ''}test{'s' if count > 1 else ''}"
        + ("" if primary else " without a primary endpoint")
        + (f" at alpha {analysis.alpha:g}" if lax else ""),
        "found by chance",
        (
            f"{design.tests} test{'s' if design.tests > 1 else ''} of claims, {everything} over all pairs of arms and "
            f"criteria: {everything * analysis.alpha:.1f} false positives to be expected at alpha {analysis.alpha:g}",
        ),
        Remedy(settings=settings),
        "correct, and name what decides",
    )
