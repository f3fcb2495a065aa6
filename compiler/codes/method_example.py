"""The experiment that the examples of the method codes are about. Claims about checkpoints need no controls of training."""

from __future__ import annotations

ARMS = """
experiment: demo
data: {preferences: {chosen: {from: sft}}}
recipes:
  sft: {objective: sft}
  dpo: {objective: dpo}
arms:
  base: {}
  sft: {from: base, train: sft}
  sft_dpo: {from: sft, train: dpo}
"""


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
