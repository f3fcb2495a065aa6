"""The gated feed-forward block (Shazeer 2020, arXiv 2002.05202): y = down(silu(gate(x)) * up(x)), each with its adapter.

It holds most of a model's weights and, kept naively, most of what a backward pass needs: five tensors as wide as the block.
Two are enough (gate and up), or none, at the price of computing them again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from models.lean.linear import Frozen, Lora, adapted, adapter_gradients, input_gradient


@dataclass(frozen=True)
class Projections:
    """The three frozen layers, and the scales of their adapters in the same order."""

    gate: Frozen
    up: Frozen
    down: Frozen
    scales: tuple[float, ...]

    def loras(self, matrices: Sequence[Tensor | None]) -> tuple[Lora, Lora, Lora]:
        """Of A and B of gate, up and down."""
        gate_a, gate_b, up_a, up_b, down_a, down_b = matrices
        gate, up, down = self.scales
        return Lora(gate_a, gate_b, gate), Lora(up_a, up_b, up), Lora(down_a, down_b, down)


class AdaptedMlp(torch.autograd.Function):
    """Keeps the input and, unless they are to be computed again, gate and up."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, layers: Projections, again: bool, *matrices: Tensor | None) -> Tensor:
        """x [..., hidden] to the same shape. `matrices`: A and B of gate, up and down, None where there is none."""
        loras = layers.loras(matrices)
        gate, up = _wide(x.flatten(0, -2), layers, loras)
        ctx.save_for_backward(x, *((None, None) if again else (gate, up)), *matrices)
        ctx.layers = layers
        return adapted(functional.silu(gate) * up, layers.down, loras[2]).view_as(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of x and of the six adapter matrices."""
        x, gate, up, *matrices = ctx.saved_tensors
        layers: Projections = ctx.layers
        loras = of_gate, of_up, of_down = layers.loras(matrices)
        rows, dy = x.flatten(0, -2), gradients[0].flatten(0, -2)
        if gate is None:
            gate, up = _wide(rows, layers, loras)
        dh, silu = input_gradient(dy, layers.down, of_down), functional.silu(gate)
        dup, dgate = dh * silu, torch.ops.aten.silu_backward(dh.mul_(up), gate)
        narrow = (
            *adapter_gradients(dgate, rows, of_gate),
            *adapter_gradients(dup, rows, of_up),
            *adapter_gradients(dy, silu.mul_(up), of_down),
        )
        dx = None
        if ctx.needs_input_grad[0]:
            dx = input_gradient(dgate, layers.gate, of_gate)
            dx = input_gradient(dup, layers.up, of_up, onto=dx).view_as(x)
        return dx, None, None, *narrow


def _wide(x: Tensor, layers: Projections, loras: tuple[Lora, Lora, Lora]) -> tuple[Tensor, Tensor]:
    return adapted(x, layers.gate, loras[0]), adapted(x, layers.up, loras[1])
