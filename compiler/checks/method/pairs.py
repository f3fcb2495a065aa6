"""What pairs do to a claim: who wrote them, against which reference, do they rehearse the test? (rows 6-9, 20)."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.checks.method.controls import control, listed, with_preferences
from compiler.checks.method.design import MIRRORED, Comparison, Design, is_dpo, negatives
from compiler.checks.method.finding import Finding, Remedy
from compiler.diagnostics import Place, quoted
from compiler.language.data import shares_of
from compiler.language.evidence import PREFERENCE_ACCURACY
from compiler.language.recipes import DpoRecipe
from compiler.resolve import ResolvedArm


def _starts_apart(design: Design, comparison: Comparison) -> bool:
    ahead, behind = comparison.ahead, comparison.behind
    return is_dpo(ahead) and is_dpo(behind) and design.policy(ahead.parent) != design.policy(behind.parent)


def _on_policy(design: Design, arm: ResolvedArm) -> bool:
    return design.policy(arm.preferences.chosen.from_) == design.policy(arm.parent)


def check_policies(design: Design) -> Iterator[Finding]:
    """Pairs that one arm's own policy wrote are foreign to the other (row 6)."""
    for comparison in design.recipe_comparisons:
        ahead, behind = comparison.ahead, comparison.behind
        if not _starts_apart(design, comparison) or _on_policy(design, ahead) == _on_policy(design, behind):
            continue
        foreign, own = (behind, ahead) if _on_policy(design, ahead) else (ahead, behind)
        rivals = [other for near in design.about(own) for other in (near.ahead, near.behind)]
        start = design.policy(foreign.parent)
        if not any(is_dpo(r) and design.policy(r.parent) == start and _on_policy(design, r) for r in rivals):
            yield _foreign(design, comparison, foreign, own)


_POLICY, _SAYS = ["from", "data.preferences.chosen.from"], "The gain holds on own pairs"


def _foreign(design: Design, comparison: Comparison, foreign: ResolvedArm, own: ResolvedArm) -> Finding:
    written, name = design.written(foreign), design.fresh(f"{foreign.name}_own_pairs")
    writer = foreign.parent or next((arm.name for arm in design.arms.values() if not design.is_trained(arm)), "base")
    arm = written | {"data": with_preferences(written, {"chosen": {"from": writer}})}
    arms = {name: arm} if writer in design.arms else {writer: {}, name: arm}
    if own is comparison.ahead:
        claim = control(comparison, name, _POLICY, _SAYS)
    else:
        claim = control(comparison, own.name, _POLICY, _SAYS, first=name)
    pairs, wrote = foreign.preferences.pairs, quoted(foreign.preferences.chosen.from_)
    return Finding(
        "M006",
        "blocks",
        (comparison.name,),
        design.place(comparison),
        f"claim {quoted(comparison.name)} is confounded by who wrote the pairs: {wrote} wrote the chosen answers, "
        f"on-policy for {quoted(own.name)} and off-policy for {quoted(foreign.name)}",
        "pairs of one policy",
        (
            f"{pairs} of {pairs} chosen answers of {quoted(foreign.name)} are foreign to it, "
            f"0 of {own.preferences.pairs} of {quoted(own.name)}",
        ),
        Remedy(arms, {design.fresh(f"{own.name}_against_{name}"): claim}),
        "add an arm on pairs of its own policy",
    )


def check_references(design: Design) -> Iterator[Finding]:
    """The same beta is a different pull under another reference: each arm is tried with a second beta (row 7)."""
    for comparison in design.recipe_comparisons:
        if _starts_apart(design, comparison):
            lone = [arm for arm in (comparison.ahead, comparison.behind) if not _is_swept(design, arm)]
            if lone and not _already_swept(design, comparison):
                yield _unswept(design, comparison, lone)


def _is_swept(design: Design, arm: ResolvedArm) -> bool:
    return any(
        is_dpo(other) and design.policy(other.parent) == design.policy(arm.parent) and _beta(other) != _beta(arm)
        for other in design.arms.values()
    )


