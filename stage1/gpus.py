"""The GPUs that work started from here would see, asked of the driver: this process never opens CUDA for it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

SEAT_GPUS = "STAGE1_SEAT_GPUS"
"""Set in a process that was given GPUs: it must not do with the CPU where they are gone."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU of this machine."""

    id: str
    """As CUDA_VISIBLE_DEVICES names it: a number, or the beginning of `GPU-...`."""
    name: str
    memory: int
    """Bytes; 0 where the driver does not tell."""


def visible_gpus(environment: Mapping[str, str] = os.environ) -> tuple[Gpu, ...]:
    """All of this machine, or those that CUDA_VISIBLE_DEVICES leaves; none where there is no driver."""
    with _driver() as nvml:
        if nvml is None:
            return ()
        told = environment.get("CUDA_VISIBLE_DEVICES")
        ids = [str(number) for number in range(nvml.nvmlDeviceGetCount())] if told is None else chosen(told)
        return tuple(_gpu(nvml, id) for id in ids)


def chosen(told: str) -> list[str]:
    """What CUDA_VISIBLE_DEVICES names; as in CUDA, what comes after a name that cannot be one is not seen."""
    ids: list[str] = []
    for name in told.split(","):
        if not (name.strip().isdigit() or name.strip().startswith(("GPU-", "MIG-"))):
            break
        ids.append(name.strip())
    return ids


@contextmanager
def _driver() -> Any:
    try:
        import pynvml

        pynvml.nvmlInit()
    except Exception:  # no library, no driver, or one that does not answer: no GPU to be used either way
        yield None
        return
    try:
        yield pynvml
    finally:
        pynvml.nvmlShutdown()


def _gpu(nvml: Any, id: str) -> Gpu:
    try:
        handle = nvml.nvmlDeviceGetHandleByIndex(int(id)) if id.isdigit() else nvml.nvmlDeviceGetHandleByUUID(id)
        name = nvml.nvmlDeviceGetName(handle)
        return Gpu(id, name if isinstance(name, str) else name.decode(), int(nvml.nvmlDeviceGetMemoryInfo(handle).total))
    except nvml.NVMLError:  # a shortened name, or a part of a GPU: usable, but nothing is known of it
        return Gpu(id, "", 0)
