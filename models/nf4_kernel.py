"""Four-bit weights written out at the speed of memory.

bitsandbytes' own kernel, which writes the same bits, takes half as long again (docs/log.md); in a training on four-bit weights
that is done twice per layer and micro-batch.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

_BLOCK = 1024  # bytes at a time
_TIMES = 4  # a program


@triton.jit  # type: ignore[untyped-decorator]
def _write_out(packed, scales, values, out, size, SHARE: tl.constexpr, BLOCK: tl.constexpr, TIMES: tl.constexpr):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
    start = tl.program_id(0).to(tl.int64) * (BLOCK * TIMES)
    for time in tl.static_range(TIMES):
        first = start + time * BLOCK
        at = first + tl.arange(0, BLOCK)
        there = at < size
        both = tl.load(packed + at, mask=there, other=0)
        scale = tl.load(scales + at // SHARE, mask=there, other=0.0)
        left = tl.load(values + (both >> 4).to(tl.int32)) * scale
        right = tl.load(values + (both & 15).to(tl.int32)) * scale
        to = 2 * first + tl.arange(0, 2 * BLOCK)
        tl.store(out + to, tl.interleave(left, right).to(out.dtype.element_ty), mask=to < 2 * size)


def write_out(packed: Tensor, state: Any) -> Tensor:
    """The weights of a bitsandbytes `QuantState` of type nf4, bit for bit as `dequantize_4bit` writes them on a GPU.

    Args:
        packed: uint8, two weights a byte, the first in its upper half.
        state: with the shape and dtype of what is written, the sixteen values (`code`), and a scale (`absmax`) per block of
            weights, quantised in turn or not. A weight is rounded once, from the product of its value and scale.
    """
    out = packed.new_empty(state.shape, dtype=state.dtype)
    size = packed.numel()
    with torch.cuda.device_of(packed):
        grid = (triton.cdiv(size, _BLOCK * _TIMES),)
        _write_out[grid](packed, _scales(state), state.code, out, size, state.blocksize // 2, _BLOCK, _TIMES, num_warps=4)
    return out


def _scales(state: Any) -> Tensor:
    if not state.nested:
        scales: Tensor = state.absmax
        return scales
    from bitsandbytes.functional import dequantize_blockwise

    nested: Tensor = dequantize_blockwise(state.absmax, state.state2) + state.offset
    return nested.float()


def try_out(device: torch.device) -> bool:
    """Whether the kernel runs here and writes what it should."""
    scales, code = torch.full((1,), 2.0, device=device), torch.arange(16, dtype=torch.float32, device=device)
    state = SimpleNamespace(nested=False, blocksize=64, absmax=scales, code=code, shape=(64,), dtype=torch.float32)
    packed = torch.full((32,), 0x1F, dtype=torch.uint8, device=device)
    return bool((write_out(packed, state).view(32, 2) == torch.tensor([2.0, 30.0], device=device)).all())
