"""Everything a report says, gathered from the store: the renderers read nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from compiler.assessment import Assessment
from compiler.plan import ArmSteps, Plan
from compiler.records import Answer, Item, ItemScore
from evaluators.labels import Compared
from evaluators.results import Analysis, ClaimResult
from stage1.curves import CurveRow, read_curves
from stage1.planned_claims import late_claims
from stage1.report.words import counted
from stage1.store import Artifact, Store

_COUNTED = ("instructions", "demonstrations", "preferences", "heldout_pairs")


class NotRunYet(Exception):
    """The plan's artifacts are not all there; the message says what is missing and how to make it."""


@dataclass(frozen=True, slots=True)
class ArmRun:
    """What one arm produced for one training seed (None: untrained)."""

    arm: str
    seed: int | None
    answers: Mapping[str, Answer]
    """By item id."""
    scores: Mapping[str, ItemScore]
    """By item id."""
    curves: tuple[CurveRow, ...]
    """Of the arm's own training; empty for an untrained arm."""
    training: Mapping[str, Any]
    """The training summary; empty for an untrained arm."""


@dataclass(frozen=True, slots=True)
class ReportData:
    """One experiment, complete."""

    plan: Plan
    analysis: Analysis
    items: tuple[Item, ...]
    """Held-out items, in the order of the split."""
    runs: tuple[ArmRun, ...]
    counts: Mapping[str, Mapping[str, Any]]
    """Data steps (id) -> what was asked for, made and dropped."""
    manifests: Mapping[str, Mapping[str, Any]]
    """Step id -> manifest: hashes, versions, host, seconds."""
    review: Assessment | None = None
    """The review of the design, as it was before the run; None for a plan whose design cannot be reviewed any more."""
    labels: tuple[Compared, ...] | None = None
    """The scorer against a person's labels of these answers; None where there are none."""


def brought_in(plan: Plan) -> dict[str, str]:
    """Arms whose answers were made elsewhere -> the file that has them."""
    steps = {entry.arm: plan.step(entry.respond) for entry in plan.arms}
    return {arm: str(step.settings["responses"]) for arm, step in steps.items() if step.settings.get("responses")}


def gather(plan: Plan, store: Store, review: Assessment | None = None) -> ReportData:
    """Read a finished plan from the store, and put the review of its design beside it.

    Raises:
        NotRunYet: an artifact is missing.
        DamagedArtifact: a stored file does not have the content its manifest promises.
    """
    missing = [step.id for step in plan.steps if not store.has(step.fingerprint)]
    if missing:
        have, them = ("has", "it") if len(missing) == 1 else ("have", "them")
        steps = f"{len(missing)} of {counted(len(plan.steps), 'step')}"
        raise NotRunYet(f"{steps} {have} not been run (first: {missing[0]}); `stage1 run` makes {them}")
    opened = {step.id: store.open(step.fingerprint) for step in plan.steps}
    split = opened[next(step.id for step in plan.steps if step.kind == "instructions")]
    of_data = [step.id for step in plan.steps if step.kind in _COUNTED]
    manifests = {step_id: artifact.manifest for step_id, artifact in opened.items()}
    analysis = Analysis.model_validate(opened[plan.analyze].read_json("analysis.json"))
    return ReportData(
        plan=plan,
        analysis=_told_apart(_in_spec_order(analysis, plan), late_claims(plan, manifests)),
        items=split.read("heldout.jsonl", Item),
        runs=tuple(_arm_run(entry, opened) for entry in plan.arms),
        counts={step_id: opened[step_id].read_json("counts.json") for step_id in of_data},
        manifests=manifests,
        review=review,
    )


def _in_spec_order(analysis: Analysis, plan: Plan) -> Analysis:
    """Claims as their author ordered them; the analysis is computed in an order that no edit of layout can change."""
    order = {name: place for place, name in enumerate(plan.spec.get("claims") or {})}
    claims = sorted(analysis.claims, key=lambda claim: order.get(claim.claim, len(order)))
    return analysis.model_copy(update={"claims": tuple(claims)})


def _arm_run(entry: ArmSteps, opened: Mapping[str, Artifact]) -> ArmRun:
    return ArmRun(
        arm=entry.arm,
        seed=entry.seed,
        answers={answer.item_id: answer for answer in opened[entry.respond].read("answers.jsonl", Answer)},
        scores={row.item_id: row for row in opened[entry.score].read("scores.jsonl", ItemScore)},
        curves=read_curves(opened[entry.train]) if entry.train else (),
        training=opened[entry.train].read_json("summary.json") if entry.train else {},
    )


def _told_apart(analysis: Analysis, late: frozenset[str]) -> Analysis:
    """The analysis with claims that came late as exploratory; their sentences say so wherever they are quoted."""
    return analysis.model_copy(
        update={"claims": tuple(_exploratory(claim) if claim.claim in late else claim for claim in analysis.claims)}
    )


def _exploratory(claim: ClaimResult) -> ClaimResult:
    why = "this claim, or its level, was set after the answers of both arms were there."
    return claim.model_copy(
        update={
            "planned": False,
            "sentence": f"{claim.sentence} Exploratory: {why}",
            "reasons": (*claim.reasons, f"Exploratory: {why}"),
        }
    )
