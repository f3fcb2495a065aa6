"""The last layer where only some positions are asked for: of the others nothing is needed but keys and values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor


def picking(layer: Any) -> Callable[..., Tensor]:
    """A forward pass for a decoder layer as transformers calls it: x + attention(norm(x)), then x + mlp(norm(x))."""

    def forward(hidden_states: Tensor, *, positions: Tensor | None = None, **options: Any) -> Tensor:
        """States [R, T, hidden] to those at N `positions` of the R * T, [1, N, hidden]; None: to all, as they are."""
        attended, _ = layer.self_attn(hidden_states=layer.input_layernorm(hidden_states), **options)
        states = hidden_states + attended
        if positions is not None:
            states = states.flatten(0, 1).index_select(0, positions)[None]
        result: Tensor = states + layer.mlp(layer.post_attention_layernorm(states))
        return result

    return forward
