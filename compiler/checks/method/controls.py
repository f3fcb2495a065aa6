"""Controls that a claim about a way of training needs: equal compute, equal exposure, a fair baseline (rows 3, 4, 5, 17)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from compiler.checks.method.design import Comparison, Design, is_dpo, is_sft, learns_chosen
from compiler.checks.method.finding import Finding, Remedy
from compiler.diagnostics import quoted
from compiler.language.evidence import PREFERENCE_ACCURACY
from compiler.resolve import ResolvedArm, recipe_name

MOST = 1.1
"""Largest ratio of two arms' training that passes as equal."""
AMOUNTS = frozenset({"train.epochs", "train.match", "train.batch_size", "data.preferences.pairs"})
"""Factors that are an amount of training: a claim about one of them is not confounded by it."""


def check_compute(design: Design) -> Iterator[Finding]:
    """The arm ahead has not simply been trained more, or a control has been trained as much (row 3)."""
    for comparison in design.recipe_comparisons:
        one, other = design.passes(comparison.ahead), design.passes(comparison.behind)
        if not other or one <= MOST * other or AMOUNTS & set(comparison.claim.isolates):
            continue
        if not any(_matches(design, comparison, rival) for rival in design.rivals(comparison)):
            yield _compute(design, comparison, one, other)


def _matches(design: Design, comparison: Comparison, rival: ResolvedArm) -> bool:
    behind, passes = comparison.behind, design.passes(comparison.ahead)
    as_much = passes / MOST <= design.passes(rival) <= passes * MOST
    same_goal = rival.recipe is not None and behind.recipe is not None and rival.recipe.objective == behind.recipe.objective
    return as_much and same_goal and design.policy(rival.parent) in (design.policy(behind.parent), design.policy(behind.name))


def _compute(design: Design, comparison: Comparison, one: float, other: float) -> Finding:
    ahead, behind = comparison.ahead, comparison.behind
    used = recipe_name(design.spec.arms[behind.name])
    isolates = ["train"]
    if design.policy(ahead.parent) == design.policy(behind.name) and is_sft(behind):
        name = design.fresh(f"{behind.name}_continued")
        arm: dict[str, Any] = {"from": behind.name, "train": {"use": used, "match": {"tokens": ahead.name}}}
    else:
        name, isolates = design.fresh(f"{behind.name}_long"), ["from", "train.epochs"]
        epochs = _epochs(behind, other, one)
        arm = design.written(behind) | {"train": _overridden(design, behind) | {"epochs": epochs}}
    return Finding(
        "M003",
        "blocks",
        (comparison.name,),
        design.place(comparison),
        f"claim {quoted(comparison.name)} is confounded by compute: {quoted(ahead.name)} is trained "
        f"{one / other:.1f} times as much as {quoted(behind.name)}",
        "unequal training",
        (
            f"about {one:,.0f} sequences against {other:,.0f}",
            "both sides of a pair and the reference's readings count",
        ),
        Remedy(
            {name: arm},
            {
                design.fresh(f"{ahead.name}_beats_{name}"): control(
                    comparison, name, isolates, "The gain is more than longer training"
                )
            },
        ),
        "add an arm trained as much",
    )


def _epochs(arm: ResolvedArm, passes: float, wanted: float) -> float:
    """Epochs with which an arm's last stage brings it to the wanted number of passes."""
    recipe = arm.recipe
    if recipe is None:
        return 1.0
    per_epoch = 2 * arm.preferences.pairs if is_dpo(arm) else (passes / recipe.epochs)
    return round(recipe.epochs + (wanted - passes) / per_epoch, 2)


def _overridden(design: Design, arm: ResolvedArm) -> dict[str, Any]:
    train = design.written(arm)["train"]
    return {"use": train} if isinstance(train, str) else dict(train)


def control(comparison: Comparison, other: str, isolates: list[str], says: str, first: str | None = None) -> dict[str, Any]:
    """A claim that sets the arm ahead against a control, on the same endpoints."""
    expect = comparison.claim.expect if comparison.claim.expect != "less" else "greater"
    arm = first or comparison.ahead.name
    claim: dict[str, Any] = {"says": says, "compare": [arm, other], "expect": expect}
    return claim | {"on": list(comparison.endpoints), "isolates": isolates}


def check_exposure(design: Design) -> Iterator[Finding]:
    """Two stages see the good answers more often than one; a control sees them as often without the contrast (row 4)."""
    for comparison in design.recipe_comparisons:
        ahead, behind = comparison.ahead, comparison.behind
        stages = design.stages(ahead)
        more = is_dpo(ahead) and any(is_sft(stage) for stage in stages) and 0 < len(design.stages(behind)) < len(stages)
        if more and not any(learns_chosen(rival) for rival in design.rivals(comparison)):
            yield _exposure(design, comparison)


