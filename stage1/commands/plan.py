"""`stage1 plan`: check a spec and show what running it would do, without running it."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from compiler import Compilation, compile_spec
from compiler.assessment import Assessment, assess
from compiler.assessment.render import render_assessment
from compiler.estimates import Estimate, UnknownDevice, UnknownShape, render_estimate
from compiler.explain_plan import PlanOutlook, explain_plan
from compiler.plan import Plan
from compiler.plan_text import render_plan, render_steps
from compiler.render import to_json
from stage1.commands.compiling import CannotRead, beside_the_review, compile_file, print_diagnostics
from stage1.commands.cost import cost_of
from stage1.commands.outputs import Refused, check_output
from stage1.power import SimulatedPower
from stage1.report.words import counted
from stage1.store import open_store, write_json
from stage1.world import DiskWorld


def show_plan(
    spec: Path,
    overrides: Sequence[str],
    *,
    as_json: bool,
    out: Path | None,
    require_go: bool,
    store_root: Path,
    strengthened: Path | None = None,
    device: str | None = None,
    price: float | None = None,
    verbose: bool = False,
    url: str | None = None,
) -> int:
    """Print the plan; the exit code of the command line contract.

    Raises:
        StoreUnreachable: the URL of the store cannot be used.
    """
    try:
        check_output("--strengthen", strengthened, {"the spec itself": spec}, may_be_a_spec=True)
        check_output("--out", out, {"the spec itself": spec, "the file of --strengthen": strengthened})
        compilation = compile_file(spec, overrides, store_root)
    except (CannotRead, Refused) as problem:
        print(problem, file=sys.stderr)
        return 2
    outlook = _outlook(compilation.plan, store_root, url) if compilation.plan else None
    review = assess(compilation.design, compilation.findings) if compilation.design else None
    try:
        cost = (
            cost_of(compilation.plan, outlook, device, price, store_root) if compilation.plan and outlook and device else None
        )
    except (UnknownDevice, UnknownShape) as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 2
    if as_json:
        print(json.dumps(_document(compilation, outlook, review, cost), indent=1))
    else:
        _print(compilation, review, spec, verbose)
        if compilation.plan and outlook:
            print(render_plan(compilation.plan, outlook))
        if outlook and verbose:
            print(f"\n{render_steps(outlook, compilation.contrasts)}")
        if cost:
            print(f"\n{render_estimate(cost)}")
    if (
        strengthened is not None
        and review is not None
        and not _strengthened(spec, overrides, strengthened, review.level, store_root, device)
    ):
        return 2
    if compilation.plan is None:
        return 4 if require_go and review is not None else 1
    if out is not None and not _saved(out, compilation.plan):
        return 2
    return 4 if require_go and review is not None and not review.go else 0


def _print(compilation: Compilation, review: Assessment | None, spec: Path, verbose: bool) -> None:
    """Mistakes in full on stderr; what the method checks found as a review, errors among them on stderr, too."""
    print_diagnostics(beside_the_review(compilation))
    if review is not None and review.claims:
        print(render_assessment(review, str(spec), whole=verbose) + "\n")


def _strengthened(spec: Path, overrides: Sequence[str], out: Path, level: str, store_root: Path, device: str | None) -> bool:
    """Write the strengthened spec and say on stderr what was added, and what cannot be cured."""
    from compiler.strengthen import Costs, strengthen

    def compiled(text: str) -> Compilation:
        return compile_spec(str(spec), text, overrides, DiskWorld())

    def priced(plan: Plan) -> Costs | None:
        try:
            return Costs(plan, cost_of(plan, explain_plan(plan, ()), device or "cpu-2", None, store_root), device)
        except UnknownShape:
            return None

    found = strengthen(spec.read_text(encoding="utf-8"), level, compiled, SimulatedPower(store_root), priced)
    try:
        out.write_text(found.text, encoding="utf-8")
    except OSError as error:
        print(f"error: {out} cannot be written: {error.strerror or error}", file=sys.stderr)
        return False
    print(f"{out}: {counted(len(found.added), 'addition')}", *(f"  {line}" for line in found.added), sep="\n", file=sys.stderr)
    for finding in found.left:
        print(f"not cured: {finding.code} {finding.message}; {finding.advice}", file=sys.stderr)
    return True


def _outlook(plan: Plan, store_root: Path, url: str | None) -> PlanOutlook:
    return explain_plan(plan, open_store(store_root, url).known(), previous_plan(store_root / plan.experiment / "plan.json"))


def previous_plan(path: Path) -> Plan | None:
    """The plan of the last run of this experiment; None when there is none that this version can read."""
    try:
        return Plan.model_validate_json(path.read_bytes())
    except (OSError, ValueError):
        return None


def _document(
    compilation: Compilation, outlook: PlanOutlook | None, review: Assessment | None, cost: Estimate | None
) -> dict[str, Any]:
    plan = compilation.plan
    return {
        "diagnostics": to_json(compilation.diagnostics),
        "plan": plan.model_dump(mode="json") if plan else None,
        "contrasts": [asdict(contrast) for contrast in compilation.contrasts],
        "outlook": outlook.to_json() if outlook else None,
        "assessment": review.to_json() if review else None,
        "estimate": asdict(cost) if cost else None,
    }


def _saved(out: Path, plan: Plan) -> bool:
    try:
        write_json(out, plan.model_dump(mode="json"))
    except OSError as error:
        print(f"error: {out} cannot be written: {error.strerror or error}", file=sys.stderr)
        return False
    return True
