"""How a training fits into memory: how many tokens go through the model at a time, and what is computed again on the way back.

Neither changes what is computed, but for the order of float additions.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from compiler.estimates.micro_batches import CPU_TOKENS, Recompute, largest
from compiler.estimates.shapes import shape_from_config
from models.attention import can_pack
from models.loading import LoadedBase


@dataclass(frozen=True)
class MemoryPolicy:
    """For one training."""

    tokens: int
    """Tokens of a micro-batch at most (with padding where there is any), unless a single prompt's tree is larger."""
    recompute: Recompute
    packed: bool
    """Trees end to end in one row, not padded."""

    def halved(self) -> MemoryPolicy:
        """After running out of memory: half as much at a time."""
        return MemoryPolicy(max(1, self.tokens // 2), self.recompute, self.packed)


def choose(base: LoadedBase, limit: int | None = None, recompute: Recompute | None = None) -> MemoryPolicy:
    """The largest micro-batch that fits; whatever makes it large enough is computed again, and no more than that.

    Args:
        base: with what is to be trained on it.
        limit: bytes that the process may take of the device in all; None takes what is free.
        recompute: None chooses.
    """
    packed = can_pack(base.device, base.model.dtype)
    if base.device.type != "cuda":
        return MemoryPolicy(CPU_TOKENS, recompute or "none", packed)
    shape = shape_from_config(base.settings.base, base.model.config.to_json_string())
    found = largest(shape, base.model.dtype.itemsize, _room(base.device, limit), recompute)
    return MemoryPolicy(found.tokens, found.recompute, packed)


def _room(device: torch.device, limit: int | None) -> int:
    """Bytes beyond what is allocated now: free on the device, or held by the allocator and not in use."""
    free, _ = torch.cuda.mem_get_info(device)
    allocated = torch.cuda.memory_allocated(device)
    room = free + torch.cuda.memory_reserved(device) - allocated
    return room if limit is None else min(room, limit - allocated)
