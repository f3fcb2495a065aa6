"""A complete `ReportData` with a realistic analysis and hostile answers, made without running anything."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from compiler import compile_spec
from compiler.records import Answer, Item, ItemScore
from evaluators.analysis.samples import CRITERIA, sample_analysis
from stage1.commands.report import review_of
from stage1.curves import CurveRow
from stage1.report.data import ArmRun, ReportData
from stage1.world import DiskWorld

QUICKSTART = Path(__file__).parents[2] / "specs" / "quickstart.yaml"
HOSTILE = "<script>alert(1)</script>\x00\x1b[31m \u202eevil \U0001f600 مرحبا\n" + "x" * 10_000


@cache
def report_data() -> ReportData:
    """The quickstart's plan with simulated scores; every answer tries to break the page."""
    plan = compile_spec(str(QUICKSTART), QUICKSTART.read_text(), [], DiskWorld()).plan
    assert plan is not None
    items = tuple(Item(id=f"i{n}", kind="qa", instruction=f"Question {n} <b>?", answers=("a & b",)) for n in range(12))
    return ReportData(
        plan=plan,
        analysis=sample_analysis(),
        items=items,
        runs=tuple(_run(entry.arm, entry.seed, items) for entry in plan.arms),
        counts={"demonstrations": {"kept": 180, "dropped": {"empty": 20}}},
        manifests={
            step.id: {"provenance": {"seconds": 1.5, "platform": "<i>", "versions": {"torch": "2"}}} for step in plan.steps
        },
        review=review_of(plan),
    )


def _run(arm: str, seed: int | None, items: tuple[Item, ...]) -> ArmRun:
    trained = seed is not None
    return ArmRun(
        arm=arm,
        seed=seed,
        answers={i.id: Answer(item_id=i.id, split="heldout", response=HOSTILE, tokens=9, hit_token_limit=True) for i in items},
        scores={i.id: ItemScore(item_id=i.id, criteria=dict.fromkeys(CRITERIA, arm != "base")) for i in items},
        curves=tuple(CurveRow(step, "train/loss", 2 / (step + 1) + (seed or 0) / 10) for step in range(20)) if trained else (),
        training={"objective": "sft" if arm == "sft" else "dpo", "examples": 180, "steps": 20, "final_loss": 0.5}
        if trained
        else {},
    )
