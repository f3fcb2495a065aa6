"""Frozen linear layers with LoRA adapters: y = x W' + b + scale * (x A') B' (Hu et al. 2021, arXiv 2106.09685)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from models.nf4 import FourBit, is_four_bit

ADAPTER = "default"
"""The name peft gives to the only adapter on a model."""


class Frozen:
    """A linear layer whose weights do not train, dense or in four bits."""

    def __init__(self, layer: Any) -> None:
        """A torch.nn.Linear, or bitsandbytes' Linear4bit."""
        self.layer = layer
        self._four_bit = FourBit(layer) if is_four_bit(layer) else None

    def dense(self) -> Tensor:
        """[out, in]. Of four-bit weights a fresh copy, to be let go after use, in the precision that they are multiplied in."""
        if self._four_bit is not None:
            return self._four_bit.dense()
        weight: Tensor = self.layer.weight
        return weight

    def output(self, x: Tensor, onto: Tensor | None = None) -> Tensor:
        """[N, out] of x [N, in]; added to `onto` in place where there is one, which costs a matrix product next to nothing."""
        dense, bias = self.dense(), self.layer.bias
        if onto is not None and bias is None and dense.dtype == x.dtype:
            return onto.addmm_(x, dense.T)
        y = functional.linear(x.to(dense.dtype), dense, None if bias is None else bias.to(dense.dtype)).to(x.dtype)
        return y if onto is None else y.add_(onto)

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

    def cast(self, dtype: torch.dtype) -> Lora:
        """In the precision of the layer's input."""
        return self if self.a is None or self.b is None else Lora(self.a.to(dtype), self.b.to(dtype), self.scale)


Norm = Callable[[Tensor], Tensor]
"""Of the last dimension, with weights that do not train."""


@dataclass(frozen=True)
class Layers:
    """Frozen layers, the scales of their adapters, and the norm of the input that they read."""

    frozen: tuple[Frozen, ...]
    scales: tuple[float, ...]
    norm: Norm | None

    def rows(self, x: Tensor) -> Tensor:
        """[N, in] of x [..., in]."""
        flat = x.flatten(0, -2)
        return flat if self.norm is None else self.norm(flat)

    def rows_again(self, x: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
        """[N, in] of x [..., in], and what goes from their gradient to that of x."""
        if self.norm is None:
            return x.flatten(0, -2), lambda drows: drows.view_as(x)
        with torch.enable_grad():
            source = x.detach().requires_grad_()
            rows = self.rows(source)
        return rows.detach(), lambda drows: torch.autograd.grad(rows, source, drows)[0]

    def loras(self, matrices: Sequence[Tensor | None]) -> list[Lora]:
        """Of A and B of each layer in turn."""
        return [Lora(a, b, scale) for a, b, scale in zip(matrices[::2], matrices[1::2], self.scales, strict=True)]


def adapted(x: Tensor, frozen: Frozen, lora: Lora) -> tuple[Tensor, Tensor | None]:
    """The layer's output [N, out] for x [N, in], and the adapter's own inner state x A' [N, r] if there is one."""
    if lora.a is None or lora.b is None:
        return frozen.output(x), None
    inner = x @ lora.a.T
    return frozen.output(x, onto=_scaled_product(inner, lora.b.T, lora.scale)), inner


def inner_gradient(dy: Tensor, lora: Lora) -> Tensor | None:
    """dL/d(inner) [N, r] of dL/dy [N, out], but for the adapter's scale."""
    return None if lora.b is None else dy @ lora.b


def input_gradient(dy: Tensor, dinner: Tensor | None, frozen: Frozen, lora: Lora, onto: Tensor | None = None) -> Tensor:
    """dL/dx [N, in] of dL/dy [N, out]; added to `onto` in place where there is one."""
    if dinner is not None and lora.a is not None:
        onto = _scaled_product(dinner, lora.a, lora.scale) if onto is None else onto.addmm_(dinner, lora.a, alpha=lora.scale)
    return frozen.gradient(dy, onto)


def adapter_gradients(
    dy: Tensor, dinner: Tensor | None, x: Tensor, inner: Tensor | None, lora: Lora
) -> tuple[Tensor | None, Tensor | None]:
    """dL/dA [r, in] and dL/dB [out, r]."""
    if dinner is None or inner is None:
        return None, None
    return _scaled_product(dinner.T, x, lora.scale), _scaled_product(dy.T, inner, lora.scale)


def _scaled_product(left: Tensor, right: Tensor, scale: float) -> Tensor:
    """scale * left @ right, in one pass."""
    return torch.addmm(right.new_empty(()), left, right, beta=0, alpha=scale)


class AdaptedLinears(torch.autograd.Function):
    """Several layers over one input. Keeps that (before the norm), the adapters and their narrow inner states, nothing else."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, layers: Layers, *matrices: Tensor | None) -> tuple[Tensor, ...]:
        """x [..., in] to one [..., out] per layer. `matrices`: A and B of each layer, None where there is none."""
        rows = layers.rows(x)
        loras = [lora.cast(x.dtype) for lora in layers.loras(matrices)]
        outputs, inner = zip(*(adapted(rows, *layer) for layer in zip(layers.frozen, loras, strict=True)), strict=True)
        ctx.save_for_backward(x, *inner, *chain.from_iterable(lora[:2] for lora in loras))
        ctx.layers, ctx.dtypes = layers, [None if matrix is None else matrix.dtype for matrix in matrices]
        return tuple(output.unflatten(0, x.shape[:-1]) for output in outputs)

    @staticmethod
    def backward(ctx: Any, *dys: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of x and of every matrix."""
        count = len(dys)
        x, *saved = ctx.saved_tensors
        inner, loras = saved[:count], ctx.layers.loras(saved[count:])
        rows, to_x = ctx.layers.rows_again(x)
        dx: Tensor | None = None
        narrow: list[Tensor | None] = []
        flat = [dy.flatten(0, -2) for dy in dys]
        for dy, of_adapter, frozen, lora in zip(flat, inner, ctx.layers.frozen, loras, strict=True):
            dinner = inner_gradient(dy, lora)
            if ctx.needs_input_grad[0]:
                dx = input_gradient(dy, dinner, frozen, lora, onto=dx)
            narrow += adapter_gradients(dy, dinner, rows, of_adapter, lora)
        return (None if dx is None else to_x(dx), None, *in_precision(narrow, ctx.dtypes))


def in_precision(tensors: Sequence[Tensor | None], dtypes: Sequence[torch.dtype | None]) -> list[Tensor | None]:
    """Each in its own."""
    return [None if tensor is None else tensor.to(dtype) for tensor, dtype in zip(tensors, dtypes, strict=True)]
