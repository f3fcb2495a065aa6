"""Frozen linear layers with LoRA adapters: y = x W' + b + scale * (x A') B' (Hu et al. 2021, arXiv 2106.09685)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Any, NamedTuple

import torch
from torch import Tensor

from models.lean.copies import Copies
from models.nf4 import FourBit, is_four_bit

ADAPTER = "default"
"""The name peft gives to the only adapter on a model."""


class Frozen:
    """Linear layers over one input whose weights do not train, dense or in four bits. Their outputs stand side by side."""

    def __init__(self, layers: Sequence[Any]) -> None:
        """Of torch.nn.Linear, or bitsandbytes' Linear4bit."""
        self.layers = tuple(layers)
        self.widths = tuple(int(layer.out_features) for layer in layers)
        """Outputs of each."""
        self._four_bit = [FourBit(layer) if is_four_bit(layer) else None for layer in layers]

    def weights(self) -> Iterator[Tensor]:
        """[out, in] of each layer, in the precision that they are multiplied in; four-bit ones anew, to be let go after use."""
        for layer, packed in zip(self.layers, self._four_bit, strict=True):
            yield layer.weight if packed is None else packed.dense()

    def outputs(self, x: Tensor, adapters: Sequence[tuple[Tensor | None, Tensor | None, float]]) -> Tensor:
        """[N, out] of x [N, in]; `adapters`: the inner states [N, r] of each layer's, its B and its scale."""
        y = x.new_empty(x.shape[0], sum(self.widths))
        for place, layer, own, weights in zip(split(y, self.widths, 1), self.layers, adapters, self.weights(), strict=True):
            begun = _begin(place, layer.bias, *own)  # what is added onto that costs a product nothing
            if weights.dtype == x.dtype:
                place.addmm_(x, weights.T, beta=float(begun))
            else:
                product = x.to(weights.dtype) @ weights.T
                place.add_(product) if begun else place.copy_(product)
        return y

    def gradient(self, dy: Tensor, onto: Tensor | None) -> Tensor:
        """dL/dx [N, in] of dL/dy [N, out]; added to `onto` in place where there is one."""
        for own, weights in zip(split(dy, self.widths, 1), self.weights(), strict=True):
            if onto is not None and weights.dtype == dy.dtype:
                onto.addmm_(own, weights)
            else:
                dx = (own.to(weights.dtype) @ weights).to(dy.dtype)
                onto = dx if onto is None else onto.add_(dx)
        assert onto is not None  # there is at least one layer
        return onto


class Adapters(NamedTuple):
    """Those of several layers over one input, in its precision. Narrow products wait for memory, so they are made together."""

    a: Tensor | None
    """[R, in]: the A of every layer that has one, one below the other; R is the sum of their ranks."""
    bs: tuple[Tensor | None, ...]
    """[out, r] of each layer, or None."""
    scales: tuple[float, ...]

    @classmethod
    def cast(cls, matrices: Sequence[Tensor | None], scales: tuple[float, ...], copies: Copies) -> Adapters:
        """Of A and B of each layer in turn. There once the copies are made."""
        every = [a for a in matrices[::2] if a is not None]
        bs = tuple(None if b is None else copies.one(b) for b in matrices[1::2])
        return cls(copies.stacked(every) if every else None, bs, scales)

    def inner(self, x: Tensor) -> Tensor | None:
        """x A' [N, R] of x [N, in]; None without adapters."""
        return None if self.a is None else x @ self.a.T

    def outputs(self, x: Tensor, inner: Tensor | None, frozen: Sequence[Frozen]) -> list[Tensor]:
        """[N, out] of each group of layers, in turn."""
        own = zip(self.by_layer(inner), self.bs, self.scales, strict=True)
        return [group.outputs(x, [next(own) for _ in group.layers]) for group in frozen]

    def inner_gradients(self, dys: Sequence[Tensor]) -> Tensor | None:
        """dL/d(inner) [N, R] of dL/dy [N, out] of each layer."""
        if self.a is None:
            return None
        gradients = dys[0].new_empty(dys[0].shape[0], self.a.shape[0])
        for dy, b, scale, place in zip(dys, self.bs, self.scales, self.by_layer(gradients), strict=True):
            if b is not None and place is not None:
                torch.addmm(_nothing(dy.dtype, dy.device), dy, b, beta=0, alpha=scale, out=place)
        return gradients

    def input_gradient(self, dys: Sequence[Tensor], dinner: Tensor | None, frozen: Sequence[Frozen]) -> Tensor:
        """dL/dx [N, in] of dL/dy [N, out] of each group of layers."""
        dx = None if dinner is None or self.a is None else dinner @ self.a
        for dy, group in zip(dys, frozen, strict=True):
            dx = group.gradient(dy, onto=dx)
        assert dx is not None  # there is at least one group
        return dx

    def a_gradients(self, dinner: Tensor | None, x: Tensor) -> list[Tensor | None]:
        """dL/dA [r, in] of each layer."""
        return self.by_layer(None if dinner is None else dinner.T @ x, dim=0)

    def b_gradients(self, dys: Sequence[Tensor], inner: Tensor | None) -> list[Tensor | None]:
        """dL/dB [out, r] of dL/dy [N, out] of each layer."""
        return [
            None if own is None else torch.addmm(_nothing(dy.dtype, dy.device), dy.T, own, beta=0, alpha=scale)
            for dy, own, scale in zip(dys, self.by_layer(inner), self.scales, strict=True)
        ]

    def by_layer(self, together: Tensor | None, dim: int = 1) -> list[Tensor | None]:
        """[N, r] of each layer, as views of [N, R]; likewise along another dimension."""
        if together is None:
            return [None] * len(self.bs)
        parts = iter(split(together, [b.shape[1] for b in self.bs if b is not None], dim))
        return [None if b is None else next(parts) for b in self.bs]