def _already_swept(design: Design, comparison: Comparison) -> bool:
    """Whether an earlier claim between the same two starts has told it: one cause, one finding."""
    starts = {design.policy(comparison.ahead.parent), design.policy(comparison.behind.parent)}
    for earlier in design.recipe_comparisons:
        if earlier is comparison:
            return False
        apart = _starts_apart(design, earlier)
        if apart and {design.policy(earlier.ahead.parent), design.policy(earlier.behind.parent)} == starts:
            return True
    return False


def _beta(arm: ResolvedArm) -> float:
    return arm.recipe.beta if isinstance(arm.recipe, DpoRecipe) else 0.0


def _unswept(design: Design, comparison: Comparison, lone: list[ResolvedArm]) -> Finding:
    arms = {}
    for arm in lone:
        written = design.written(arm)
        train = written["train"] if isinstance(written["train"], dict) else {"use": written["train"]}
        arms[design.fresh(f"{arm.name}_strong")] = written | {"train": train | {"beta": round(3 * _beta(arm), 6)}}
    names = [quoted(arm.name) for arm in (comparison.ahead, comparison.behind)]
    return Finding(
        "M007",
        "weakens",
        (comparison.name,),
        design.place(comparison),
        f"claim {quoted(comparison.name)}: beta is not tuned for both references, of {' and '.join(names)}",
        "one beta, two references",
        (
            f"beta {_beta(comparison.ahead):g} against {quoted(design.policy(comparison.ahead.parent) or 'base model')}, "
            f"beta {_beta(comparison.behind):g} against {quoted(design.policy(comparison.behind.parent) or 'base model')}: "
            "another distance from the reference",
        ),
        Remedy(arms),
        "add a second beta for each",
    )


def check_mirrors(design: Design) -> Iterator[Finding]:
    """A criterion that mirrors a negative type of one arm's training only is a rehearsed test (row 8)."""
    for comparison in design.recipe_comparisons:
        kinds = shown(design, comparison.ahead) - shown(design, comparison.behind)
        open_ = [kind for kind in MIRRORED if kind in kinds and MIRRORED[kind] in comparison.criteria]
        rehearsed = [kind for kind in open_ if not _left_out(design, comparison, kind)]
        if rehearsed:
            yield _mirrored(design, comparison, rehearsed)


def shown(design: Design, arm: ResolvedArm) -> frozenset[str]:
    """The negative types that the trainings which made an arm show it as bad."""
    return frozenset(kind for stage in design.stages(arm) for kind in negatives(stage))


def _left_out(design: Design, comparison: Comparison, kind: str) -> bool:
    """Whether an arm without that negative type is judged by the criterion, too."""
    return any(
        is_dpo(arm) and design.policy(arm.parent) == design.policy(comparison.ahead.parent) and kind not in shown(design, arm)
        and arm.preferences.labels == "true" and MIRRORED[kind] in other.endpoints
        for other in design.comparisons for arm in (other.ahead, other.behind)
    )  # fmt: skip


def _mirrored(design: Design, comparison: Comparison, kinds: list[str]) -> Finding:
    ahead = comparison.ahead
    written, name = design.written(ahead), design.fresh(f"{ahead.name}_without_{kinds[0] if len(kinds) == 1 else 'mirrored'}")
    shares = shares_of(ahead.preferences.rejected)
    mix: dict[str, float] = (
        dict.fromkeys(MIRRORED, 0.2) if isinstance(shares, str) else {str(kind): share for kind, share in shares.items()}
    )
    kept = {kind: share for kind, share in mix.items() if kind not in kinds}
    total, remedy = sum(kept.values()), Remedy()
    if kept and is_dpo(ahead):
        rest = {kind: round(share / total, 4) for kind, share in kept.items()}
        rest[next(iter(rest))] = round(rest[next(iter(rest))] + 1 - sum(rest.values()), 4)
        data = with_preferences(written, {"rejected": rest})
        claim = control(comparison, comparison.behind.name, list(comparison.claim.isolates), "The gain is not rehearsed", name)
        claim |= {"on": [MIRRORED[kind] for kind in kinds]}
        remedy = Remedy({name: written | {"data": data}}, {f"{name}_still_gains": claim})
    told = ", ".join(f"{quoted(kind)} ({mix.get(kind, 0):.0%}) is what {quoted(MIRRORED[kind])} fails" for kind in kinds)
    return Finding(
        "M008",
        "blocks",
        (comparison.name,),
        design.place(comparison),
        f"claim {quoted(comparison.name)} is trained to the test: {quoted(ahead.name)} is shown as bad what the criteria fail",
        "rehearsed criteria",
        (f"{len(kinds)} of {len(comparison.criteria)} criteria: {told}",),
        remedy,
        "add an arm without that negative type" if remedy.arms else "claim a criterion that mirrors no negative type",
    )


