"""A frozen linear layer with a LoRA adapter: y = x W' + b + scale * (x A') B' (Hu et al. 2021, arXiv 2106.09685)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

ADAPTER = "default"
"""The name peft gives to the only adapter on a model."""


@dataclass(frozen=True)
class Frozen:
    """Weights that do not train, dense or in four bits."""

    layer: Any
    """A torch.nn.Linear, or bitsandbytes' Linear4bit."""

    def dense(self, dtype: torch.dtype) -> Tensor:
        """[out, in]. Of four-bit weights a fresh copy, to be let go after use."""
        weight = self.layer.weight
        state = getattr(weight, "quant_state", None)
        if state is None:
            plain: Tensor = weight
            return plain.to(dtype)
        from bitsandbytes.functional import dequantize_4bit

        wide: Tensor = dequantize_4bit(weight.data, state)
        return wide.to(dtype)

    @property
    def bias(self) -> Tensor | None:
        """[out], or none."""
        bias: Tensor | None = self.layer.bias
        return bias


def adapted(x: Tensor, frozen: Frozen, a: Tensor | None, b: Tensor | None, scale: float) -> Tensor:
    """The layer's output [N, out] for x [N, in]; without an adapter, the frozen layer's."""
    bias = frozen.bias
    y = functional.linear(x, frozen.dense(x.dtype), None if bias is None else bias.to(x.dtype))
    if a is None or b is None:
        return y
    return y.addmm_(x @ a.to(x.dtype).T, b.to(x.dtype).T, alpha=scale)


def input_gradient(dy: Tensor, frozen: Frozen, a: Tensor | None, b: Tensor | None, scale: float) -> Tensor:
    """dL/dx [N, in] of dL/dy [N, out]."""
    dx = dy @ frozen.dense(dy.dtype)
    if a is None or b is None:
        return dx
    return dx.addmm_(dy @ b.to(dy.dtype), a.to(dy.dtype), alpha=scale)


def adapter_gradients(
    dy: Tensor, x: Tensor, a: Tensor | None, b: Tensor | None, scale: float
) -> tuple[Tensor | None, Tensor | None]:
    """dL/dA [r, in] and dL/dB [out, r], in the adapter's own precision."""
    if a is None or b is None or not a.requires_grad:
        return None, None
    narrow = x @ a.to(x.dtype).T
    da = (dy @ b.to(dy.dtype)).T @ x
    db = dy.T @ narrow
    return (da * scale).to(a.dtype), (db * scale).to(b.dtype)


class AdaptedLinear(torch.autograd.Function):
    """Keeps the input, nothing else."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, frozen: Frozen, a: Tensor | None, b: Tensor | None, scale: float
    ) -> Tensor:
        """x [..., in] to [..., out]."""
        ctx.save_for_backward(x, a, b)
        ctx.frozen, ctx.scale = frozen, scale
        return adapted(x.flatten(0, -2), frozen, a, b, scale).unflatten(0, x.shape[:-1])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of x, A and B."""
        x, a, b = ctx.saved_tensors
        dy = gradients[0].flatten(0, -2)
        da, db = adapter_gradients(dy, x.flatten(0, -2), a, b, ctx.scale)
        dx = input_gradient(dy, ctx.frozen, a, b, ctx.scale).view_as(x) if ctx.needs_input_grad[0] else None
        return dx, None, da, db, None
