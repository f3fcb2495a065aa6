"""How many steps a cluster carries out at once: seats, each with the share of a GPU and the memory that steps need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import floor

from compiler.estimates import DEVICES, UnknownShape, estimate
from compiler.plan import Plan, Step
from compiler.world import World

_KEPT_FREE = 0.1  # share of a GPU's memory that estimates may be wrong by
_MOST_PER_GPU = 8
_MOST_PURE = 4  # steps without a model are short


@dataclass(frozen=True, slots=True)
class Seats:
    """What the cluster is asked for."""

    device: int
    """Seats for steps that use a model."""
    gpus: float
    """Of a device seat; several seats share a GPU where the plan says that they fit."""
    memory: float
    """Bytes of main memory of a device seat that has no GPU; 0: not asked for."""
    pure: int
    """Seats for steps without a model; 0: they sit with the others."""


def uses_model(step: Step) -> bool:
    """Whether a step needs a device seat."""
    return "model" in step.settings


def seats_for(plan: Plan, resources: Mapping[str, float], world: World) -> Seats:
    """Seats for a cluster that has these resources, in Ray's words: `CPU`, `GPU`, `memory`, `accelerator_type:H100`."""
    cpus, gpus = max(1, floor(resources.get("CPU", 1))), floor(resources.get("GPU", 0))
    if not gpus:
        peak = _peak(plan, "cpu-2", world)
        room = floor(resources.get("memory", 0) / peak) if peak else cpus
        return Seats(device=max(1, min(cpus, room)), gpus=0, memory=peak if room else 0, pure=0)
    name = _device_of(resources)
    peak = _peak(plan, name, world) if name else 0
    shared = floor(DEVICES[name].memory * (1 - _KEPT_FREE) / peak) if name and peak else 1
    per_gpu = max(1, min(shared, _MOST_PER_GPU, cpus // (gpus + 1)))
    return Seats(device=gpus * per_gpu, gpus=1 / per_gpu, memory=0, pure=max(1, min(_MOST_PURE, cpus - gpus * per_gpu)))


def _peak(plan: Plan, device: str, world: World) -> float:
    """Bytes that the hungriest step takes; 0 where the model's shape is not known."""
    try:
        found = estimate(plan, device, None, None, world).peak
    except UnknownShape:
        return 0.0
    return found.memory if found else 0.0


def _device_of(resources: Mapping[str, float]) -> str | None:
    """The smallest known device of the kinds of GPU in the cluster; None where one is not known."""
    kinds = [name.removeprefix("accelerator_type:").lower() for name in resources if name.startswith("accelerator_type:")]
    known = [
        min((d for d in DEVICES if d.startswith(_stem(kind))), key=lambda d: DEVICES[d].memory, default=None) for kind in kinds
    ]
    if not known or None in known:
        return None
    return min((name for name in known if name), key=lambda name: DEVICES[name].memory)


def _stem(kind: str) -> str:
    """Ray's name of a GPU as ours begin: `A100-80G` is `a100-80`."""
    return kind.removesuffix("g").replace("_", "-")
