"""Time, memory and price of a plan on a device, per step and in total."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import exp, log, sqrt
from typing import Any

from compiler.diagnostics import did_you_mean
from compiler.estimates.devices import ALONE, DEVICES, GIB, LINK, Device, Together
from compiler.estimates.fitting import remedies
from compiler.estimates.memory import memory_of, micro_batch_of, trained_bytes, weight_bytes
from compiler.estimates.shapes import ModelShape, shape_of
from compiler.estimates.work import Lengths, Steps, Work, work_of
from compiler.plan import Plan, Step, StepKind
from compiler.world import World

UNCALIBRATED_ERROR = 3.0
"""Without anything measured, times are believed to be right within this factor either way."""
NF4_RATE = 0.6
"""Share of the rate that is left where 4-bit weights are unpacked on the way."""

_PURE: Mapping[StepKind, float] = {
    "instructions": 1.7, "demonstrations": 0.1, "preferences": 2.7, "heldout_pairs": 1.1, "score": 0.6, "gate": 0.1,
    "analyze": 2.5,
}  # fmt: skip
"""Seconds of the steps without a model, as measured on two cores."""


class UnknownDevice(Exception):
    """No device of that name; the message lists those there are."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """What runs recorded on one device: per kind of step, measured seconds over estimated seconds."""

    device: str
    ratios: Mapping[str, Sequence[float]] = field(default_factory=dict)
    lengths: Lengths | None = None
    """Measured lengths, where there are any."""

    def factor(self, kind: str) -> float:
        """The geometric mean of a kind's ratios; 1 where nothing was measured."""
        known = self.ratios.get(kind)
        return exp(sum(map(log, known)) / len(known)) if known else 1.0

    def error(self, kind: str) -> float:
        """The factor within which about nine in ten estimates lie, from the scatter of the ratios; never below 1.3."""
        known = self.ratios.get(kind)
        if not known or len(known) < 2:
            return UNCALIBRATED_ERROR
        middle = log(self.factor(kind))
        return max(1.3, exp(1.7 * sqrt(sum((log(ratio) - middle) ** 2 for ratio in known) / (len(known) - 1))))


@dataclass(frozen=True, slots=True)
class StepEstimate:
    """What one step takes."""

    id: str
    kind: StepKind
    work: Work
    memory: float
    """Peak bytes on the device; 0 for a step without a model."""
    seconds: float
    error: float
    """The time is believed to lie within this factor either way."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a plan takes on a device."""

    device: Device
    price: float | None
    """Per hour, in whatever currency it was given."""
    shape: ModelShape
    lengths: Lengths
    steps: tuple[StepEstimate, ...]
    loading: float
    """Seconds in which the weights are read, once per run."""
    calibrated: tuple[str, ...]
    """Kinds of steps whose times were corrected by what runs recorded."""
    remedies: tuple[str, ...] = ()
    """Where it does not fit: settings that help, the most useful first."""

    @property
    def seconds(self) -> float:
        """All steps one after the other."""
        return self.loading + sum(step.seconds for step in self.steps)

    @property
    def error(self) -> float:
        """The factor within which the total is believed to lie: the steps' own, weighted by their time."""
        total = sum(step.seconds for step in self.steps)
        return sum(step.error * step.seconds for step in self.steps) / total if total else 1.0

    @property
    def cost(self) -> float | None:
        """Price of the whole; None without a price per hour."""
        return None if self.price is None else self.price * self.seconds / 3600

    @property
    def flops(self) -> float:
        """FLOPs of all steps."""
        return sum(step.work.flops for step in self.steps)

    @property
    def peak(self) -> StepEstimate | None:
        """The step that needs the most memory."""
        return max(self.steps, key=lambda step: step.memory, default=None)

    @property
    def fits(self) -> bool:
        """Whether every step fits into the device's memory."""
        return self.peak is None or self.peak.memory <= self.device.memory


def device_named(name: str) -> Device:
    """The device of that name.

    Raises:
        UnknownDevice: there is none.
    """
    if name in DEVICES:
        return DEVICES[name]
    begins = sorted(
        (known for known in DEVICES if name and known.startswith(f"{name.lower()}-")), key=lambda known: DEVICES[known].memory
    )
    if begins:
        return DEVICES[begins[-1]]
    meant = did_you_mean(name, DEVICES)
    raise UnknownDevice(
        f"there is no device {name!r}{f'; did you mean {meant}?' if meant else ''} (known: {', '.join(DEVICES)})"
    )


