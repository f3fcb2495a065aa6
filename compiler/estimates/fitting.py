"""Which settings make a step fit into less memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from compiler.estimates.devices import DEVICES, GIB, Device, Together
from compiler.estimates.memory import memory_of
from compiler.estimates.shapes import ModelShape
from compiler.estimates.work import GENERATION_BATCH, Lengths
from compiler.plan import Step

RECIPE = "<recipe>"
"""Stands for the path of the recipe in a spec."""


def remedies(
    step: Step, recipe: str, shape: ModelShape, lengths: Lengths, batch: int | None, device: Device, together: Together
) -> tuple[str, ...]:
    """What makes the largest step fit: settings, each with what it would need then, and a device that is large enough.

    `recipe` is where the spec has the settings of its training.

    Settings that suffice by themselves, the one that saves least first; where none does, those that do together.
    """
    before = memory_of(step, shape, lengths, device, batch, together).peak
    alone = sorted(
        (-peak, _told((words,), peak))
        for words, peak, _, _ in _lower(step, shape, lengths, batch, device, together)
        if peak <= device.memory
    )
    large = sorted((device.memory, device.name) for device in DEVICES.values() if device.is_gpu and device.memory >= before)
    ways = [words for _, words in alone] or _combined(step, shape, lengths, batch, device, together)
    elsewhere = f"take {large[0][1]}" if large else "no known device is large enough as it stands"
    return (*(way.replace(RECIPE, recipe) for way in ways), elsewhere)


def _told(words: tuple[str, ...], peak: float) -> str:
    """Settings, and what is needed with them."""
    return f"set {' and '.join(f'`{setting}`' for setting in words)} (about {peak / GIB:.1f} GiB)"


def _combined(
    step: Step, shape: ModelShape, lengths: Lengths, batch: int | None, device: Device, together: Together
) -> list[str]:
    """Setting after setting, each time the one that saves most, until the step fits or nothing more helps."""
    words: dict[str, str] = {}
    """By setting: one that is lowered again replaces its first value."""
    peak = memory_of(step, shape, lengths, device, batch, together).peak
    for _ in range(8):
        if peak <= device.memory:
            break
        ways = _lower(step, shape, lengths, batch, device, together)
        if not ways:
            break
        setting, peak, step, batch = min(ways, key=lambda way: way[1])
        words[setting.split(":")[0]] = setting
    return (
        [_told(tuple(words.values()), peak) + ("" if peak <= device.memory else ", which is still too much")] if words else []
    )


def _lower(
    step: Step, shape: ModelShape, lengths: Lengths, batch: int | None, device: Device, together: Together
) -> list[tuple[str, float, Step, int | None]]:
    """The settings that lower a step's peak: words, peak, and the step and generation batch as they would be."""
    before = memory_of(step, shape, lengths, device, batch, together).peak
    found = []
    for words, settings, generation_batch in _changes(step, batch):
        changed = step.model_copy(update={"settings": settings})
        peak = memory_of(changed, shape, lengths, device, generation_batch, together).peak
        if peak < 0.98 * before:
            found.append((words, peak, changed, generation_batch))
    return found


def _changes(step: Step, batch: int | None) -> Iterator[tuple[str, dict[str, Any], int | None]]:
    settings = step.settings
    model = settings["model"]
    if model["quantization"] == "none" and model.get("adapter", {}) is not None:
        yield "model.quantization: nf4", settings | {"model": model | {"quantization": "nf4"}}, batch
    if model["dtype"] == "float32" and model.get("adapter", {}) is not None:  # all weights train in float32 alone
        yield "model.dtype: bfloat16", settings | {"model": model | {"dtype": "bfloat16"}}, batch
    if step.kind == "train":
        recipe = settings["recipe"]
        if model["adapter"] is None:
            adapter = {"rank": 16, "alpha": 32, "dropout": 0.0, "targets": "all-linear"}
            yield "model.adapter: {rank: 16, alpha: 32}", settings | {"model": model | {"adapter": adapter}}, batch
        yield f"{RECIPE}.micro_batch_size: 1", settings | {"recipe": recipe | {"micro_batch_size": 1}}, batch
        shorter = max(64, recipe["max_length"] // 4)
        yield f"{RECIPE}.max_length: {shorter}", settings | {"recipe": recipe | {"max_length": shorter}}, batch
    if step.kind in ("generate", "respond"):
        smaller = max(1, (batch or GENERATION_BATCH) // 8)
        yield f"runtime.generation_batch_size: {smaller}", settings, smaller
