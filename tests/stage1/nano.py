"""The smallest real experiment, and its plans."""

from __future__ import annotations

from pathlib import Path

from compiler.plan import Plan
from stage1.commands.compiling import compile_file

NANO = Path(__file__).with_name("nano.yaml")


def plan_of(*overrides: str) -> Plan:
    """The nano plan with overrides."""
    plan = compile_file(NANO, overrides).plan
    assert plan is not None
    return plan
