"""Run by test_kernels.py with TRITON_INTERPRET=1: kernels read line by line on the CPU, held against what they stand for."""

import sys

import torch
from bitsandbytes.functional import dequantize_4bit, quantize_4bit

from models.lean import gated_kernel
from models.lean.fused import Narrow, gated, gated_gradients
from models.nf4_kernel import try_out, write_out


def weights_are_those_of_bitsandbytes():
    """Bit for bit, whatever the size, the precision and the form of the scales."""
    assert try_out(torch.device("cpu"))
    for rows, columns in ((64, 64), (3, 64), (96, 128), (200, 192)):
        for double in (False, True):
            for dtype in (torch.float16, torch.float32):  # of bfloat16 the interpreter cuts the rest off, a GPU rounds
                drawn = torch.randn(rows, columns)
                packed, state = quantize_4bit(drawn, quant_type="nf4", compress_statistics=double)
                state.dtype = dtype
                expected = dequantize_4bit(packed, state)
                found = write_out(packed, state)
                assert torch.equal(found, expected), (rows, columns, double, dtype)


def gating_is_that_of_the_steps_one_by_one():
    """For tokens and widths that fill no block, with adapters of unequal ranks taken in, and without."""
    for tokens, wide, ranks in ((5, 40, (4, 4, 4)), (130, 200, (16, 16, 16)), (64, 128, (3, 18, 7))):
        draw = torch.Generator().manual_seed(tokens)

        def drawn(*size, draw=draw):
            return torch.randn(size, generator=draw)

        dh, gate, up = (drawn(tokens, wide) for _ in range(3))
        narrow = Narrow(drawn(tokens, sum(ranks[:2])), drawn(wide, ranks[0]), drawn(wide, ranks[1]), (2.0, 0.5))
        down = drawn(tokens, ranks[2]), drawn(ranks[2], wide)
        in_gate, in_up = narrow.inner.split(ranks[:2], 1)
        adapted = gate + 2.0 * in_gate @ narrow.b_gate.T, up + 0.5 * in_up @ narrow.b_up.T

        check(gated_kernel.gated(gate, up), gated(gate.double(), up.double()))
        check(gated_kernel.gated(gate, up, narrow), gated(*(each.double() for each in adapted)))
        for found, expected in (
            (gated_kernel.gated_gradients(dh, gate, up), (dh, gate, up)),
            (gated_kernel.gated_gradients(dh, gate, up, narrow), (dh, *adapted)),
            (gated_kernel.gated_gradients(dh, gate, up, narrow, down), (dh + down[0] @ down[1], *adapted)),
        ):
            for one, other in zip(found, gated_gradients(*(each.double() for each in expected)), strict=True):
                check(one, other)


def check(found, expected):
    """Close to it, everywhere."""
    assert found.shape == expected.shape
    assert (found - expected).abs().max() < 1e-5 * expected.abs().max()


if __name__ == "__main__":
    globals()[sys.argv[1]]()
