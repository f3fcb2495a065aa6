"""Whether kernels written in Triton run here: it takes an NVIDIA GPU, Triton itself, and a C compiler at first use."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


@cache
def runs_triton(device: torch.device) -> bool:
    """Tried once on the smallest of the project's kernels; where it does not run, PyTorch and bitsandbytes do the work."""
    if device.type != "cuda":
        return False
    try:
        from models.nf4_kernel import try_out

        return try_out(device)
    except Exception:  # no Triton, no compiler, a device that it does not know: whatever the reason, there is another way
        return False
