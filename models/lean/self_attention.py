"""Self-attention with rotary positions (Su et al. 2021, arXiv 2104.09864) around lean projections.

Queries, keys and values come from one function over their common input, side by side, and are rotated in one pass.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from models.lean.fused import rotated

Project = Callable[[Tensor], Tensor]


class Rotated(torch.autograd.Function):
    """Turns every pair (x[i], x[i + D/2]) of the first heads by its position's angle; the other heads stay as they are."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, cos: Tensor, sin: Tensor, turning: int) -> Tensor:
        """x [..., T, H, D]; cos and sin [..., T, 1, D/2]; `turning` of the H heads."""
        ctx.save_for_backward(cos, sin)
        ctx.turning = turning
        return rotated(x, cos, sin, turning, 1)

    @staticmethod
    def backward(ctx: Any, *dys: Tensor) -> tuple[Tensor | None, ...]:
        """The gradient, turned back."""
        cos, sin = ctx.saved_tensors
        return rotated(dys[0].contiguous(), cos, sin, ctx.turning, -1), None, None, None


def self_attention(module: Any, project: Project, attend: Callable[..., Any]) -> Callable[..., tuple[Tensor, Any]]:
    """A forward pass for a layer's attention as transformers calls it, without a cache.

    Args:
        module: of transformers, with `head_dim`, `scaling` and `o_proj`.
        project: of the input [R, T, hidden] queries, keys and values side by side: [R, T, (H + 2 G) * D] for G groups of heads.
        attend: an attention function of transformers.
    """

    def forward(
        hidden_states: Tensor, position_embeddings: tuple[Tensor, Tensor], attention_mask: Tensor | None, **options: Any
    ) -> tuple[Tensor, Any]:
        cos, sin = (each[..., None, : module.head_dim // 2] for each in position_embeddings)
        heads = project(hidden_states).unflatten(-1, (-1, module.head_dim))
        asking, groups = module.config.num_attention_heads, module.config.num_key_value_heads
        query, key, value = Rotated.apply(heads, cos, sin, asking + groups).split((asking, groups, groups), -2)
        output, weights = attend(
            module,
            query.transpose(1, 2),
            key.transpose(1, 2),
            value.transpose(1, 2),
            attention_mask,
            scaling=module.scaling,
            **{name: value for name, value in options.items() if name != "past_key_values"},
        )
        return module.o_proj(output.flatten(-2)), weights

    return forward
