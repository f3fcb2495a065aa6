"""Estimates: known sizes, units that agree, more work never costs less, and a way out where it does not fit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from compiler import compile_spec
from compiler.estimates import (
    DEVICES,
    Calibration,
    UnknownDevice,
    UnknownShape,
    estimate,
    render_estimate,
    shape_of,
)
from compiler.estimates.devices import GIB, device_called
from compiler.estimates.estimate import device_named
from compiler.estimates.memory import weight_bytes
from compiler.estimates.rendering import duration

ROOT = Path(__file__).parents[2]


@pytest.fixture
def estimated(dict_world, four_arms):
    """The estimate of a spec with flags, on a device."""

    def estimated(*flags, device="h100-80", price=None, calibration=None, files=None):
        world = dict_world(files or {})
        plan = compile_spec("spec.yaml", four_arms, flags, world).plan
        return estimate(plan, device, price, calibration, world)

    return estimated


QWEN_7B = ("model.base=Qwen/Qwen2.5-7B", "model.dtype=bfloat16")


@pytest.mark.parametrize(
    ("name", "billions"),
    [("0.5B", 0.494), ("1.5B", 1.544), ("3B", 3.086), ("7B", 7.616), ("14B", 14.770), ("32B", 32.764), ("72B", 72.706)],
)
def test_parameter_counts_are_the_published_ones(name, billions, dict_world):
    """The formula gives what the makers count, embeddings and biases included, to the third digit."""
    assert shape_of(f"Qwen/Qwen2.5-{name}", dict_world()).parameters / 1e9 == pytest.approx(billions, abs=5e-4)


def test_the_embedded_model_is_counted_to_the_last_weight(dict_world):
    """Its file, in 2-byte numbers, holds just as many weights; so does a LoRA adapter that was trained on it."""
    from safetensors import safe_open

    shape = shape_of("tiny-base", dict_world())
    with safe_open(ROOT / "models" / "tiny_base" / "model.safetensors", "np") as file:
        sizes = [file.get_slice(name).get_shape() for name in file.keys()]  # noqa: SIM118  (no mapping)
    counted = sum(rows * (columns[0] if columns else 1) for rows, *columns in sizes)

    assert shape.parameters == counted
    assert shape.adapter_parameters(16, "all-linear") == 217_088


def test_a_local_config_tells_the_shape(dict_world):
    """The embedded model's own config, read as that of a local folder, gives the shape that is known by name."""
    config = (ROOT / "models" / "tiny_base" / "config.json").read_text()

    assert shape_of("./mine", dict_world({"./mine/config.json": config})) == shape_of("tiny-base", dict_world())


@pytest.mark.parametrize(
    "config",
    ["", "[]", "{}", '{"hidden_size": "x"}', json.dumps({"num_attention_heads": 0}), "[" * 100_000, "\u2028"],
)
def test_a_config_that_tells_nothing_is_refused(config, dict_world):
    """Damaged, foreign or hostile: one sentence."""
    with pytest.raises(UnknownShape, match=r"^the config.json of `./mine` does not tell[^\n]*$"):
        shape_of("./mine", dict_world({"./mine/config.json": config}))


@pytest.mark.parametrize("base", ["meta-llama/Llama-3-8B", "someone/Qwen2.5-7B", "Qwen/Qwen9"])
def test_an_unknown_model_is_not_guessed(base, dict_world):
    """A hub model whose shape is not known here cannot be estimated, and the message says what to do."""
    with pytest.raises(UnknownShape, match="cannot be known without its shape: download it"):
        shape_of(base, dict_world())


def test_four_bits_take_about_half_a_byte(dict_world):
    """32B weights: 61 GiB in bfloat16, about 19 in nf4, with embeddings and head left as they are."""
    shape = shape_of("Qwen/Qwen2.5-32B", dict_world())

    assert weight_bytes({"dtype": "bfloat16", "quantization": "none"}, shape) / GIB == pytest.approx(61.0, abs=0.1)
    assert weight_bytes({"dtype": "bfloat16", "quantization": "nf4"}, shape) / GIB == pytest.approx(19.2, abs=0.5)


