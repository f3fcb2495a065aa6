"""Frozen linear layers with LoRA adapters: y = x W' + b + scale * (x A') B' (Hu et al. 2021, arXiv 2106.09685)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
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

    def output(self, x: Tensor, of_adapter: Callable[[Tensor | None], Tensor] | None = None) -> Tensor:
        """[N, out] of x [N, in].

        `of_adapter`: what is added to it, given the bias that it takes upon itself; to add onto it costs a product nothing.
        """
        dense, bias = self.dense(), self.layer.bias
        if of_adapter is None:
            return functional.linear(x.to(dense.dtype), dense, None if bias is None else bias.to(dense.dtype)).to(x.dtype)
        y = of_adapter(None if bias is None else bias.to(x.dtype))
        return y.addmm_(x, dense.T) if dense.dtype == x.dtype else y.add_(x.to(dense.dtype) @ dense.T)

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


class Adapters(NamedTuple):
    """Those of several layers over one input, in its precision. Narrow products wait for memory, so they are made together."""

    a: Tensor | None
    """[R, in]: the A of every layer that has one, one below the other; R is the sum of their ranks."""
    bs: tuple[Tensor | None, ...]
    """[out, r] of each layer, or None."""
    scales: tuple[float, ...]

    @property
    def ranks(self) -> tuple[int, ...]:
        """Of each layer; 0 where there is no adapter."""
        return tuple(0 if b is None else b.shape[1] for b in self.bs)

    @classmethod
    def cast(cls, matrices: Sequence[Tensor | None], scales: tuple[float, ...], dtype: torch.dtype) -> Adapters:
        """Of A and B of each layer in turn."""
        every = [a for a in matrices[::2] if a is not None]
        stacked = None if not every else (every[0] if len(every) == 1 else torch.cat(every)).to(dtype)
        return cls(stacked, tuple(None if b is None else b.to(dtype) for b in matrices[1::2]), scales)

    def inner(self, x: Tensor) -> Tensor | None:
        """x A' [N, R] of x [N, in]; None without adapters."""
        return None if self.a is None else x @ self.a.T

    def outputs(self, x: Tensor, inner: Tensor | None, frozen: Sequence[Frozen]) -> list[Tensor]:
        """[N, out] of each layer, in turn."""
        return [
            layer.output(x, None if own is None or b is None else partial(_scaled_product, own, b.T, scale))
            for layer, own, b, scale in zip(frozen, self.by_layer(inner), self.bs, self.scales, strict=True)
        ]

    def inner_gradients(self, dys: Sequence[Tensor]) -> Tensor | None:
        """dL/d(inner) [N, R] of dL/dy [N, out] of each layer."""
        if self.a is None:
            return None
        gradients = dys[0].new_empty(len(dys[0]), len(self.a))
        for dy, b, scale, place in zip(dys, self.bs, self.scales, self.by_layer(gradients), strict=True):
            if b is not None and place is not None:
                torch.addmm(b.new_empty(()), dy, b, beta=0, alpha=scale, out=place)
        return gradients

    def input_gradient(self, dys: Sequence[Tensor], dinner: Tensor | None, frozen: Sequence[Frozen]) -> Tensor:
        """dL/dx [N, in]."""
        dx = None if dinner is None or self.a is None else dinner @ self.a
        for dy, layer in zip(dys, frozen, strict=True):
            dx = layer.gradient(dy, onto=dx)
        assert dx is not None  # there is at least one layer
        return dx

    def a_gradients(self, dinner: Tensor | None, x: Tensor) -> list[Tensor | None]:
        """dL/dA [r, in] of each layer."""
        return self.by_layer(None if dinner is None else dinner.T @ x, dim=0)

    def b_gradients(self, dys: Sequence[Tensor], inner: Tensor | None) -> list[Tensor | None]:
        """dL/dB [out, r] of each layer."""
        parts = zip(dys, self.by_layer(inner), self.scales, strict=True)
        return [None if own is None else _scaled_product(dy.T, own, scale) for dy, own, scale in parts]

    def by_layer(self, together: Tensor | None, dim: int = 1) -> list[Tensor | None]:
        """[N, r] of each layer, as views of [N, R]; likewise along another dimension."""
        if together is None:
            return [None] * len(self.bs)
        parts = together.split(self.ranks, dim)
        return [None if b is None else part for b, part in zip(self.bs, parts, strict=True)]


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


def _scaled_product(left: Tensor, right: Tensor, scale: float, onto: Tensor | None = None) -> Tensor:
    """scale * left @ right, onto a copy of a row if there is one, in one pass."""
    if onto is None:
        return torch.addmm(right.new_empty(()), left, right, beta=0, alpha=scale)
    return torch.addmm(onto, left, right, alpha=scale)


class AdaptedLinears(torch.autograd.Function):
    """Several layers over one input. Keeps that (before the norm), the adapters and their narrow inner states, nothing else."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, layers: Layers, *matrices: Tensor | None) -> tuple[Tensor, ...]:
        """x [..., in] to one [..., out] per layer. `matrices`: A and B of each layer, None where there is none."""
        rows = layers.rows(x)
        adapters = Adapters.cast(matrices, layers.scales, x.dtype)
        inner = adapters.inner(rows)
        outputs = adapters.outputs(rows, inner, layers.frozen)
        ctx.save_for_backward(x, inner, adapters.a, *adapters.bs)
        ctx.layers, ctx.dtypes = layers, dtypes_of(matrices)
        return tuple(output.unflatten(0, x.shape[:-1]) for output in outputs)

    @staticmethod
    def backward(ctx: Any, *dys: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of x and of every matrix."""
        x, inner, a, *bs = ctx.saved_tensors
        adapters = Adapters(a, tuple(bs), ctx.layers.scales)
        rows, to_x = ctx.layers.rows_again(x)
        flat = [dy.flatten(0, -2) for dy in dys]
        dinner = adapters.inner_gradients(flat)
        narrow = interleaved(adapters.a_gradients(dinner, rows), adapters.b_gradients(flat, inner))
        dx = to_x(adapters.input_gradient(flat, dinner, ctx.layers.frozen)) if ctx.needs_input_grad[0] else None
        return dx, None, *in_precision(narrow, ctx.dtypes)


def dtypes_of(tensors: Sequence[Tensor | None]) -> list[torch.dtype | None]:
    """Of each."""
    return [None if tensor is None else tensor.dtype for tensor in tensors]


def interleaved(of_a: Sequence[Tensor | None], of_b: Sequence[Tensor | None]) -> list[Tensor | None]:
    """A and B of each layer in turn."""
    return list(chain.from_iterable(zip(of_a, of_b, strict=True)))


def in_precision(tensors: Sequence[Tensor | None], dtypes: Sequence[torch.dtype | None]) -> list[Tensor | None]:
    """Each in its own."""
    return [None if tensor is None else tensor.to(dtype) for tensor, dtype in zip(tensors, dtypes, strict=True)]
