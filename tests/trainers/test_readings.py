"""Numbers reach the host in order, and the host never waits for the device inside a training."""

import warnings

import pytest
import torch
from small_data import ADAPTER, demonstrations, recipe

from models.loading import load_base
from trainers.fit import Examples, train
from trainers.readings import Readings


def test_readings_come_in_order_with_what_they_are_about():
    """Each once, all names and values as they were sent; nothing is left."""
    readings = Readings()
    readings.add("first", {"a": torch.tensor(1.5), "b": torch.tensor(2)})
    readings.add("second", {"c": torch.tensor(0.1, dtype=torch.float32)})

    found = list(readings.arrived())

    assert found == [("first", {"a": 1.5, "b": 2.0}), ("second", {"c": torch.tensor(0.1).double().item()})]
    assert list(readings.arrived(wait=True)) == []


def test_a_reading_is_as_it_was_when_it_was_sent():
    """A number that changes on the device afterwards does not change what was sent."""
    readings, value = Readings(), torch.tensor(1.0)
    readings.add(None, {"a": value})

    value += 1

    assert list(readings.arrived(wait=True)) == [(None, {"a": 1.0})]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no device to wait for")
def test_no_step_waits_for_the_device(base_folder, tmp_path):
    """Between the second step and the last but one torch sees no call in which the host waits for the GPU."""
    base, steps = load_base({"base": str(base_folder)}), []

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            train(
                base, recipe=recipe("sft", epochs=20), adapter=ADAPTER, seed=1, examples=Examples(demonstrations=demonstrations(10, 0)),
                checkpoint=None, out=tmp_path, on_progress=lambda done, total: steps.append(len(_waits(caught))),
            )  # fmt: skip
        finally:
            torch.cuda.set_sync_debug_mode("default")

    assert steps[-2] == steps[1], _waits(caught)


def _waits(caught):
    return [str(warning.message) for warning in caught if "synchroniz" in str(warning.message)]