@pytest.mark.parametrize(
    ("smaller", "larger"),
    [
        ((), ("data.instructions.heldout=260",)),
        ((), ("recipes.sft.epochs=9",)),
        ((), ("recipes.dpo.epochs=2",)),
        ((), ("data.preferences.pairs=900",)),
        ((), ("evaluation.decode.max_new_tokens=600",)),
        ((), ("seeds=[1, 2, 3, 4, 5, 6]",)),
        ((), ("arms.again={from: sft, train: {use: sft, match: {tokens: sft_dpo}}}",)),
        ((), ("model.base=Qwen/Qwen2.5-14B",)),
        (("model.dtype=float32",), ("model.adapter=null", "model.dtype=float32")),
        ((), ("recipes.sft.engine=trl",)),
        ((), ("recipes.dpo.engine=trl",)),
    ],
)
def test_more_work_never_costs_less(smaller, larger, estimated):
    """Each of these adds work: FLOPs and time grow, and the memory needed does not fall."""
    one, other = estimated(*QWEN_7B, *smaller), estimated(*QWEN_7B, *smaller, *larger)

    assert other.flops > one.flops
    assert other.seconds > one.seconds
    assert other.peak.memory >= one.peak.memory


@pytest.mark.parametrize(
    ("less", "more"),
    [
        ("model.quantization=nf4", "model.quantization=none"),
        ("model.dtype=bfloat16", "model.dtype=float32"),
        ("model.adapter.rank=8", "model.adapter.rank=512"),
        ("recipes.dpo.micro_batch_size=1", "recipes.dpo.micro_batch_size=8"),
        (
            "recipes.dpo={objective: dpo, micro_batch_size: 8, max_length: 16}",
            "recipes.dpo={objective: dpo, micro_batch_size: 8}",
        ),
        ("runtime.generation_batch_size=4", "runtime.generation_batch_size=4000"),
    ],
)
def test_memory_follows_the_settings_that_take_it(less, more, estimated):
    """Quantization, type, rank, micro-batch, length and generation batch each decide about the peak."""
    assert estimated(*QWEN_7B, less).peak.memory < estimated(*QWEN_7B, more).peak.memory


def test_training_flops_are_six_or_four_n_per_token(estimated):
    """All weights: 6N a token; with an adapter 4N; the attention over short sequences adds a few percent."""
    for flag, per_token in (("model.adapter=null", 6), ("model.adapter.rank=16", 4)):
        found = estimated("model.base=Qwen/Qwen2.5-0.5B", flag, device="h200-141")  # room to recompute nothing
        train = next(step for step in found.steps if step.id == "train/sft/seed-1")
        expected = per_token * found.shape.computing * train.work.tokens_read
        assert expected <= train.work.flops < 1.03 * expected


def test_optimizer_steps_are_examples_by_batches(estimated):
    """200 demonstrations, 3 epochs, batches of 8: 75 steps; 500 pairs, one epoch: 62 or 63."""
    steps = {step.id: step.work.optimizer_steps for step in estimated(*QWEN_7B).steps}

    assert steps["train/sft/seed-1"] == 75
    assert steps["train/sft_dpo/seed-1"] in (62, 63)


def test_matched_training_takes_the_tokens_it_matches(estimated):
    """`match: {tokens: ARM}` trains on as many tokens as that arm and its reference read, whatever its own epochs say."""
    arm = "arms.again={from: sft, train: {use: sft, epochs: 50, match: {tokens: sft_dpo}}}"
    tokens = {step.id: step.work.tokens_read for step in estimated(*QWEN_7B, arm).steps}

    assert tokens["train/again/seed-1"] == 2 * tokens["train/sft_dpo/seed-1"]


def test_price_is_hours_by_rate(estimated):
    """The total is the steps and the loading one after the other; the price is per hour."""
    found = estimated(*QWEN_7B, price=3.5)

    assert found.seconds == pytest.approx(found.loading + sum(step.seconds for step in found.steps))
    assert found.cost == pytest.approx(found.seconds / 3600 * 3.5)
    assert estimated(*QWEN_7B).cost is None


