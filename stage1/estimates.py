"""Calibration of estimates: what the store's manifests say that steps took, against what was estimated for them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from compiler.estimates import DEVICES, Calibration, ModelShape, UnknownShape, shape_of
from compiler.estimates.estimate import device_named, step_estimate
from compiler.plan import Step
from compiler.world import World
from stage1.store import MANIFEST

_SHORTEST = 0.01  # seconds


def calibration_of(store_root: Path, device: str, world: World) -> Calibration:
    """Measured over estimated seconds of every artifact in a store that was made on this device.

    A manifest that names no device is taken to come from a small computer (`cpu-2`) if its model is the embedded one, and is
    left out otherwise. Steps without a model count for every device. Unreadable manifests are passed over.

    Raises:
        UnknownDevice: no such device.
    """
    machine = DEVICES[device_named(device).name]
    made = dict(_made(store_root))
    steps = {fingerprint: step for fingerprint, (step, _) in made.items()}
    ratios: dict[str, list[float]] = {}
    shapes: dict[str, ModelShape | None] = {}
    for step, provenance in made.values():
        seconds, model = provenance.get("seconds"), step.settings.get("model", {"base": "tiny-base"})
        if not isinstance(seconds, int | float) or seconds < _SHORTEST or not set(step.inputs.values()) <= steps.keys():
            continue
        shape = shapes.setdefault(model["base"], _shape(model["base"], world))
        if shape is None or ("model" in step.settings and _device(provenance, model["base"]) != machine.name):
            continue
        try:
            expected = step_estimate(step, steps, shape, machine, Calibration(machine.name)).seconds
        except KeyError:  # an artifact further up is gone
            continue
        ratios.setdefault(step.kind, []).append(seconds / expected)
    return Calibration(machine.name, ratios)


def _shape(base: str, world: World) -> ModelShape | None:
    try:
        return shape_of(base, world)
    except UnknownShape:
        return None


def _device(provenance: dict[str, Any], base: str) -> str | None:
    named = provenance.get("device")
    return str(named) if named else "cpu-2" if base == "tiny-base" else None


def _made(root: Path) -> Iterator[tuple[str, tuple[Step, dict[str, Any]]]]:
    """Every artifact's step, its inputs named by fingerprint, and its provenance."""
    for path in sorted((root / "artifacts").glob(f"*/{MANIFEST}")):
        try:
            manifest = json.loads(path.read_text(encoding="utf-8"))
            told = {name: manifest[name] for name in ("kind", "version", "settings", "inputs", "fingerprint")}
            yield manifest["fingerprint"], (Step(id=manifest["fingerprint"], **told), dict(manifest["provenance"]))
        except (OSError, ValueError, KeyError, TypeError, ValidationError):
            continue
