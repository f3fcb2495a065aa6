"""What a plan would cost on a named device, calibrated by what the store has recorded."""

from __future__ import annotations

from pathlib import Path

from compiler.estimates import Estimate, estimate
from compiler.explain_plan import PlanOutlook
from compiler.plan import Plan
from stage1.estimates import calibration_of
from stage1.world import DiskWorld


def cost_of(plan: Plan, outlook: PlanOutlook, device: str, price: float | None, store_root: Path) -> Estimate:
    """Time, memory and price of the steps that are not yet complete.

    Raises:
        UnknownDevice: no such device.
        UnknownShape: the base model's shape is not known.
    """
    world = DiskWorld()
    complete = frozenset(step.id for step in outlook.steps if step.action == "reuse")
    known = calibration_of(store_root, device, world, str(plan.spec["model"]["base"]))
    return estimate(plan, device, price, known, world, skip=complete)
