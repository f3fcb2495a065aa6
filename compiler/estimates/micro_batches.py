"""How much goes through a model at a time in training: one rule, for what a plan expects and for the training itself.

Longer micro-batches are faster until matrix products run at full speed, since what is done per micro-batch (making four-bit
weights dense, launching kernels) is shared by more tokens. Where memory is short of that, something is computed again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from compiler.estimates.shapes import ModelShape

Recompute = Literal["none", "selective", "full"]
"""What the backward pass computes again instead of keeping it: nothing, the gated blocks' wide halves, or whole layers."""

CPU_TOKENS = 1024
"""On a CPU larger micro-batches only leave its caches."""
ENOUGH_TOKENS = 4096
"""From here on memory need not be bought with computation."""
MOST_TOKENS = 16_384
SCORED_AT_ONCE = 1024
"""Positions whose logits exist at a time."""
SHARE = 0.92
"""Of the room; the rest is lost between the allocator's blocks."""


@dataclass(frozen=True, slots=True)
class MicroBatch:
    """Tokens at a time, and what is computed again for it."""

    tokens: int
    recompute: Recompute


def largest(shape: ModelShape, item: int, room: float, recompute: Recompute | None = None) -> MicroBatch:
    """What fits into `room` bytes beside weights and optimizer; of what may be computed again, no more than is needed.

    Args:
        shape: of the model.
        item: bytes of a number.
        room: bytes; where it is too small for anything, a micro-batch of one token is the answer.
        recompute: None chooses.
    """
    modes: tuple[Recompute, ...] = ("none", "selective", "full") if recompute is None else (recompute,)
    left = SHARE * room - bytes_at_once(shape, item)
    fits = {mode: int(left / bytes_per_token(shape, mode, item)) for mode in modes}
    mode = next((mode for mode, tokens in fits.items() if tokens >= ENOUGH_TOKENS), max(fits, key=lambda mode: fits[mode]))
    return MicroBatch(max(1, min(MOST_TOKENS, fits[mode])), mode)


def bytes_per_token(shape: ModelShape, recompute: Recompute, item: int) -> float:
    """Bytes of activations per token that a backward pass finds kept, and that one layer needs while it works."""
    asks, sees = shape.head_size * shape.heads, 2 * shape.head_size * shape.kv_heads
    attention = 4 * shape.hidden + 2 * asks + 3 * sees  # two residual and two normed states; queries, outputs; keys, values
    kept = {"none": attention + 2 * shape.intermediate, "selective": attention, "full": shape.hidden}[recompute]
    working = 6 * shape.intermediate + (attention if recompute == "full" else 0)
    return float(item * (shape.layers * kept + working))


def bytes_at_once(shape: ModelShape, item: int) -> float:
    """Bytes that do not grow with the micro-batch: a tile of logits in float32 with its gradient, two dense layers."""
    return 3.0 * 4 * SCORED_AT_ONCE * shape.vocabulary + 2.0 * item * shape.hidden * shape.intermediate
