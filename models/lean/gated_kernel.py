"""The gated block's element-wise steps, with the adapters of gate and up and of what reads the block taken in on the way.

An adapter adds a product of a few columns to a tensor as wide as the block. Made by itself that product is written and read
once more; here it is made where the tensor passes anyway. `gate` and `up` are therefore kept as the frozen layers give them.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

from models.lean.fused import Narrow

_TOKENS = 64
_WIDE = 128
_WARPS = 8


@triton.jit  # type: ignore[untyped-decorator]
def _product(left, right, rows, columns, rank, left_stride, right_stride, there, inside, RANK: tl.constexpr):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
    """left[rows] @ right[columns]', both of `rank` columns."""
    ranks = tl.arange(0, RANK)
    some = ranks < rank
    one = tl.load(left + rows[:, None] * left_stride + ranks[None, :], mask=there[:, None] & some[None, :], other=0.0)
    other = tl.load(right + columns[None, :] * right_stride + ranks[:, None], mask=inside[None, :] & some[:, None], other=0.0)
    return tl.dot(one, other)


@triton.jit  # type: ignore[untyped-decorator]
def _with_adapter(wide_values, left, right, rows, columns, rank, stride, scale, there, inside, at, RANK: tl.constexpr):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
    """A tile of a wide tensor in float32; where RANK is not 0, with what the adapter adds to it."""
    found = tl.load(wide_values + at, mask=there[:, None] & inside[None, :], other=0.0).to(tl.float32)
    if RANK > 0:
        found += scale * _product(left, right, rows, columns, rank, stride, rank, there, inside, RANK)
    return found


@triton.jit  # type: ignore[untyped-decorator]
def _forward(  # type: ignore[no-untyped-def] # noqa: ANN202
    gate, up, inner, b_gate, b_up, h,  # noqa: ANN001
    tokens, wide, rank_gate, rank_up, scale_gate, scale_up,  # noqa: ANN001
    RANK: tl.constexpr, TOKENS: tl.constexpr, WIDE: tl.constexpr,
):  # fmt: skip
    rows = tl.program_id(1) * TOKENS + tl.arange(0, TOKENS)
    columns = tl.program_id(0) * WIDE + tl.arange(0, WIDE)
    there, inside = rows < tokens, columns < wide
    at = rows.to(tl.int64)[:, None] * wide + columns[None, :]
    width = rank_gate + rank_up
    g = _with_adapter(gate, inner, b_gate, rows, columns, rank_gate, width, scale_gate, there, inside, at, RANK)
    u = _with_adapter(up, inner + rank_gate, b_up, rows, columns, rank_up, width, scale_up, there, inside, at, RANK)
    silu = (g / (1.0 + tl.exp(-g))).to(h.dtype.element_ty).to(tl.float32)
    tl.store(h + at, (silu * u).to(h.dtype.element_ty), mask=there[:, None] & inside[None, :])


