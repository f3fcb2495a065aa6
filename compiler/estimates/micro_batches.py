"""How much goes through a model at a time in training: one rule, for what a plan expects and for the training itself.

Longer micro-batches are faster, since what is done per micro-batch (making four-bit weights dense, launching kernels) is shared
by more tokens; computing something again makes room for them, at a price. The rule takes what costs least per token.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import Literal

from compiler.estimates.shapes import ModelShape

Recompute = Literal["none", "selective", "full"]
"""What the backward pass computes again instead of keeping it: nothing, the gated blocks' wide halves, or whole layers."""

CPU_TOKENS = 1024
"""On a CPU larger micro-batches only leave its caches."""
MOST_TOKENS = 16_384
SCORED_AT_ONCE = 1024
"""Positions whose logits exist at a time."""
SHARE = 0.92
"""Of the room; the rest is lost between the allocator's blocks."""
TIME = {"none": 1.0, "selective": 1.2, "full": 1.35}
"""Of a token, as measured at 32B (docs/log.md)."""
AROUND = 100
"""Tokens in whose time a micro-batch's kernels are launched."""
MAKING_DENSE = 165
"""Tokens in whose time four-bit weights are made dense, forwards and backwards."""


@dataclass(frozen=True, slots=True)
class MicroBatch:
    """Tokens at a time, and what is done for room or with it."""

    tokens: int
    recompute: Recompute
    laid_out: bool = False
    """Four-bit weights are made dense once for the whole training, not in every micro-batch."""

    def time(self, together: int = 1) -> float:
        """Per token of four-bit weights, beside that among endlessly many with nothing computed again.

        `together`: tokens that stay together, about; what a budget leaves over is not used.
        """
        filled = max(1, self.tokens // together) * together
        return TIME[self.recompute] * (1 + (AROUND + (0 if self.laid_out else MAKING_DENSE)) / filled)


def largest(
    shape: ModelShape,
    item: int,
    room: float,
    recompute: Recompute | None = None,
    *,
    four_bit: bool = False,
    most: int = MOST_TOKENS,
    together: int = 1,
) -> MicroBatch:
    """What fits into `room` bytes beside weights and optimizer, and is fastest there.

    Args:
        shape: of the model.
        item: bytes of a number.
        room: bytes; where it is too small for anything, a micro-batch of one token is the answer.
        recompute: None chooses.
        four_bit: there are weights to lay out.
        most: tokens that there are to go through at once.
        together: tokens that have to, about: those of a prompt.
    """
    modes: tuple[Recompute, ...] = ("none", "selective", "full") if recompute is None else (recompute,)
    left = SHARE * room - bytes_at_once(shape, item)

    def fitting(mode: Recompute, laid_out: bool) -> MicroBatch:
        tokens = (left - 2.0 * shape.linear_parameters * laid_out) / bytes_per_token(shape, mode, item)
        return MicroBatch(int(min(most, MOST_TOKENS, tokens)), mode, laid_out)

    found = [fitting(*choice) for choice in product(modes, (False, True) if four_bit else (False,))]
    enough = [micro for micro in found if micro.tokens >= together]
    if enough:
        return min(enough, key=lambda micro: micro.time(together))
    leanest = [micro for micro in found if not micro.laid_out][-1]
    return replace(leanest, tokens=max(1, leanest.tokens))


def bytes_per_token(shape: ModelShape, recompute: Recompute, item: int) -> float:
    """Bytes of activations per token that a backward pass finds kept, and that one layer needs while it works."""
    asks, sees = shape.head_size * shape.heads, 2 * shape.head_size * shape.kv_heads
    attention = 2 * shape.hidden + 2 * asks + 3 * sees  # two residual states; queries, outputs; keys, values
    kept = {"none": attention + 2 * shape.intermediate, "selective": attention, "full": shape.hidden}[recompute]
    working = 7 * shape.intermediate + (attention if recompute == "full" else 0)
    return float(item * (shape.layers * kept + working))


def bytes_at_once(shape: ModelShape, item: int) -> float:
    """Bytes that do not grow with the micro-batch: a tile of logits, in float32 and as a gradient, too; two dense layers."""
    return (8.0 + item) * SCORED_AT_ONCE * shape.vocabulary + 2.0 * item * shape.hidden * shape.intermediate
