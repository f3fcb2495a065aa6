"""Self-attention with rotary positions (Su et al. 2021, arXiv 2104.09864) around lean projections.

Queries, keys and values come from one function over their common input, and are rotated in one pass.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from models.lean.fused import rotated

Project = Callable[[Tensor], tuple[Tensor, ...]]


class Rotated(torch.autograd.Function):
    """Turns every pair (x[i], x[i + D/2]) by its position's angle."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """x [..., T, H, D]; cos and sin [..., T, 1, D/2]."""
        ctx.save_for_backward(cos, sin)
        return rotated(x, cos, sin, 1)

    @staticmethod
    def backward(ctx: Any, *dys: Tensor) -> tuple[Tensor | None, ...]:
        """The gradient, turned back."""
        cos, sin = ctx.saved_tensors
        return rotated(dys[0].contiguous(), cos, sin, -1), None, None


def self_attention(module: Any, project: Project, attend: Callable[..., Any]) -> Callable[..., tuple[Tensor, Any]]:
    """A forward pass for a layer's attention as transformers calls it, without a cache.

    Args:
        module: of transformers, with `head_dim`, `scaling` and `o_proj`.
        project: queries, keys and values [R, T, H * D] of the input [R, T, hidden].
        attend: an attention function of transformers.
    """

    def forward(
        hidden_states: Tensor, position_embeddings: tuple[Tensor, Tensor], attention_mask: Tensor | None, **options: Any
    ) -> tuple[Tensor, Any]:
        cos, sin = (each[..., None, : module.head_dim // 2] for each in position_embeddings)
        query, key, value = (each.unflatten(-1, (-1, module.head_dim)) for each in project(hidden_states))
        query, key = Rotated.apply(query, cos, sin), Rotated.apply(key, cos, sin)
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