def apart(groups: Sequence[Tensor], frozen: Sequence[Frozen]) -> list[Tensor]:
    """[N, out] of each layer, as views of those of each group."""
    return [part for together, group in zip(groups, frozen, strict=True) for part in split(together, group.widths, 1)]


def split(tensor: Tensor, sizes: Sequence[int], dim: int) -> Sequence[Tensor]:
    """Views of it. One that is all of it is the tensor itself: to say so takes the host no time."""
    return (tensor,) if len(sizes) == 1 else tensor.split_with_sizes(list(sizes), dim)


@cache
def _nothing(dtype: torch.dtype, device: torch.device) -> Tensor:
    """What a product asks to be added to, and with beta = 0 does not read."""
    return torch.zeros((), dtype=dtype, device=device)


def _begin(y: Tensor, bias: Tensor | None, inner: Tensor | None, b: Tensor | None, scale: float) -> bool:
    """Writes what a layer's output [N, out] is besides x W': bias and adapter. False where there is neither."""
    if inner is not None and b is not None:
        if bias is None:
            torch.addmm(_nothing(y.dtype, y.device), inner, b.T, beta=0, alpha=scale, out=y)
        else:
            torch.addmm(bias.to(y.dtype), inner, b.T, alpha=scale, out=y)
    elif bias is not None:
        y.copy_(bias)
    return bias is not None or inner is not None


Norm = Callable[[Tensor], Tensor]
"""Of the last dimension, with weights that do not train."""


@dataclass(frozen=True)
class Layers:
    """Frozen layers in groups, the scales of their adapters, and the norm of the input that the first ones read."""

    frozen: tuple[Frozen, ...]
    """A group reads the same input, and its outputs are wanted side by side."""
    scales: tuple[float, ...]
    """Of each layer, group by group."""
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


class AdaptedLinears(torch.autograd.Function):
    """Several layers over one input. Keeps that (before the norm), the adapters and their narrow inner states, nothing else."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, layers: Layers, *matrices: Tensor | None) -> Tensor:
        """x [..., in] to [..., out], the outputs of all layers side by side. `matrices`: A and B of each, or None."""
        rows = layers.rows(x)
        with Copies(x.dtype) as copies:
            adapters = Adapters.cast(matrices, layers.scales, copies)
        inner = adapters.inner(rows)
        (y,) = adapters.outputs(rows, inner, layers.frozen)
        ctx.save_for_backward(x, inner, adapters.a, *adapters.bs)
        ctx.layers, ctx.dtype = layers, dtype_of(matrices)
        return y.unflatten(0, x.shape[:-1])

    @staticmethod
    def backward(ctx: Any, *dys: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of x and of every matrix."""
        x, inner, a, *bs = ctx.saved_tensors
        layers: Layers = ctx.layers
        adapters = Adapters(a, tuple(bs), layers.scales)
        rows, to_x = layers.rows_again(x)
        dy = [dys[0].flatten(0, -2)]
        by_layer = apart(dy, layers.frozen)
        dinner = adapters.inner_gradients(by_layer)
        narrow = interleaved(adapters.a_gradients(dinner, rows), adapters.b_gradients(by_layer, inner))
        dx = to_x(adapters.input_gradient(dy, dinner, layers.frozen)) if ctx.needs_input_grad[0] else None
        return dx, None, *in_dtype(narrow, ctx.dtype)


def dtype_of(matrices: Sequence[Tensor | None]) -> torch.dtype | None:
    """That of all that are there; None without any."""
    return next((matrix.dtype for matrix in matrices if matrix is not None), None)


def interleaved(of_a: Sequence[Tensor | None], of_b: Sequence[Tensor | None]) -> list[Tensor | None]:
    """A and B of each layer in turn."""
    return list(chain.from_iterable(zip(of_a, of_b, strict=True)))


def in_dtype(tensors: Sequence[Tensor | None], dtype: torch.dtype | None) -> list[Tensor | None]:
    """Each that is there."""
    if dtype is None:
        return list(tensors)
    with Copies(dtype) as copies:
        return [None if tensor is None else copies.one(tensor) for tensor in tensors]
