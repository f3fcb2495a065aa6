"""The gated feed-forward block (Shazeer 2020, arXiv 2002.05202): y = down(silu(gate(x)) * up(x)), each with its adapter.

It holds most of a model's weights and, kept naively, most of what a backward pass needs: five tensors as wide as the block.
Two are enough (gate and up), or none, at the price of computing them again.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from models.lean.fused import Narrow, gated, gated_gradients, takes_in_adapters
from models.lean.linear import Adapters, Layers, dtypes_of, in_precision, interleaved


class AdaptedMlp(torch.autograd.Function):
    """Keeps the input (before the norm), the adapters, their narrow inner states and, unless computed again, gate and up."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, layers: Layers, again: bool, *matrices: Tensor | None) -> Tensor:
        """x [..., hidden] to the same shape. `layers`: gate, up, down. `matrices`: A and B of each, or None."""
        rows = layers.rows(x)
        read = Adapters.cast(matrices[:4], layers.scales[:2], x.dtype)
        down = Adapters.cast(matrices[4:], layers.scales[2:], x.dtype)
        inner = read.inner(rows)
        gate, up, narrow = _gate_and_up(read, rows, inner, layers)
        h = gated(gate, up, narrow)
        in_down = down.inner(h)
        (y,) = down.outputs(h, in_down, layers.frozen[2:])
        kept = (None, None) if again else (gate, up)
        ctx.save_for_backward(x, *kept, inner, in_down, read.a, *read.bs, down.a, *down.bs)
        ctx.layers, ctx.dtypes = layers, dtypes_of(matrices)
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
            gate, up, narrow = _gate_and_up(read, rows, inner, layers)
        else:
            narrow = _taken_in(read, rows, inner)
        din_down = down.inner_gradients(dy)
        if din_down is not None and takes_in_adapters(rows, down.ranks):
            dh = layers.frozen[2].gradient(dy[0], onto=None)
            dgate, dup, h = gated_gradients(dh, gate, up, narrow, (din_down, a_down))
        else:
            dgate, dup, h = gated_gradients(down.input_gradient(dy, din_down, layers.frozen[2:]), gate, up, narrow)
        dinner = read.inner_gradients((dgate, dup))
        narrow_gradients = [
            *interleaved(read.a_gradients(dinner, rows), read.b_gradients((dgate, dup), inner)),
            *interleaved(down.a_gradients(din_down, h), down.b_gradients(dy, in_down)),
        ]
        dx = to_x(read.input_gradient((dgate, dup), dinner, layers.frozen[:2])) if ctx.needs_input_grad[0] else None
        return dx, None, None, *in_precision(narrow_gradients, ctx.dtypes)


def _gate_and_up(read: Adapters, rows: Tensor, inner: Tensor | None, layers: Layers) -> tuple[Tensor, Tensor, Narrow | None]:
    """[N, wide] each; without their adapters, where these come with them to be taken in later."""
    narrow = _taken_in(read, rows, inner)
    gate, up = read.outputs(rows, inner if narrow is None else None, layers.frozen[:2])
    return gate, up, narrow


def _taken_in(read: Adapters, rows: Tensor, inner: Tensor | None) -> Narrow | None:
    b_gate, b_up = read.bs
    if inner is None or b_gate is None or b_up is None or not takes_in_adapters(rows, read.ranks):
        return None
    return Narrow(inner, b_gate, b_up, read.scales)
