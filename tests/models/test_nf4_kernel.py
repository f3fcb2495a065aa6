"""The kernel written in Triton writes what it stands for. It is interpreted: a GPU is not needed."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from models.triton_support import runs_triton


@pytest.mark.skipif(importlib.util.find_spec("triton") is None, reason="Triton is not made for this machine")
def test_weights_are_those_of_bitsandbytes():
    """Bit for bit, whatever the size, the precision and the form of the scales."""
    done = subprocess.run(  # in a process of its own, since Triton decides at its import whether it interprets
        [sys.executable, Path(__file__).with_name("nf4_kernel_interpreted.py")],
        env=os.environ | {"TRITON_INTERPRET": "1", "PYTHONPATH": os.pathsep.join([*sys.path, os.getcwd()])},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr[-3000:]


def test_without_a_gpu_the_libraries_do_the_work():
    """Nothing of Triton is asked for on a processor."""
    assert runs_triton(torch.device("cpu")) is False
