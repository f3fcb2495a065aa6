"""The gated feed-forward block (Shazeer 2020, arXiv 2002.05202): y = down(silu(gate(x)) * up(x)), each with its adapter.

It holds most of a model's weights and, kept naively, most of what a backward pass needs: five tensors as wide as the block.
Two are enough (gate and up), or none, at the price of computing them again.
"""

from __future__ import annotations

from itertools import chain
from typing import Any

import torch
from torch import Tensor

from models.lean.fused import gated, gated_gradients
from models.lean.linear import Layers, adapted, adapter_gradients, in_precision, inner_gradient, input_gradient


class AdaptedMlp(torch.autograd.Function):
    """Keeps the input (before the norm), the adapters, their narrow inner states and, unless computed again, gate and up."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, layers: Layers, again: bool, *matrices: Tensor | None) -> Tensor:
        """x [..., hidden] to the same shape. `layers`: gate, up, down. `matrices`: A and B of each, or None."""
        rows = layers.rows(x)
        loras = [lora.cast(x.dtype) for lora in layers.loras(matrices)]
        (gate, in_gate), (up, in_up) = (adapted(rows, *layer) for layer in zip(layers.frozen[:2], loras[:2], strict=True))
        y, in_down = adapted(gated(gate, up), layers.frozen[2], loras[2])
        kept = (None, None) if again else (gate, up)
        ctx.save_for_backward(x, *kept, in_gate, in_up, in_down, *chain.from_iterable(lora[:2] for lora in loras))
        ctx.layers, ctx.dtypes = layers, [None if matrix is None else matrix.dtype for matrix in matrices]
        return y.view_as(x)

    @staticmethod
    def backward(ctx: Any, *dys: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of x and of the six adapter matrices."""
        x, gate, up, in_gate, in_up, in_down, *matrices = ctx.saved_tensors
        gate_layer, up_layer, down_layer = ctx.layers.frozen
        of_gate, of_up, of_down = ctx.layers.loras(matrices)
        dy = dys[0].flatten(0, -2)
        rows, to_x = ctx.layers.rows_again(x)
        if gate is None:
            gate, up = adapted(rows, gate_layer, of_gate)[0], adapted(rows, up_layer, of_up)[0]
        din_down = inner_gradient(dy, of_down)
        dgate, dup, h = gated_gradients(input_gradient(dy, din_down, down_layer, of_down), gate, up)
        din_gate, din_up = inner_gradient(dgate, of_gate), inner_gradient(dup, of_up)
        narrow = (
            *adapter_gradients(dgate, din_gate, rows, in_gate, of_gate),
            *adapter_gradients(dup, din_up, rows, in_up, of_up),
            *adapter_gradients(dy, din_down, h, in_down, of_down),
        )
        dx = None
        if ctx.needs_input_grad[0]:
            dx = input_gradient(dgate, din_gate, gate_layer, of_gate)
            dx = to_x(input_gradient(dup, din_up, up_layer, of_up, onto=dx))
        return dx, None, None, *in_precision(narrow, ctx.dtypes)