def test_a_faster_device_is_faster(estimated):
    """In bfloat16 the table's order is that of time: 4090, A100, H100."""
    times = [estimated(*QWEN_7B, device=device).seconds for device in ("rtx4090-24", "a100-80", "h100-80")]

    assert times == sorted(times, reverse=True)


def test_what_does_not_fit_says_what_helps(estimated):
    """The gibibytes needed and there, and settings with which it fits: true to the letter."""
    model = ("model.base=Qwen/Qwen2.5-14B", "model.dtype=bfloat16")
    found = estimated(*model, device="rtx4090-24")

    assert not found.fits
    said = " ".join(render_estimate(found).split())
    assert "this device has 24: set `model.quantization: nf4` (about " in said
    assert max(map(len, render_estimate(found).splitlines())) <= 120
    assert "still too much" not in found.remedies[0]
    assert estimated(*model, "model.quantization=nf4", device="rtx4090-24").fits


@pytest.mark.parametrize(
    ("told", "gib", "name"),
    [
        ("NVIDIA H100 80GB HBM3", 79.6, "h100-80"),
        ("NVIDIA H200", 139.8, "h200-141"),
        ("NVIDIA A100-SXM4-40GB", 39.4, "a100-40"),
        ("NVIDIA A100-SXM4-80GB", 79.3, "a100-80"),
        ("NVIDIA L40S", 44.4, "l40s-48"),
        ("NVIDIA GeForce RTX 4090", 23.6, "rtx4090-24"),
        ("Some Other Card", 24.0, None),
        ("NVIDIA H100 NVL", 47.0, None),
    ],
)
def test_a_device_is_known_by_what_its_driver_calls_it(told, gib, name):
    """What a run recorded on a device counts for the estimates on it; a part of one, or another one, is no known device."""
    found = device_called(told, int(gib * GIB))

    assert (found.name if found else None) == name


def test_training_takes_what_the_device_has(estimated):
    """The same training fits a small and a large device: where it can keep less, less goes through the model at a time."""
    settings = (*QWEN_7B, "model.quantization=nf4", "recipes.dpo.batch_size=256")

    small, large = (
        next(step for step in estimated(*settings, device=device).steps if step.id == "train/sft_dpo/seed-1")
        for device in ("rtx4090-24", "h200-141")
    )

    assert small.memory < 24 * GIB
    assert small.memory < large.memory
    assert small.work.passes > large.work.passes


def test_pairs_of_a_prompt_are_read_as_a_tree(estimated):
    """More pairs of the same prompts cost less each: what they share is computed once."""
    few, many = (
        next(step for step in estimated(*QWEN_7B, f"data.preferences.pairs={pairs}").steps if step.id == "train/sft_dpo/seed-1")
        for pairs in (200, 1000)
    )

    assert many.work.tokens_read == 5 * few.work.tokens_read
    assert many.work.flops < 3.2 * few.work.flops


def test_one_setting_that_suffices_is_proposed_alone(estimated):
    """Nobody is asked to change three things where one is enough."""
    found = estimated("model.base=Qwen/Qwen2.5-32B", "model.dtype=bfloat16", "model.quantization=nf4", device="rtx4090-24")

    assert found.remedies[0].startswith("set `runtime.generation_batch_size: 16` (about ")
    assert found.remedies[-1] == "take a100-40"


@pytest.mark.parametrize(
    ("size", "device"), [("7B", "h100-80"), ("14B", "h200-141"), ("7B", "rtx4090-24"), ("32B", "rtx4090-24")]
)
def test_what_is_proposed_can_be_planned(size, device, estimated):
    """Where all weights are trained: bfloat16 and 4 bits, which need an adapter, are proposed together with one only."""
    flags = (f"model.base=Qwen/Qwen2.5-{size}", "model.adapter=null")
    *ways, _ = estimated(*flags, device=device).remedies

    assert ways
    for way in ways:
        proposed = [setting.replace(": ", "=", 1) for setting in way.split("`")[1::2]]
        assert estimated(*flags, *proposed, device=device)


