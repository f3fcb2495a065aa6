"""The gated feed-forward block (Shazeer 2020, arXiv 2002.05202): y = down(silu(gate(x)) * up(x)), each with its adapter.

It holds most of a model's weights and, kept naively, most of what a backward pass needs: five tensors as wide as the block.
Two are enough (gate and up), or none, at the price of computing them again.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from models.lean.copies import Copies
from models.lean.fused import gated, gated_gradients
from models.lean.linear import Adapters, Layers, dtype_of, in_dtype, interleaved


class AdaptedMlp(torch.autograd.Function):
    """Keeps the input (before the norm), the adapters, their narrow inner states and, unless computed again, gate and up."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, layers: Layers, again: bool, *matrices: Tensor | None) -> Tensor:
        """x [..., hidden] to the same shape. `layers`: gate, up, down. `matrices`: A and B of each, or None."""
        rows = layers.rows(x)
        with Copies(x.dtype) as copies:
            read = Adapters.cast(matrices[:4], layers.scales[:2], copies)
            down = Adapters.cast(matrices[4:], layers.scales[2:], copies)
        inner = read.inner(rows)
        gate, up = read.outputs(rows, inner, layers.frozen[:2])
        h = gated(gate, up)
        in_down = down.inner(h)
        (y,) = down.outputs(h, in_down, layers.frozen[2:])
        kept = (None, None) if again else (gate, up)
        ctx.save_for_backward(x, *kept, inner, in_down, read.a, *read.bs, down.a, *down.bs)
        ctx.layers, ctx.dtype = layers, dtype_of(matrices)
        return y.view_as(x)

    @staticmethod
    def backward(ctx: Any, *dys: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of x and of the six adapter matrices."""
        x, gate, up, inner, in_down, a, b_gate, b_up, a_down, b_down = ctx.saved_tensors
        layers: Layers = ctx.layers
        read, down = Adapters(a, (b_gate, b_up), layers.scales[:2]), Adapters(a_down, (b_down,), layers.scales[2:])
        dy = [dys[0].flatten(0, -2)]
        rows, to_x = layers.rows_again(x)
        if gate is None:
            gate, up = read.outputs(rows, inner, layers.frozen[:2])
        din_down = down.inner_gradients(dy)
        dgate, dup, h = gated_gradients(down.input_gradient(dy, din_down, layers.frozen[2:]), gate, up)
        dread = (dgate, dup)
        dinner = read.inner_gradients(dread)
        narrow = [
            *interleaved(read.a_gradients(dinner, rows), read.b_gradients(dread, inner)),
            *interleaved(down.a_gradients(din_down, h), down.b_gradients(dy, in_down)),
        ]
        dx = to_x(read.input_gradient(dread, dinner, layers.frozen[:2])) if ctx.needs_input_grad[0] else None
        return dx, None, None, *in_dtype(narrow, ctx.dtype)
