"""Flash attention over segments of one row (Dao 2023, arXiv 2307.08691), by PyTorch's own kernels.

`torch.nn.attention.varlen` calls the same two, through an operator written in Python: that costs the host half a millisecond a
layer, a tenth of a short training step (docs/log.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from models.batches import Segments

_DROPOUT = 0.0
_CAUSAL = True  # counted from the end of a segment, where it has more keys than queries


class FlashAttention(torch.autograd.Function):
    """Causal within each segment; groups of query heads may share keys."""

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor, segments: Segments, scaling: float | None) -> Tensor:
        """query [T, H, D], key and value [S, G, D] to [T, H, D], in half precision on a GPU."""
        output, log_sums, random, *_ = torch.ops.aten._flash_attention_forward(
            query, key, value, *_places(segments), _DROPOUT, _CAUSAL, False, scale=scaling
        )
        ctx.save_for_backward(query, key, value, output, log_sums, random)
        ctx.segments, ctx.scaling = segments, scaling
        result: Tensor = output
        return result

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of query, key and value."""
        query, key, value, output, log_sums, random = ctx.saved_tensors
        found = torch.ops.aten._flash_attention_backward(
            gradients[0],
            query,
            key,
            value,
            output,
            log_sums,
            *_places(ctx.segments),
            _DROPOUT,
            _CAUSAL,
            random,
            random,  # not used: there is no dropout
            scale=ctx.scaling,
        )
        return *found, None, None


def _places(segments: Segments) -> tuple[Tensor, Tensor, int, int]:
    return segments.query_ends, segments.key_ends, segments.longest_query, segments.longest_key
