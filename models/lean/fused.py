"""Element-wise steps in one pass over memory each.

On a GPU in half precision they are compiled by PyTorch's just-in-time compiler of element-wise functions on first use (half a
second in all), and compute in float32 inside. Written out in PyTorch's own operations, as everywhere else, the gradients of a
gated block pass 14 times over tensors as wide as the block instead of 6 times, and a rotation is four launches instead of one.
What that is worth is measured in docs/log.md.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

_GATED = """
template <typename T> T gated(T gate, T up) {
  float g = static_cast<float>(gate);
  T silu = static_cast<T>(g / (1.0f + expf(-g)));
  return static_cast<T>(static_cast<float>(silu) * static_cast<float>(up));
}
"""
_GATED_GRADIENTS = """
template <typename T> void gated_gradients(T dh, T gate, T up, T& dgate, T& dup, T& h) {
  float d = static_cast<float>(dh), g = static_cast<float>(gate), u = static_cast<float>(up);
  float sigmoid = 1.0f / (1.0f + expf(-g));
  float silu = g * sigmoid;
  dgate = static_cast<T>(d * u * (sigmoid + silu * (1.0f - sigmoid)));
  dup = static_cast<T>(d * silu);
  h = static_cast<T>(silu * u);
}
"""
_ROTATED = """
template <typename T> T rotated(T left, T right, T cos, T sin, T side, T way) {
  if (way == 0) return side == 0 ? left : right;
  // Four numbers at a time: a bfloat16 is the upper half of a float32.
  unsigned long long turned = 0;
  for (int shift = 0; shift < 64; shift += 16) {
    float l = __uint_as_float(static_cast<unsigned int>((left >> shift) & 0xffff) << 16);
    float r = __uint_as_float(static_cast<unsigned int>((right >> shift) & 0xffff) << 16);
    float c = __uint_as_float(static_cast<unsigned int>((cos >> shift) & 0xffff) << 16);
    float s = __uint_as_float(static_cast<unsigned int>((sin >> shift) & 0xffff) << 16) * static_cast<float>(way);
    unsigned int bits = __float_as_uint(side == 0 ? l * c - r * s : r * c + l * s);
    bits += 0x7fff + ((bits >> 16) & 1);  // to the nearest, ties to even
    turned |= static_cast<unsigned long long>(bits >> 16) << shift;
  }
  return static_cast<T>(turned);
}
"""


def gated(gate: Tensor, up: Tensor) -> Tensor:
    """silu(gate) * up of two tensors [N, wide]."""
    if _fusible(gate):
        fused: Tensor = _kernel(_GATED)(gate, up)
        return fused
    return functional.silu(gate) * up


def gated_gradients(dh: Tensor, gate: Tensor, up: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """dL/dgate, dL/dup, and h = silu(gate) * up once more, of dL/dh. `dh` is used up."""
    if _fusible(gate):
        dgate, dup, h = _kernel(_GATED_GRADIENTS, 3)(dh, gate, up)
        return dgate, dup, h
    silu = functional.silu(gate)
    dup = dh * silu
    return torch.ops.aten.silu_backward(dh.mul_(up), gate), dup, silu.mul_(up)


def rotated(x: Tensor, cos: Tensor, sin: Tensor, turning: int, way: int) -> Tensor:
    """Every pair (x[i], x[i + D/2]) of the first heads of x [..., T, H, D] turned by its angle, forwards (1) or back (-1).

    Args:
        x: contiguous.
        cos: [..., T, 1, D/2], of the angle.
        sin: likewise.
        turning: how many heads; the others are copied.
        way: 1 or -1.
    """
    left, right = x.chunk(2, -1)
    if x.is_cuda and x.dtype == cos.dtype == torch.bfloat16 and left.shape[-1] % 4 == 0:
        fours = [each.view(torch.int64).unsqueeze(-2) for each in (left, right, cos, sin)]
        turned: Tensor = _kernel(_ROTATED)(*fours, _sides(x.device), _ways(x.device, turning, x.shape[-2] - turning, way))
        return turned.view(torch.bfloat16).flatten(-2)
    y = torch.empty_like(x)
    y[..., turning:, :] = x[..., turning:, :]
    left, right, out_left, out_right = (each[..., :turning, :] for each in (left, right, *y.chunk(2, -1)))
    torch.mul(left, cos, out=out_left).addcmul_(right, sin, value=-way)
    torch.mul(right, cos, out=out_right).addcmul_(left, sin, value=way)
    return y


def _fusible(tensor: Tensor) -> bool:
    return tensor.is_cuda and tensor.dtype.itemsize == 2


@cache
def _sides(device: torch.device) -> Tensor:
    """[2, 1]: 0 for the left half and 1 for the right one."""
    return torch.tensor([[0], [1]], device=device)


@cache
def _ways(device: torch.device, turning: int, staying: int, way: int) -> Tensor:
    """[H, 1, 1]: the way of each head, 0 of one that stays."""
    return torch.tensor([way] * turning + [0] * staying, device=device)[:, None, None]


@cache
def _kernel(code: str, outputs: int = 1) -> Callable[..., Any]:
    from torch.cuda.jiterator import _create_jit_fn, _create_multi_output_jit_fn

    return _create_jit_fn(code) if outputs == 1 else _create_multi_output_jit_fn(code, outputs)
