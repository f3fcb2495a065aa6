"""How a training fits into memory: how many tokens go through the model at a time, and what is computed again on the way back.

Neither changes what is computed, but for the order of float additions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch

from compiler.estimates.micro_batches import CPU_TOKENS, MOST_TOKENS, Recompute, largest
from compiler.estimates.shapes import shape_from_config
from models.attention import can_pack
from models.loading import LoadedBase
from models.memory import free_bytes
from models.nf4 import four_bit_layers


@dataclass(frozen=True)
class MemoryPolicy:
    """For one training."""

    tokens: int
    """Tokens of a micro-batch at most (with padding where there is any), unless a single prompt's tree is larger."""
    recompute: Recompute
    packed: bool
    """Trees end to end in one row, not padded."""
    laid_out: bool = False
    """Four-bit weights are kept dense for the whole training: the same numbers, made once."""

    def halved(self) -> MemoryPolicy:
        """After running out of memory: half as much at a time."""
        return replace(self, tokens=max(1, self.tokens // 2))


def choose(
    base: LoadedBase,
    limit: int | None = None,
    recompute: Recompute | None = None,
    *,
    most: int = MOST_TOKENS,
    together: int = 1,
    may_lay_out: bool = True,
) -> MemoryPolicy:
    """The fastest micro-batch that fits.

    Args:
        base: with what is to be trained on it.
        limit: bytes that the process may take of the device in all; None takes what is free.
        recompute: None chooses.
        most: tokens that a global batch has, at most.
        together: tokens that a prompt has with its responses, about.
        may_lay_out: whether four-bit weights may be kept dense, where there is room.
    """
    packed = can_pack(base.device, base.model.dtype)
    if base.device.type != "cuda":
        return MemoryPolicy(CPU_TOKENS, recompute or "none", packed)
    shape = shape_from_config(base.settings.base, base.model.config.to_json_string())
    four_bit = may_lay_out and bool(four_bit_layers(base.model))
    limits: dict[str, Any] = {"four_bit": four_bit, "most": most, "together": min(together, most)}
    found = largest(shape, base.model.dtype.itemsize, _room(base.device, limit), recompute, **limits)
    return MemoryPolicy(found.tokens, found.recompute, packed, found.laid_out)


def _room(device: torch.device, limit: int | None) -> int:
    """Bytes beyond what is allocated now: free on the device, or held by the allocator and not in use."""
    allocated = torch.cuda.memory_allocated(device)
    room = free_bytes(device) + torch.cuda.memory_reserved(device) - allocated
    return room if limit is None else min(room, limit - allocated)
