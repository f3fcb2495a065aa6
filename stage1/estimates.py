"""Calibration of estimates: what the store's manifests say that steps took, against what was estimated for them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any, TypeGuard

from pydantic import ValidationError

from compiler.estimates import DEVICES, Calibration, ModelShape, UnknownShape, shape_of
from compiler.estimates.devices import Together
from compiler.estimates.estimate import device_named, step_estimate
from compiler.estimates.work import Lengths
from compiler.plan import Step
from compiler.world import World
from stage1.store import MANIFEST

_SHORTEST = 0.01  # seconds


def calibration_of(store_root: Path, device: str, world: World, base: str | None = None) -> Calibration:
    """What the artifacts of a store recorded: measured over estimated seconds on this device, and lengths in tokens.

    A manifest that names no device is taken to come from a small computer (`cpu-2`) if its model is the embedded one, and is
    left out otherwise. Steps without a model count for every device; lengths count whatever the device, for the base model
    that tokenized them. Unreadable manifests are passed over.

    Args:
        store_root: the folder of the store.
        device: a name of `DEVICES`.
        world: reads a local model's config.
        base: the model whose lengths are wanted; None: no lengths.

    Raises:
        UnknownDevice: no such device.
    """
    machine = DEVICES[device_named(device).name]
    made = dict(_made(store_root))
    steps = {fingerprint: step for fingerprint, (step, _) in made.items()}
    lengths = _lengths([entry for entry in made.values() if entry[0].settings.get("model", {}).get("base") == base])
    believed = Calibration(machine.name, lengths=lengths)
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
            expected = step_estimate(step, steps, shape, machine, believed, together=Together.told(provenance)).seconds
        except KeyError:  # an artifact further up is gone
            continue
        ratios.setdefault(step.kind, []).append(seconds / expected)
    return Calibration(machine.name, ratios, lengths)


def _lengths(made: Sequence[tuple[Step, dict[str, Any]]]) -> Lengths | None:
    """Mean lengths in tokens of prompts, of worked examples, and of the answers of arms that stop by themselves."""
    told = [(step, lengths) for step, provenance in made if _are_lengths(lengths := provenance.get("lengths"))]
    plain = [lengths["prompt"] for step, lengths in told if step.settings["prompt"]["style"] == "instruction"]
    answers = [
        lengths for step, lengths in told if "checkpoint" in step.inputs or step.settings["prompt"]["style"] == "few-shot"
    ]
    if not plain or not answers:
        return None
    prompt, answer = fmean(plain), fmean(lengths["answer"] for lengths in answers)
    shown = [(lengths["prompt"] - prompt) / shots for step, lengths in told if (shots := step.settings["prompt"]["few_shot"])]
    trained = [lengths["longest"] for step, lengths in told if "checkpoint" in step.inputs]
    longest = max(1.0, max(trained) / (prompt + answer)) if trained else Lengths().longest
    return Lengths(prompt, answer, fmean(shown) if shown else Lengths().example, longest)


def _are_lengths(found: object) -> TypeGuard[dict[str, float]]:
    wanted = ("prompt", "answer", "longest")
    return isinstance(found, dict) and all(isinstance(found.get(name), int | float) and found[name] > 0 for name in wanted)


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
