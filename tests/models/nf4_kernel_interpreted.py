"""Run by test_nf4_kernel.py with TRITON_INTERPRET=1: the kernel read line by line on the CPU, held against bitsandbytes."""

import torch
from bitsandbytes.functional import dequantize_4bit, quantize_4bit

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


if __name__ == "__main__":
    weights_are_those_of_bitsandbytes()
