"""How a training fits into memory: how many tokens go through the model at a time, and what is computed again on the way back.

Neither changes what is computed, but for the order of float additions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from models.attention import can_pack
from models.lean.install import Recompute
from models.loading import LoadedBase
from models.log_probabilities import TILE

CPU_TOKENS = 1024
"""On a CPU larger micro-batches only leave its caches."""
ENOUGH_TOKENS = 4096
"""From here on matrix products run at full speed, so that memory need not be bought with computation."""
MOST_TOKENS = 16_384
SHARE = 0.92
"""Of the room; the rest is lost between the allocator's blocks."""


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
    room = _room(base.device, limit)
    modes: tuple[Recompute, ...] = ("none", "selective", "full") if recompute is None else (recompute,)
    fits = {mode: _tokens(base, mode, room) for mode in modes}
    mode = next((mode for mode, tokens in fits.items() if tokens >= ENOUGH_TOKENS), max(fits, key=lambda mode: fits[mode]))
    return MemoryPolicy(max(1, min(MOST_TOKENS, fits[mode])), mode, packed)


def bytes_per_token(config: Any, recompute: Recompute, item: int) -> float:
    """Bytes of activations per token that a backward pass finds kept, and that one layer needs while it works."""
    hidden, wide = config.hidden_size, config.intermediate_size
    head = getattr(config, "head_dim", None) or hidden // config.num_attention_heads
    asks, sees = head * config.num_attention_heads, 2 * head * config.num_key_value_heads
    attention = 4 * hidden + 2 * asks + 3 * sees  # two residual and two normed states; queries, outputs; keys, values
    kept = {"none": attention + 2 * wide, "selective": attention, "full": hidden}[recompute]
    working = 6 * wide + (attention if recompute == "full" else 0)
    return float(item * (config.num_hidden_layers * kept + working))


def _tokens(base: LoadedBase, recompute: Recompute, room: int) -> int:
    config, item = base.model.config, base.model.dtype.itemsize
    logits = 3 * 4 * TILE * config.vocab_size
    dense = 2 * item * config.hidden_size * config.intermediate_size
    return int((SHARE * room - logits - dense) / bytes_per_token(config, recompute, item))


def _room(device: torch.device, limit: int | None) -> int:
    """Bytes beyond what is allocated now: free on the device, or held by the allocator and not in use."""
    free, _ = torch.cuda.mem_get_info(device)
    allocated = torch.cuda.memory_allocated(device)
    room = free + torch.cuda.memory_reserved(device) - allocated
    return room if limit is None else min(room, limit - allocated)