@triton.jit  # type: ignore[untyped-decorator]
def _backward(  # type: ignore[no-untyped-def] # noqa: ANN202
    dh, gate, up, inner, b_gate, b_up, din_down, a_down, dgate, dup, h,  # noqa: ANN001
    tokens, wide, rank_gate, rank_up, scale_gate, scale_up, rank_down,  # noqa: ANN001
    RANK: tl.constexpr, RANK_DOWN: tl.constexpr, TOKENS: tl.constexpr, WIDE: tl.constexpr,
):  # fmt: skip
    rows = tl.program_id(1) * TOKENS + tl.arange(0, TOKENS)
    columns = tl.program_id(0) * WIDE + tl.arange(0, WIDE)
    there, inside = rows < tokens, columns < wide
    at = rows.to(tl.int64)[:, None] * wide + columns[None, :]
    both = there[:, None] & inside[None, :]
    width = rank_gate + rank_up
    d = tl.load(dh + at, mask=both, other=0.0).to(tl.float32)
    if RANK_DOWN > 0:
        ranks = tl.arange(0, RANK_DOWN)
        some = ranks < rank_down
        din = tl.load(din_down + rows[:, None] * rank_down + ranks[None, :], mask=there[:, None] & some[None, :], other=0.0)
        a = tl.load(a_down + ranks[:, None] * wide + columns[None, :], mask=some[:, None] & inside[None, :], other=0.0)
        d += tl.dot(din, a)
    g = _with_adapter(gate, inner, b_gate, rows, columns, rank_gate, width, scale_gate, there, inside, at, RANK)
    u = _with_adapter(up, inner + rank_gate, b_up, rows, columns, rank_up, width, scale_up, there, inside, at, RANK)
    sigmoid = 1.0 / (1.0 + tl.exp(-g))
    silu = g * sigmoid
    tl.store(dgate + at, (d * u * (sigmoid + silu * (1.0 - sigmoid))).to(dgate.dtype.element_ty), mask=both)
    tl.store(dup + at, (d * silu).to(dup.dtype.element_ty), mask=both)
    tl.store(h + at, (silu * u).to(h.dtype.element_ty), mask=both)


def gated(gate: Tensor, up: Tensor, narrow: Narrow | None = None) -> Tensor:
    """h = silu(gate + its adapter) * (up + its adapter), [N, wide].

    Args:
        gate: [N, wide], contiguous like all tensors here; of the frozen layer alone where `narrow` brings the adapter.
        up: likewise.
        narrow: adapters that are not in gate and up yet.
    """
    h = torch.empty_like(gate)
    with torch.cuda.device_of(gate):
        _forward[_grid(gate)](
            gate, up, *_parts(gate, narrow), h, *gate.shape, *_sizes(narrow), _rank(narrow), _TOKENS, _WIDE, num_warps=_WARPS
        )
    return h


def gated_gradients(
    dh: Tensor, gate: Tensor, up: Tensor, narrow: Narrow | None = None, down: tuple[Tensor, Tensor] | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """dL/dgate, dL/dup, and h once more.

    Args:
        dh: [N, wide], dL/dh; by way of the frozen layer that reads h alone, where `down` brings the adapter's part.
        gate: as in `gated`.
        up: likewise.
        narrow: likewise.
        down: the gradient [N, r] of the inner state of the adapter that reads h, and its A [r, wide].
    """
    dgate, dup, h = (torch.empty_like(gate) for _ in range(3))
    rank_down = 0 if down is None else len(down[1])
    with torch.cuda.device_of(gate):
        _backward[_grid(gate)](
            dh, gate, up, *_parts(gate, narrow), *(down or (gate, gate)), dgate, dup, h, *gate.shape, *_sizes(narrow),
            rank_down, _rank(narrow), _padded(rank_down), _TOKENS, _WIDE, num_warps=_WARPS,
        )  # fmt: skip
    return dgate, dup, h


def _grid(gate: Tensor) -> tuple[int, int]:
    return triton.cdiv(gate.shape[1], _WIDE), triton.cdiv(gate.shape[0], _TOKENS)


def _parts(gate: Tensor, narrow: Narrow | None) -> tuple[Tensor, Tensor, Tensor]:
    """Without adapters something that is never read."""
    return (gate, gate, gate) if narrow is None else (narrow.inner, narrow.b_gate, narrow.b_up)


def _sizes(narrow: Narrow | None) -> tuple[int | float, ...]:
    return (0, 0, 0.0, 0.0) if narrow is None else (narrow.b_gate.shape[1], narrow.b_up.shape[1], *narrow.scales)


def _rank(narrow: Narrow | None) -> int:
    return 0 if narrow is None else _padded(max(narrow.b_gate.shape[1], narrow.b_up.shape[1]))


def _padded(rank: int) -> int:
    """What a product of small matrices is made for: a power of two from 16 on."""
    return max(16, triton.next_power_of_2(rank)) if rank else 0
