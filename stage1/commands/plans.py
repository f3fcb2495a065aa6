"""A plan from whatever a person names: a spec, a plan written earlier, or the folder of a run."""

from __future__ import annotations

from pathlib import Path

from compiler.plan import Plan
from stage1.commands.compiling import CannotRead, compiled_or_planned, print_diagnostics


def plan_of(named: Path) -> Plan | None:
    """The plan; None, its errors told on stderr, if it is a spec with errors.

    Raises:
        CannotRead: it is neither.
    """
    path = named / "plan.json" if named.is_dir() else named
    if named.is_dir() and not path.exists():
        runs = sorted(str(plan.parent) for plan in named.glob("*/plan.json"))
        there = (
            f"there is {', '.join(runs[:5])}"
            if runs
            else "name a spec, a plan, or the folder of a run, such as runs/EXPERIMENT"
        )
        raise CannotRead(f"error: {named} is no folder of a run: it holds no plan.json; {there}")
    compilation = compiled_or_planned(path, [])
    if compilation.plan is None:
        print_diagnostics(compilation)
    return compilation.plan


def specs_in(folder: Path) -> list[Path]:
    """The YAML files of a folder, in order.

    Raises:
        CannotRead: there is no such folder, or no spec in it.
    """
    found = sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")]) if folder.is_dir() else []
    if not found:
        raise CannotRead(f"error: there is no spec in {folder}; name the folder of your specs with --specs")
    return found
