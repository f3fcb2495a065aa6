"""Devices by name: what they are assumed to do. Rates are those of data sheets, dense bfloat16, without sparsity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

GIB = 1024**3


@dataclass(frozen=True, slots=True)
class Device:
    """One accelerator, or a small computer without one."""

    name: str
    memory: float
    """Bytes."""
    flops: float
    """FLOP per second, dense bfloat16, as the data sheet has it; float32 training runs at a part of it."""
    float32_share: float
    """Rate in float32 as a share of `flops`."""
    bandwidth: float
    """Bytes per second between memory and cores."""
    utilization: float
    """Assumed share of `flops` that training and prompts reach."""
    overhead: float
    """Assumed seconds per layer and forward pass that no arithmetic explains: launching kernels, Python."""
    is_gpu: bool = True

    def rate(self, dtype: str) -> float:
        """FLOP per second that computing in this type is assumed to reach."""
        return self.flops * self.utilization * (self.float32_share if dtype == "float32" else 1.0)


def _gpu(name: str, gib: float, tera_flops: float, float32_share: float, giga_bytes: float) -> Device:
    return Device(name, gib * GIB, tera_flops * 1e12, float32_share, giga_bytes * 1e9, utilization=0.35, overhead=2.5e-4)


DEVICES: Mapping[str, Device] = {
    device.name: device
    for device in (
        Device("cpu-2", 8 * GIB, 6e10, 1.0, 1.5e10, utilization=0.35, overhead=4e-4, is_gpu=False),
        _gpu("rtx4090-24", 24, 165, 0.5, 1008),
        _gpu("l40s-48", 48, 362, 0.25, 864),
        _gpu("a100-40", 40, 312, 0.0625, 1555),
        _gpu("a100-80", 80, 312, 0.0625, 2039),
        _gpu("h100-80", 80, 989, 0.068, 3350),
        _gpu("h200-141", 141, 989, 0.068, 4800),
    )
}


@dataclass(frozen=True, slots=True)
class Together:
    """Devices that train one arm side by side."""

    devices: int = 1
    sharded: bool = False
    """Each holds a share of every weight (FSDP), not all of them."""

    @classmethod
    def told(cls, runtime: Mapping[str, Any]) -> Together:
        """By the `devices` and `strategy` of a spec's runtime, or of what a training recorded."""
        devices = runtime.get("devices")
        if not isinstance(devices, int) or devices <= 1:
            return cls()
        return cls(devices, sharded=runtime.get("strategy") == "fsdp")

    @property
    def share(self) -> float:
        """Of what is sharded, on one device."""
        return 1 / self.devices if self.sharded else 1.0


ALONE = Together()
LINK = 5e10
"""Assumed bytes per second between devices of one machine: more with NVLink, less without."""

SMALL_COMPUTER = "cpu-2"
"""What stands for every machine without an accelerator."""


def device_called(told: str, memory: int) -> Device | None:
    """The device that a driver's name and its bytes of memory mean, such as `NVIDIA H100 80GB HBM3`; None for others."""
    plain = told.lower().replace(" ", "").replace("-", "")
    alike = [
        device
        for device in DEVICES.values()
        if device.is_gpu and device.name.split("-")[0] in plain and 0.85 < memory / device.memory < 1.15
    ]
    return min(alike, key=lambda device: abs(device.memory - memory), default=None)
