"""A frozen linear layer with a LoRA adapter: y = x W' + b + scale * (x A') B' (Hu et al. 2021, arXiv 2106.09685)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

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

    def dense(self) -> Tensor:
        """[out, in]. Of four-bit weights a fresh copy, to be let go after use, in the precision that they are multiplied in."""
        if getattr(self.layer.weight, "quant_state", None) is None:
            plain: Tensor = self.layer.weight
            return plain
        from models.nf4 import dense_weight

        return dense_weight(self.layer)

    def output(self, x: Tensor) -> Tensor:
        """[N, out] of x [N, in]."""
        dense, bias = self.dense(), self.layer.bias
        return functional.linear(x.to(dense.dtype), dense, None if bias is None else bias.to(dense.dtype)).to(x.dtype)

    def gradient(self, dy: Tensor, onto: Tensor | None) -> Tensor:
        """dL/dx [N, in] of dL/dy [N, out]; added to `onto` in place where there is one."""
        dense = self.dense()
        if onto is not None and dense.dtype == dy.dtype:
            return onto.addmm_(dy, dense)
        dx = (dy.to(dense.dtype) @ dense).to(dy.dtype)
        return dx if onto is None else onto.add_(dx)


class Lora(NamedTuple):
    """An adapter on one layer, or none: then both matrices are None."""

    a: Tensor | None
    """[r, in]."""
    b: Tensor | None
    """[out, r]."""
    scale: float

    def cast(self, dtype: torch.dtype) -> tuple[Tensor, Tensor] | None:
        """Both matrices in the precision of the layer's input."""
        return None if self.a is None or self.b is None else (self.a.to(dtype), self.b.to(dtype))


def adapted(x: Tensor, frozen: Frozen, lora: Lora) -> Tensor:
    """The layer's output [N, out] for x [N, in]; without an adapter, the frozen layer's."""
    y, cast = frozen.output(x), lora.cast(x.dtype)
    return y if cast is None else y.addmm_(x @ cast[0].T, cast[1].T, alpha=lora.scale)


def input_gradient(dy: Tensor, frozen: Frozen, lora: Lora, onto: Tensor | None = None) -> Tensor:
    """dL/dx [N, in] of dL/dy [N, out]; added to `onto` in place where there is one."""
    dx, cast = frozen.gradient(dy, onto), lora.cast(dy.dtype)
    return dx if cast is None else dx.addmm_(dy @ cast[1], cast[0], alpha=lora.scale)


def adapter_gradients(dy: Tensor, x: Tensor, lora: Lora) -> tuple[Tensor | None, Tensor | None]:
    """dL/dA [r, in] and dL/dB [out, r], in the adapter's own precision."""
    cast = lora.cast(x.dtype)
    if cast is None or lora.a is None or lora.b is None or not lora.a.requires_grad:
        return None, None
    da, db = (dy @ cast[1]).T @ x, dy.T @ (x @ cast[0].T)
    return (da * lora.scale).to(lora.a.dtype), (db * lora.scale).to(lora.b.dtype)


class AdaptedLinear(torch.autograd.Function):
    """Keeps the input, nothing else."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, frozen: Frozen, a: Tensor | None, b: Tensor | None, scale: float) -> Tensor:
        """x [..., in] to [..., out]."""
        ctx.save_for_backward(x, a, b)
        ctx.frozen, ctx.scale = frozen, scale
        return adapted(x.flatten(0, -2), frozen, Lora(a, b, scale)).unflatten(0, x.shape[:-1])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of x, A and B."""
        x, a, b = ctx.saved_tensors
        lora, dy = Lora(a, b, ctx.scale), gradients[0].flatten(0, -2)
        da, db = adapter_gradients(dy, x.flatten(0, -2), lora)
        dx = input_gradient(dy, ctx.frozen, lora).view_as(x) if ctx.needs_input_grad[0] else None
        return dx, None, da, db, None
