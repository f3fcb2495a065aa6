"""How many steps are carried out at once: seats, each with the share of a GPU, or the GPUs, and the memory that steps need."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil, floor

from compiler.estimates import DEVICES, UnknownShape, estimate
from compiler.estimates.devices import device_called
from compiler.plan import Plan, Step
from compiler.world import World
from stage1.gpus import Gpu

_KEPT_FREE = 0.1  # share of a GPU's memory that estimates may be wrong by
_MOST_PER_GPU = 8
_MOST_PURE = 4  # steps without a model are short


@dataclass(frozen=True, slots=True)
class Seats:
    """What a cluster is asked for, or this machine."""

    device: int
    """Seats for steps that use a model."""
    gpus: float
    """Of a device seat: several where trainings use several, a share where the plan says that seats fit beside each other."""
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
    return _on_gpus(plan, gpus, cpus, _device_of(resources), world)


def seats_here(plan: Plan, gpus: Sequence[Gpu], cpus: int, workers: int | None, world: World) -> Seats:
    """Seats on this machine: `workers` of them, or else as many as its GPUs have room for; one where there are not several."""
    if workers is None and len(gpus) <= max(1, _devices(plan)):
        workers = 1
    if not gpus:
        return Seats(device=workers or 1, gpus=0, memory=0, pure=0)
    found = _on_gpus(plan, len(gpus), cpus, _kind_of(gpus), world)
    if workers is None:
        return found
    share = found.gpus if found.gpus > 1 else 1 / ceil(workers / len(gpus))  # as the fullest GPU has it
    return replace(found, device=workers, gpus=share, pure=found.pure if workers > 1 else 0)


def processors() -> int:
    """Those that this process may use, which a scheduler or a container may have made fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _on_gpus(plan: Plan, gpus: int, cpus: int, device: str | None, world: World) -> Seats:
    each = _devices(plan)
    if each > 1:  # a training fills them, and what the seat does between its trainings needs one of them
        return Seats(device=max(1, gpus // each), gpus=each, memory=0, pure=_MOST_PURE)
    peak = _peak(plan, device, world) if device else 0
    shared = floor(DEVICES[device].memory * (1 - _KEPT_FREE) / peak) if device and peak else 1
    per_gpu = max(1, min(shared, _MOST_PER_GPU, cpus // (gpus + 1)))
    return Seats(device=gpus * per_gpu, gpus=1 / per_gpu, memory=0, pure=max(1, min(_MOST_PURE, cpus - gpus * per_gpu)))


def _devices(plan: Plan) -> int:
    """GPUs that train an arm together."""
    return int((plan.spec.get("runtime") or {}).get("devices", 1))


def _peak(plan: Plan, device: str, world: World) -> float:
    """Bytes that the hungriest step takes; 0 where the model's shape is not known."""
    try:
        found = estimate(plan, device, None, None, world).peak
    except UnknownShape:
        return 0.0
    return found.memory if found else 0.0


def _kind_of(gpus: Sequence[Gpu]) -> str | None:
    """The smallest of this machine's GPUs as estimates name it; None where one is not known."""
    kinds = [device_called(gpu.name, gpu.memory) for gpu in gpus]
    known = [kind for kind in kinds if kind is not None]
    return min(known, key=lambda kind: kind.memory).name if len(known) == len(kinds) else None


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
