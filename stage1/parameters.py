"""Which settings differ between the arms of a plan: the only ones worth a column in a comparison."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from compiler.language.recipes import NEUTRAL
from compiler.plan import ArmSteps, Plan


def what_varies(plan: Plan) -> dict[str, dict[str, str]]:
    """For each arm x seed (`ArmSteps.key`): `arm`, `seed`, and those settings that are not the same in all arms.

    Of how arms are trained, what all trained arms have in common does not vary: an untrained one merely has none of it.
    """
    settings = {entry.key: _settings(entry, plan) for entry in plan.arms}
    names = sorted({name for values in settings.values() for name in values})
    varying = [
        name
        for name in names
        if len({settings[e.key].get(name) for e in plan.arms if e.train is not None or name in settings[e.key]}) > 1
    ]
    return {
        entry.key: {"arm": entry.arm, "seed": str(entry.seed if entry.seed is not None else "none")}
        | {name: settings[entry.key].get(name, _left_out(name, entry)) for name in varying}
        for entry in plan.arms
    }


def _left_out(name: str, entry: ArmSteps) -> str:
    return str(NEUTRAL[name]) if name in NEUTRAL and entry.train is not None else "none"


def _settings(entry: ArmSteps, plan: Plan) -> dict[str, str]:
    respond = plan.step(entry.respond)
    values = {f"prompt.{name}": value for name, value in _flat(respond.settings.get("prompt", {}))}
    if entry.train is None:
        return values | {"from": respond.settings.get("responses", "none"), "objective": "none"}
    train = plan.step(entry.train)
    parent = train.inputs.get("checkpoint")
    values["from"] = (plan.step(parent).arm or parent) if parent else "base model"
    values |= dict(_flat(train.settings.get("recipe", {})))
    for role in ("pairs", "demonstrations"):
        if role in train.inputs:
            data = plan.step(train.inputs[role]).settings
            values |= {f"{role}.{name}": value for name, value in _flat({k: v for k, v in data.items() if k != "seed"})}
    return values


def _flat(value: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _flat(inner, f"{prefix}.{name}" if prefix else str(name))
    else:
        yield prefix, str(value)
