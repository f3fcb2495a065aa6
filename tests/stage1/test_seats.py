"""How a plan is seated on a cluster or on this machine: by the memory that its hungriest step needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from stage1.commands.compiling import compile_file
from stage1.executors.seats import Seats, seats_for, seats_here
from stage1.gpus import Gpu
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


H100 = "NVIDIA H100 80GB HBM3"
BOTH_DEVICES = ("runtime.devices=2",)
LARGE = ("model.base=Qwen/Qwen2.5-32B", "model.quantization=nf4", "model.dtype=bfloat16", "model.revision=main")


def here(gpus: int, *overrides: str, workers: int | None = None, name: str = H100) -> Seats:
    """Seats of the nano plan on a machine of 32 processors with so many GPUs."""
    plan = compile_file(NANO, overrides).plan
    assert plan is not None
    return seats_here(plan, [Gpu(str(number), name, 80 * GIB) for number in range(gpus)], 32, workers, DiskWorld())


def test_a_machine_with_several_gpus_uses_all_of_them() -> None:
    """Without being told: a seat each for a large model, several each for a small one where the GPU is known."""
    assert (here(2, *LARGE).device, here(2, *LARGE).gpus) == (2, 1.0)
    assert here(2).device > 2
    assert here(2).device * here(2).gpus == pytest.approx(2)
    assert here(2, name="some other").device == 2


def test_without_several_gpus_this_process_is_the_seat() -> None:
    """No GPU, one GPU, or as many as each training takes for itself: nothing is gained by more processes."""
    for alone in (here(0), here(1), here(2, *BOTH_DEVICES)):
        assert (alone.device, alone.pure) == (1, 0)


def test_as_many_seats_as_were_asked_for() -> None:
    """On the processor, on one GPU, on several."""
    assert here(0, workers=3) == Seats(device=3, gpus=0, memory=0, pure=0)
    assert (here(1, workers=4).device, here(1, workers=4).gpus) == (4, 0.25)
    assert (here(2, workers=2).device, here(2, workers=2).gpus) == (2, 1.0)
    assert (here(2, workers=1).device, here(2, workers=1).pure) == (1, 0)
    assert here(2, workers=3).gpus == 0.5  # two of them sit together


def test_trainings_on_several_gpus_have_seats_of_several() -> None:
    """On this machine and on a cluster: each seat has as many GPUs as a training spreads over, and to itself."""
    assert (here(4, *BOTH_DEVICES).device, here(4, *BOTH_DEVICES).gpus) == (2, 2)
    on_cluster = seats({"CPU": 32, "GPU": 4, "accelerator_type:H100": 1}, *BOTH_DEVICES)
    assert (on_cluster.device, on_cluster.gpus) == (2, 2)
