"""`stage1 diff A B`: what differs between two specs, plans or runs, by arm and step; and in results, where both are there."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compiler.explain_plan import explain_plan
from compiler.plan import Plan, Step
from evaluators.results import Analysis
from stage1.commands.compiling import CannotRead
from stage1.commands.plans import plan_of
from stage1.report.words import counted
from stage1.store import DamagedArtifact, Store, StoreUnreachable, open_store


@dataclass(frozen=True, slots=True)
class StepDifference:
    """One step that is not the same in both plans."""

    step: str
    arm: str | None
    what: str
    """`only in A`, `only in B`, or its settings that changed and its inputs that did."""


def show_difference(first: Path, second: Path, *, as_json: bool, store_root: Path, url: str | None = None) -> int:
    """Print the difference; 1 if a spec has errors, 2 if something cannot be read.

    Raises:
        StoreUnreachable: the URL of the store cannot be used.
    """
    try:
        a, b = plan_of(first), plan_of(second)
    except CannotRead as problem:
        print(problem, file=sys.stderr)
        return 2
    if a is None or b is None:
        return 1
    steps, results = differences(a, b), result_differences(a, b, open_store(store_root, url))
    if as_json:
        rows = [{"step": row.step, "arm": row.arm, "what": row.what} for row in steps]
        same = a.fingerprint == b.fingerprint
        print(json.dumps({"a": a.fingerprint, "b": b.fingerprint, "same": same, "steps": rows, "results": results}, indent=1))
        return 0
    print(f"A  {a.experiment}  plan {a.fingerprint[:12]}  {first}\nB  {b.experiment}  plan {b.fingerprint[:12]}  {second}")
    _print_steps(steps, a, b)
    _print_results(results)
    return 0


def differences(a: Plan, b: Plan) -> list[StepDifference]:
    """Every step that is in one plan only, or differs, in the order of B, then of A."""
    before, now = {step.id: step for step in a.steps}, {step.id: step for step in b.steps}
    why = {step.id: step.why for step in explain_plan(b, frozenset(step.fingerprint for step in a.steps), a).steps}
    found = [
        StepDifference(step.id, step.arm, why[step.id] if step.id in before else "only in B")
        for step in b.steps
        if step.id not in before or before[step.id].fingerprint != step.fingerprint
    ]
    return found + [StepDifference(step.id, step.arm, "only in A") for step in a.steps if step.id not in now]


def result_differences(a: Plan, b: Plan, store: Store) -> dict[str, Any] | None:
    """Verdicts, and rates per arm and endpoint, that are not the same; None unless both plans have been run."""
    first, second = (_analysis(plan, store) for plan in (a, b))
    if first is None or second is None:
        return None
    verdicts = _unlike({c.claim: c.verdict for c in first.claims}, {c.claim: c.verdict for c in second.claims})
    rates = _unlike(
        {f"{r.arm} {r.endpoint}": r.rate for r in first.rates}, {f"{r.arm} {r.endpoint}": r.rate for r in second.rates}
    )
    return {"verdicts": verdicts, "rates": rates}


def _analysis(plan: Plan, store: Store) -> Analysis | None:
    step: Step = plan.step(plan.analyze)
    try:
        return Analysis.model_validate(store.open(step.fingerprint).read_json("analysis.json"))
    except StoreUnreachable:
        raise
    except (KeyError, DamagedArtifact, ValueError, OSError):
        return None


def _unlike(first: dict[str, Any], second: dict[str, Any]) -> dict[str, list[Any]]:
    names = list(dict.fromkeys([*first, *second]))
    return {name: [first.get(name), second.get(name)] for name in names if first.get(name) != second.get(name)}


def _print_steps(steps: list[StepDifference], a: Plan, b: Plan) -> None:
    if not steps:
        print("\nthe same steps")
        return
    shared = len(b.steps) - sum(row.what != "only in A" for row in steps)
    print(f"\n{counted(shared, 'step')} {'is' if shared == 1 else 'are'} the same in both; these are not")
    for arm in dict.fromkeys(row.arm for row in steps):
        print(f"\n{arm or 'shared by all arms'}")
        for row in steps:
            if row.arm == arm:
                print(f"  {row.step:<34} {row.what}")


def _print_results(results: dict[str, Any] | None) -> None:
    if results is None:
        print("\nresults: compared once both have been run in this store")
        return
    print("\nresults")
    for name, (first, second) in results["verdicts"].items():
        print(f"  {name:<34} {first or 'no such claim'} -> {second or 'no such claim'}")
    for name, (first, second) in results["rates"].items():
        print(f"  {name:<50} {_percent(first)} -> {_percent(second)}")
    if not results["verdicts"] and not results["rates"]:
        print("  the same")


def _percent(rate: float | None) -> str:
    return "none" if rate is None else f"{100 * rate:.1f}%"
