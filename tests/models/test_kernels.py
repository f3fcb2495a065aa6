"""The kernels written in Triton compute what they stand for. They are interpreted: a GPU is not needed."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import kernels_interpreted
import pytest
import torch

from models.triton_support import runs_triton

pytestmark = pytest.mark.skipif(importlib.util.find_spec("triton") is None, reason="Triton is not made for this machine")


@pytest.mark.parametrize(
    "promise",
    [kernels_interpreted.weights_are_those_of_bitsandbytes, kernels_interpreted.gating_is_that_of_the_steps_one_by_one],
    ids=lambda promise: promise.__name__,
)
def test_a_kernel_computes_what_it_stands_for(promise):
    """In a process of its own, since Triton decides at its import whether it interprets."""
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("kernels_interpreted.py"), promise.__name__],
        env=os.environ | {"TRITON_INTERPRET": "1", "PYTHONPATH": os.pathsep.join([*sys.path, os.getcwd()])},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr[-3000:]


def test_without_a_gpu_the_libraries_do_the_work():
    """Nothing of Triton is asked for on a processor."""
    assert runs_triton(torch.device("cpu")) is False