def test_what_cannot_fit_is_said(estimated):
    """All weights of a 72B model: no device holds the training, and no settings are promised to do it."""
    found = estimated("model.base=Qwen/Qwen2.5-72B", "model.adapter=null", device="rtx4090-24")

    assert found.remedies[-1] == "no known device is large enough as it stands"
    assert found.remedies[0].endswith("which is still too much")


def test_calibration_corrects_the_device_it_was_made_on(estimated):
    """Measured over estimated, by its geometric mean; on any other device it says nothing."""
    measured = Calibration("h100-80", {"train": (2.0, 8.0)})
    plain, corrected = estimated(*QWEN_7B), estimated(*QWEN_7B, calibration=measured)
    elsewhere = estimated(*QWEN_7B, device="a100-80", calibration=measured)

    for before, after in zip(plain.steps, corrected.steps, strict=True):
        assert after.seconds == pytest.approx(before.seconds * (4 if before.kind == "train" else 1))
    assert elsewhere == estimated(*QWEN_7B, device="a100-80")


def test_agreeing_measurements_make_the_error_small(estimated):
    """Without any the error is a factor of 3 and is said; with many that agree it is small, never nothing."""
    ratios = dict.fromkeys((step.kind for step in estimated(*QWEN_7B).steps), (1.1, 1.1, 1.1))
    plain, sure = estimated(*QWEN_7B), estimated(*QWEN_7B, calibration=Calibration("h100-80", ratios))

    assert plain.error == pytest.approx(3)
    assert "off by a factor of 3" in " ".join(render_estimate(plain).split())
    assert sure.error == pytest.approx(1.3)


def test_steps_that_are_reused_take_nothing(dict_world, four_arms):
    """What is skipped is in no total; a plan with nothing to do loads no model."""
    plan = compile_spec("spec.yaml", four_arms, [], dict_world()).plan
    everything = frozenset(step.id for step in plan.steps)
    found = estimate(plan, "cpu-2", None, None, dict_world(), skip=everything)

    assert found.seconds == 0
    assert found.fits
    assert "in all about 0 s" in render_estimate(found)


def test_devices_are_found_by_name():
    """In full, or without the memory; a name that is none lists those there are."""
    assert device_named("h200").name == "h200-141"
    assert device_named("a100").name == "a100-80"
    assert device_named("a100-40") == DEVICES["a100-40"]
    with pytest.raises(UnknownDevice, match="did you mean h100-80"):
        device_named("h100-8")
    with pytest.raises(UnknownDevice, match="known: cpu-2"):
        device_named("")


@pytest.mark.parametrize(("seconds", "shown"), [(0, "0 s"), (89, "89 s"), (150, "2 min"), (3600, "60 min"), (7200, "2.0 h")])
def test_durations_are_for_people(seconds, shown):
    """Seconds, minutes, hours, whichever reads best."""
    assert duration(seconds) == shown


def test_devices_together_share_trainings_and_nothing_else(estimated):
    """Two devices halve a training's arithmetic, and what an optimizer step keeps where weights are sharded; a generation
    is what it was, and a weight that each device holds whole takes what it took."""
    settings = (*QWEN_7B, "recipes.dpo.batch_size=256")
    alone, copies, shards = (
        {step.id: step for step in estimated(*settings, *runtime, device="h100-80").steps}
        for runtime in ((), ("runtime.devices=2",), ("runtime.devices=2", "runtime.strategy=fsdp"))
    )
    trainings = [id for id, step in alone.items() if step.kind == "train"]

    assert trainings
    for id in trainings:
        assert copies[id].seconds < alone[id].seconds < 2.2 * copies[id].seconds
        assert shards[id].seconds > copies[id].seconds
        assert shards[id].memory < copies[id].memory <= alone[id].memory
    assert all(copies[id].seconds == step.seconds and shards[id].memory == step.memory
               for id, step in alone.items() if id not in trainings)  # fmt: skip