def _exposure(design: Design, comparison: Comparison) -> Finding:
    ahead, behind = comparison.ahead, comparison.behind
    teacher = next(stage for stage in reversed(design.stages(ahead)) if is_sft(stage))
    items, pairs = design.spec.data.instructions.train, ahead.preferences.pairs
    train = {"use": recipe_name(design.spec.arms[teacher.name]), "match": {"tokens": ahead.name}}
    arm = {"from": ahead.parent, "train": train, "data": {"demonstrations": {"from": "chosen"}}}
    known = design.arm_written_as(arm)
    name = known or design.fresh(f"{teacher.name}_on_chosen")
    arms = {} if known else {name: arm}
    claimed = design.fresh(f"{ahead.name}_beats_{name}")
    return Finding(
        "M004",
        "blocks",
        (comparison.name,),
        design.place(comparison),
        f"claim {quoted(comparison.name)} is confounded by exposure: {quoted(ahead.name)} sees good answers to the same "
        f"instructions in {len(design.stages(ahead))} stages, {quoted(behind.name)} in {len(design.stages(behind))}",
        "unequal exposure",
        (f"the chosen side of {pairs} pairs answers the {items} instructions of the demonstrations: overlap 100%",),
        Remedy(arms, {claimed: control(comparison, name, ["train"], "The gain is more than seeing the answers")}),
        "add SFT on the chosen answers alone",
    )


def check_contrast(design: Design) -> Iterator[Finding]:
    """DPO helps by telling good from bad, not merely by making good answers likelier (row 5)."""
    told: set[str] = set()
    compared = (arm for near in design.comparisons for arm in (near.ahead, near.behind))
    started = {design.policy(arm.parent) for arm in compared if _is_placebo(arm)}
    for comparison in design.recipe_comparisons:
        ahead, behind = comparison.ahead, comparison.behind
        if not is_dpo(ahead) or is_dpo(behind) or ahead.name in told or ahead.preferences.labels == "shuffled":
            continue
        told.add(ahead.name)
        if design.policy(ahead.parent) not in started:
            yield _placebo(design, comparison)


def _is_placebo(arm: ResolvedArm) -> bool:
    return is_dpo(arm) and (arm.preferences.labels == "shuffled" or arm.preferences.rejected == "random")


def _placebo(design: Design, comparison: Comparison) -> Finding:
    ahead = comparison.ahead
    written, name = design.written(ahead), design.fresh(f"{ahead.name}_shuffled")
    arm = written | {"data": with_preferences(written, {"labels": "shuffled"})}
    claim = control(comparison, name, ["data.preferences.labels"], "The gain is due to the contrast")
    near = [other for other in design.about(ahead) if other.is_recipe and other.ahead.name == ahead.name]
    about = [other.name for other in near if not is_dpo(other.behind)]
    return Finding(
        "M005",
        "weakens",
        tuple(about),
        design.place(comparison),
        f"{listed(about)}: nothing tells whether {quoted(ahead.name)} learns the contrast or merely likelier answers",
        "no control for likelihood",
        (f"0 arms train on the same {ahead.preferences.pairs} pairs with shuffled labels or random rejected answers",),
        Remedy({name: arm}, {design.fresh(f"{ahead.name}_beats_{name}"): claim}),
        "add DPO with shuffled labels",
    )


def with_preferences(written: dict[str, Any], changed: dict[str, Any]) -> dict[str, Any]:
    """An arm's data with its preferences changed."""
    data = dict(written.get("data") or {})
    return data | {"preferences": {**(data.get("preferences") or {}), **changed}}


def check_baseline(design: Design) -> Iterator[Finding]:
    """An untrained baseline is asked in a way that it can follow (row 17)."""
    for comparison in design.recipe_comparisons:
        ahead, behind = comparison.ahead, comparison.behind
        if not design.is_trained(ahead) or design.is_trained(behind) or behind.prompt == "few-shot" or not comparison.criteria:
            continue
        if not any(not design.is_trained(rival) and rival.prompt == "few-shot" for rival in design.rivals(comparison)):
            yield _baseline(design, comparison)


def _baseline(design: Design, comparison: Comparison) -> Finding:
    ahead, behind = comparison.ahead, comparison.behind
    known = next((a.name for a in design.arms.values() if not design.is_trained(a) and a.prompt == "few-shot"), None)
    name = known or design.fresh(f"{behind.name}_few_shot")
    claim = control(comparison, name, ["train", "prompt"], "The gain is more than the format") | {
        "on": [e for e in comparison.endpoints if e != PREFERENCE_ACCURACY]
    }
    arms = {} if known else {name: {"from": behind.name, "prompt": "few-shot"}}
    return Finding(
        "M017",
        "blocks",
        (comparison.name,),
        design.place(comparison),
        f"claim {quoted(comparison.name)} may show the format only: {quoted(behind.name)} has never seen the prompt form and "
        f"has no stop token, {quoted(ahead.name)} has been trained on both",
        "unfair baseline",
        (
            f"{quoted(behind.name)} gets 0 examples of the form, {quoted(ahead.name)} {design.spec.data.instructions.train}",
            "checked after the run: no-END and parse-fail rates per arm",
        ),
        Remedy(arms, {design.fresh(f"{ahead.name}_beats_{name}"): claim}),
        "add the base model with worked examples in its prompt",
    )


def listed(claims: list[str] | tuple[str, ...]) -> str:
    """Claims by name, the first few of them."""
    shown = ", ".join(quoted(name) for name in claims[:3]) + (f" and {len(claims) - 3} more" if len(claims) > 3 else "")
    return f"{'claim' if len(claims) == 1 else 'claims'} {shown}"
