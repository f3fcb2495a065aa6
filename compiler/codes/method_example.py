"""Claims for the examples of the method codes. Claims about checkpoints need no controls of training."""

from __future__ import annotations

from compiler.codes.example import TWO_STAGES as ARMS

__all__ = ["ARMS", "also", "claim", "two_stage"]


def claim(name: str, compare: str, isolates: str, *, on: str = "coherent", kind: str = "checkpoint", **other: str) -> str:
    """A `claims` section with one claim."""
    given = {"says": "it helps", "compare": f"[{compare}]", "expect": "greater", "kind": kind, "on": f"[{on}]"} | other
    lines = (f"    {key}: {value}\n" for key, value in (given | {"isolates": f"[{isolates}]"}).items())
    return f"claims:\n  {name}:\n" + "".join(lines)


def two_stage(second: str, isolates: str) -> str:
    """Two stages against one."""
    return claim("two_stage", f"sft_dpo, {second}", isolates, on="addresses_instruction")


def also(name: str, compare: str, isolates: str, *, on: str = "coherent") -> str:
    """One more recipe claim, in one line."""
    return f"  {name}: {{says: it helps, compare: [{compare}], expect: greater, on: [{on}], isolates: [{isolates}]}}\n"