def check_graders(design: Design) -> Iterator[Finding]:
    """What builds the negatives is not the only grader: the held-out pairs come from the same rules (row 9)."""
    told: set[str] = set()
    for comparison in design.recipe_comparisons:
        ahead = comparison.ahead
        built = shown(design, ahead) - shown(design, comparison.behind)
        if not built or comparison.criteria or ahead.name in told or any(near.criteria for near in design.about(ahead)):
            continue
        told.add(ahead.name)
        about = [near.name for near in design.about(ahead) if near.endpoints == (PREFERENCE_ACCURACY,)]
        spec = design.spec
        free = [e for e in (*spec.evaluation.primary, *spec.evaluation.criteria) if MIRRORED_BACK.get(e) not in built]
        claim = {"says": f"{ahead.name} writes no worse answers", "compare": [ahead.name, comparison.behind.name]}
        claim |= {"expect": "not_worse", "on": free[:1], "isolates": list(comparison.claim.isolates)}
        usable = bool(free) and free[0] != PREFERENCE_ACCURACY
        yield Finding(
            "M009",
            "blocks",
            tuple(about),
            design.place(comparison),
            f"{listed(about)}: the rules that build the negatives of {quoted(ahead.name)} also build its test",
            "no independent grader",
            (f"{len(built)} of 5 negative types of the held-out pairs are in the training pairs; 0 claims on its own answers",),
            Remedy(claims={f"{ahead.name}_writes_no_worse": claim} if usable else {}),
            "claim a criterion that is scored on answers",
        )


MIRRORED_BACK = {criterion: kind for kind, criterion in MIRRORED.items()}


def check_pathologies(design: Design) -> Iterator[Finding]:
    """DPO settings with which margins saturate or the reference stops holding (row 20)."""
    told: set[tuple[object, ...]] = set()
    for comparison in design.comparisons:
        for arm in (comparison.ahead, comparison.behind):
            recipe = arm.recipe
            if not isinstance(recipe, DpoRecipe):
                continue
            low, high = (0.5, 20) if recipe.length_normalised else (0.01, 1)
            if recipe.epochs <= 3 and low <= recipe.beta <= high:
                continue
            key = "epochs" if low <= recipe.beta <= high else "beta"
            place = _setting(design, arm, key)
            if (place.span, place.source) in told:
                continue
            told.add((place.span, place.source))
            yield Finding(
                "M020",
                "notes",
                (comparison.name,),
                place,
                f"claim {quoted(comparison.name)}: {quoted(arm.name)} may saturate its margins or leave its reference",
                "outside the usual range",
                (
                    f"beta {recipe.beta:g} (usual: {low:g} to {high:g}), {recipe.epochs:g} epochs (usual: 1 to 3) over "
                    f"{arm.preferences.pairs} pairs; checked after the run: chosen log-probability, margins",
                ),
                advice=f"use beta from {low:g} to {high:g} and at most 3 epochs, "
                "or look at the curves before believing the result",
            )


def _setting(design: Design, arm: ResolvedArm, key: str) -> Place:
    train = design.spec.arms[arm.name].train
    if isinstance(train, str):
        return design.subject.key("recipes", train, key)
    own = design.subject.written("arms", arm.name, "train", key)
    return (
        design.subject.key("arms", arm.name, "train", key)
        if own or train is None
        else design.subject.key("recipes", train.use, key)
    )
