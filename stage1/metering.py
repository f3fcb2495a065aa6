"""On what a step's model ran, and how much of that device's memory it took. Asks PyTorch only where it is loaded anyway."""

from __future__ import annotations

import sys
from typing import Any

from compiler.estimates.devices import SMALL_COMPUTER, device_called


def start_metering() -> None:
    """Forget the peak of the step before."""
    cuda = _cuda()
    if cuda is not None:
        cuda.reset_peak_memory_stats()


def metered() -> dict[str, Any]:
    """For the manifest of a step with a model: the device as estimates name it and as it calls itself, and its peak memory.

    Training that is spread over processes of its own is not seen from here; its device is, its peak is not.
    """
    cuda = _cuda()
    if cuda is None:
        return {"device": SMALL_COMPUTER}
    told, memory = cuda.get_device_name(), int(cuda.get_device_properties(cuda.current_device()).total_memory)
    known = device_called(told, memory)
    return {
        "device": known.name if known is not None else told,
        "device_name": told,
        "gpu_memory_bytes": memory,
        "gpu_peak_memory_bytes": int(cuda.max_memory_reserved()),
    }


def _cuda() -> Any:
    torch = sys.modules.get("torch")
    cuda = getattr(torch, "cuda", None)
    return cuda if cuda is not None and cuda.is_available() and cuda.is_initialized() else None
