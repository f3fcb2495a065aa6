"""How a plan is seated on a cluster: by the memory that its hungriest step needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from stage1.commands.compiling import compile_file
from stage1.executors.seats import Seats, seats_for
from stage1.world import DiskWorld

NANO = Path(__file__).with_name("nano.yaml")
GIB = 2**30


def seats(resources: dict[str, float], *overrides: str) -> Seats:
    """Seats of the nano plan, with overrides, on a cluster with these resources."""
    plan = compile_file(NANO, overrides).plan
    assert plan is not None
    return seats_for(plan, resources, DiskWorld())


def test_without_a_gpu_every_processor_is_a_seat() -> None:
    """Steps with and without a model sit together; little memory means fewer seats, but never none."""
    assert seats({"CPU": 4, "memory": 64 * GIB}).device == 4
    assert seats({"CPU": 4, "memory": 64 * GIB}).pure == 0
    assert seats({"CPU": 64, "memory": 1 * GIB}).device < 64
    assert seats({"CPU": 4, "memory": 1.0}).device == 1


def test_small_models_share_a_gpu() -> None:
    """The embedded model fits many times over: the seats of a GPU are full shares of it, on both GPUs."""
    found = seats({"CPU": 32, "GPU": 2, "accelerator_type:H100": 1})

    assert found.device > 2
    assert found.device % 2 == 0
    assert found.gpus * found.device == pytest.approx(2)
    assert found.pure >= 1
    assert found.device + found.pure <= 32


def test_a_large_model_has_its_gpu_to_itself() -> None:
    """A step that takes most of a GPU is not seated beside another."""
    large = ("model.base=Qwen/Qwen2.5-32B", "model.quantization=nf4", "model.dtype=bfloat16", "model.revision=main")

    found = seats({"CPU": 32, "GPU": 2, "accelerator_type:H100": 1}, *large)

    assert (found.device, found.gpus) == (2, 1.0)


def test_an_unknown_gpu_is_not_shared() -> None:
    """Where its memory is not known, nothing can be said to fit."""
    assert seats({"CPU": 32, "GPU": 2, "accelerator_type:ODD": 1}).device == 2
    assert seats({"CPU": 32, "GPU": 2}).device == 2
