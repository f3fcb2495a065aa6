"""The gated feed-forward block (Shazeer 2020, arXiv 2002.05202): y = down(silu(gate(x)) * up(x)), each with its adapter.

It holds most of a model's weights and, kept naively, most of what a backward pass needs: five tensors as wide as the block.
Two are enough (gate and up), or none, at the price of computing them again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from models.lean.linear import Frozen, adapted, adapter_gradients, input_gradient


@dataclass(frozen=True)
class Projections:
    """The three frozen layers, and the scale of the adapter on each."""

    gate: Frozen
    up: Frozen
    down: Frozen
    scales: tuple[float, float, float]


class AdaptedMlp(torch.autograd.Function):
    """Keeps the input and, unless they are to be computed again, gate and up."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, layers: Projections, again: bool, *adapters: Tensor | None) -> Tensor:
        """x [..., hidden] to the same shape. `adapters`: A and B of gate, up and down, None where there is none."""
        rows = x.flatten(0, -2)
        gate, up = _wide(rows, layers, adapters)
        ctx.save_for_backward(x, *((None, None) if again else (gate, up)), *adapters)
        ctx.layers = layers
        y = adapted(functional.silu(gate) * up, layers.down, *adapters[4:], layers.scales[2])
        return y.view_as(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of x and of the six adapter matrices."""
        x, gate, up, *adapters = ctx.saved_tensors
        layers, scales = ctx.layers, ctx.layers.scales
        rows, dy = x.flatten(0, -2), gradients[0].flatten(0, -2)
        if gate is None:
            gate, up = _wide(rows, layers, adapters)
        da_down_b = adapter_gradients(dy, functional.silu(gate) * up, *adapters[4:], scales[2])
        dgate, dup = gated_backward(input_gradient(dy, layers.down, *adapters[4:], scales[2]), gate, up)
        wide = adapter_gradients(dgate, rows, *adapters[:2], scales[0]) + adapter_gradients(dup, rows, *adapters[2:4], scales[1])
        dx = None
        if ctx.needs_input_grad[0]:
            dx = input_gradient(dgate, layers.gate, *adapters[:2], scales[0])
            dx = dx.add_(input_gradient(dup, layers.up, *adapters[2:4], scales[1])).view_as(x)
        return dx, None, None, *wide, *da_down_b


def gated_backward(dh: Tensor, gate: Tensor, up: Tensor) -> tuple[Tensor, Tensor]:
    """dL/dgate and dL/dup of h = silu(gate) * up. Overwrites `dh`."""
    sigmoid = torch.sigmoid(gate)
    silu = gate * sigmoid
    dup = dh * silu
    dgate = dh.mul_(up).mul_(sigmoid.add_(silu.mul_(1 - sigmoid)))
    return dgate, dup


def _wide(x: Tensor, layers: Projections, adapters: Any) -> tuple[Tensor, Tensor]:
    gate = adapted(x, layers.gate, *adapters[:2], layers.scales[0])
    return gate, adapted(x, layers.up, *adapters[2:4], layers.scales[1])