def estimate(
    plan: Plan,
    device: str,
    price: float | None,
    calibration: Calibration | None,
    world: World,
    skip: frozenset[str] = frozenset(),
) -> Estimate:
    """What a plan takes on a device.

    Args:
        plan: what is to be done.
        device: a name of `DEVICES`; a name without its memory, such as `h200`, means the largest of these.
        price: of an hour, or None.
        calibration: what earlier runs recorded; used only if that was on this device.
        world: reads a local model's config.
        skip: ids of steps that will be reused, which take nothing.

    Raises:
        UnknownDevice: no such device.
        UnknownShape: the model's shape cannot be known.
    """
    machine = device_named(device)
    known = calibration if calibration is not None and calibration.device == machine.name else Calibration(machine.name)
    shape, lengths = shape_of(str(plan.spec["model"]["base"]), world), known.lengths or Lengths()
    runtime = plan.spec.get("runtime") or {}
    batch, together = runtime.get("generation_batch_size"), Together.told(runtime)
    steps = {step.id: step for step in plan.steps}
    wanted = [step for step in plan.steps if step.id not in skip]
    told = tuple(step_estimate(step, steps, shape, machine, known, batch, together) for step in wanted)
    loading = _loading(plan, shape) if any("model" in step.settings for step in wanted) else 0.0
    found = Estimate(machine, price, shape, lengths, told, loading, tuple(sorted(known.ratios)))
    peak = found.peak
    if found.fits or peak is None:
        return found
    ways = remedies(steps[peak.id], _recipe_path(plan, steps[peak.id]), shape, lengths, batch, machine, together)
    return replace(found, remedies=ways)


def _recipe_path(plan: Plan, step: Step) -> str:
    """Where the spec says how a step's arm is trained: settings below it can be changed there."""
    train = plan.spec["arms"].get(step.arm, {}).get("train")
    return f"arms.{step.arm}.train" if isinstance(train, dict) else f"recipes.{train}"


def step_estimate(
    step: Step,
    steps: Steps,
    shape: ModelShape,
    device: Device,
    calibration: Calibration,
    batch: int | None = None,
    together: Together = ALONE,
) -> StepEstimate:
    """What one step takes; `steps` has those it reads, by the ids that its inputs name. Trainings use devices `together`."""
    lengths = calibration.lengths or Lengths()
    micro = micro_batch_of(step, shape, device, together) if step.kind == "train" else None
    work = work_of(step, steps, shape, lengths, batch, micro, together)
    has_model = "model" in step.settings
    seconds = _seconds(step, work, shape, device, together) if has_model else _PURE.get(step.kind, 1.0)
    return StepEstimate(
        id=step.id,
        kind=step.kind,
        work=work,
        memory=memory_of(step, shape, lengths, device, batch, together).peak if has_model else 0.0,
        seconds=seconds * calibration.factor(step.kind),
        error=calibration.error(step.kind),
    )


def _seconds(step: Step, work: Work, shape: ModelShape, device: Device, together: Together) -> float:
    """Arithmetic, reading the weights once per pass, and what launching costs: generation is bound by the second.

    Devices that train together share the arithmetic, and exchange gradients or sharded weights.
    """
    model: Mapping[str, Any] = step.settings["model"]
    rate = device.rate(model["dtype"]) * (NF4_RATE if model["quantization"] == "nf4" else 1.0)
    weights = weight_bytes(model, shape)
    reading = work.passes * weights / device.bandwidth
    sharers = together.devices if step.kind == "train" else 1
    exchanged = _exchanged(work, weights, trained_bytes(model, shape) / 4, together) if sharers > 1 else 0.0
    return max(work.flops / rate / sharers, reading) + work.passes * shape.layers * device.overhead + exchanged / LINK


def _exchanged(work: Work, weights: float, gradients: float, together: Together) -> float:
    """Bytes that a device receives: of every update the others' gradients, and of sharded weights the rest in every pass."""
    others = 1 - 1 / together.devices
    return others * (2 * work.optimizer_steps * gradients + (work.passes * weights if together.sharded else 0.0))


def _loading(plan: Plan, shape: ModelShape) -> float:
    """Reading the 2-byte weights from disk at a gigabyte a second; a download comes on top and is not counted."""
    return 3.0 + 2 * shape.parameters / GIB
