"""`train`: from examples to a checkpoint, reproducibly, leaving nothing else changed."""

import gc
import json
import logging
import math
import os
import random
import signal
import warnings
import weakref

import numpy as np
import pytest
import torch
from lightning.pytorch.loggers import Logger
from small_data import ADAPTER, demonstrations, dpo_examples, examples, recipe
from tiny_models import make_model, wrap

from models.adapters import attached, trainable
from models.loading import LoadedBase
from models.pairs import pair_log_probs
from models.prompt_format import encode, render_prompt
from trainers.errors import TrainingDiverged, TrainingError
from trainers.fit import Examples, train
from trainers.resume import Keeping


def run(
    base: LoadedBase, out, objective="sft", *, data=None, adapter=ADAPTER, seed=1, checkpoint=None, changes=None, **options
):
    """One training with small defaults."""
    out.mkdir(parents=True)
    return train(
        base,
        recipe=recipe(objective, **(changes or {})),
        adapter=adapter,
        seed=seed,
        examples=data or examples(objective, base),
        checkpoint=checkpoint,
        out=out,
        **options,
    )


def contents(folder):
    """Every file below a folder, as bytes."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def curve(folder, name):
    """One metric's values by step."""
    rows = map(json.loads, (folder / "curves.jsonl").read_text().splitlines())
    return {row["step"]: row["value"] for row in rows if row["name"] == name}


def base_weights(base):
    """All of them, copied."""
    return {name: tensor.clone() for name, tensor in base.model.state_dict().items()}


@pytest.mark.parametrize("adapter", [ADAPTER, None], ids=["adapter", "all weights"])
def test_first_dpo_loss_is_ln_2(base, tmp_path, adapter):
    """From the base model and from a checkpoint alike, provided that the reference is what training starts from."""
    run(base, tmp_path / "sft", adapter=adapter, changes={"epochs": 3})
    with attached(base, tmp_path / "sft/checkpoint"):
        of_parent = dpo_examples(base)

    fresh = run(base, tmp_path / "fresh", "dpo", adapter=adapter)
    continued = run(base, tmp_path / "next", "dpo", adapter=adapter, data=of_parent, checkpoint=tmp_path / "sft/checkpoint")

    assert fresh.first_loss == pytest.approx(math.log(2), abs=1e-6)
    assert continued.first_loss == pytest.approx(math.log(2), abs=1e-6)
    assert curve(tmp_path / "next", "validation/loss")[0] == pytest.approx(math.log(2), abs=1e-6)


def test_wrong_reference_shows(base, tmp_path):
    """The trap: after SFT, a reference that is still the base model is visible at once as a first loss other than ln 2."""
    run(base, tmp_path / "sft", changes={"epochs": 3})

    wrong = run(base, tmp_path / "dpo", "dpo", data=dpo_examples(base), checkpoint=tmp_path / "sft/checkpoint")

    assert abs(wrong.first_loss - math.log(2)) > 0.01


@pytest.mark.parametrize("objective", ["sft", "dpo"])
def test_learning_lowers_the_loss(base, tmp_path, objective):
    """Training learns what it is shown, and the stored checkpoint has learned it."""
    summary = run(base, tmp_path / "a", objective, changes={"epochs": 8})

    assert summary.final_loss < 0.8 * summary.first_loss
    if objective == "dpo":
        rows = examples("dpo", base).pairs
        before = pair_log_probs(base, rows)
        with attached(base, tmp_path / "a/checkpoint"):
            after = pair_log_probs(base, rows)
        gains = [(b.chosen - a.chosen) - (b.rejected - a.rejected) for a, b in zip(before, after, strict=True)]
        assert sum(gain > 0 for gain in gains[:10]) == 10
        assert curve(tmp_path / "a", "rewards/accuracy")[summary.steps] == 1.0


@pytest.mark.parametrize("adapter", [{**ADAPTER, "dropout": 0.2}, None], ids=["adapter", "all weights"])
@pytest.mark.parametrize("objective", ["sft", "dpo"])
def test_same_inputs_same_bytes(base, tmp_path, objective, adapter):
    """Twice the same training, whatever ran in between: every file is the same, bit for bit; another seed is another training."""
    changes = {"epochs": 1.5, "warmup_ratio": 0.2}
    run(base, tmp_path / "a", objective, adapter=adapter, changes=changes)
    torch.manual_seed(12345)
    run(base, tmp_path / "b", objective, adapter=adapter, changes=changes)
    run(base, tmp_path / "c", objective, adapter=adapter, changes=changes, seed=2)

    first = contents(tmp_path / "a")
    assert first == contents(tmp_path / "b")
    assert first["curves.jsonl"] != contents(tmp_path / "c")["curves.jsonl"]
    assert set(first) >= {
        "curves.jsonl",
        "summary.json",
        "checkpoint/adapter_model.safetensors" if adapter else "checkpoint/model.safetensors",
    }


@pytest.mark.parametrize("adapter", [ADAPTER, None], ids=["adapter", "all weights"])
def test_base_model_is_untouched(base, tmp_path, adapter):
    """After training the resident base is bit-identical, frozen and in evaluation mode."""
    before = base_weights(base)

    run(base, tmp_path / "a", adapter=adapter)

    after = base.model.state_dict()
    assert after.keys() == before.keys()
    assert all(torch.equal(after[name], before[name]) for name in before)
    assert not base.model.training
    assert not any(parameter.requires_grad or parameter.grad is not None for parameter in base.model.parameters())


def test_nothing_else_is_changed(base, tmp_path, monkeypatch):
    """Random state, dtype, gradient mode, signal handlers, environment, log levels and folders are as before."""
    monkeypatch.chdir(tmp_path)

    def surroundings():
        return (
            torch.get_rng_state().tolist(), torch.get_default_dtype(), torch.is_grad_enabled(), torch.are_deterministic_algorithms_enabled(),
            {number: signal.getsignal(number) for number in signal.valid_signals()}, dict(os.environ),
            logging.getLogger("lightning.pytorch").level, torch.get_num_threads(), list(warnings.filters), random.getstate(),
            str(np.random.get_state()),
        )  # fmt: skip

    run(base, tmp_path / "first")  # imports Lightning
    torch.manual_seed(777)
    before = surroundings()

    run(base, tmp_path / "second", "dpo")

    assert surroundings() == before
    assert {path.name for path in tmp_path.iterdir()} == {"first", "second"}


def test_training_is_quiet(base, tmp_path, capfd):
    """No banner, bar, tip or warning: what a user sees is the conductor's business."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run(base, tmp_path / "a", "dpo")

    assert capfd.readouterr() == ("", "")


def test_validation_rows_are_never_trained_on(base, tmp_path):
    """With or without them, or with others, the weights are the same to the bit; their curve starts before the first step."""
    rows = demonstrations(10, 3)
    run(base, tmp_path / "with", data=Examples(demonstrations=rows), changes={"epochs": 3})
    run(base, tmp_path / "without", data=Examples(demonstrations=rows[:10]), changes={"epochs": 3})

    assert contents(tmp_path / "with/checkpoint") == contents(tmp_path / "without/checkpoint")
    drawn = curve(tmp_path / "with", "validation/loss")
    assert sorted(drawn) == [0, 3, 6, 9]
    assert drawn[9] < drawn[0]
    assert curve(tmp_path / "without", "validation/loss") == {}


@pytest.mark.parametrize("steps", range(1, 8))
def test_validation_curve_ends_with_the_training(base, tmp_path, steps):
    """Whatever the number of steps, the last point is after the last of them, and no point comes twice."""
    run(base, tmp_path / "a", changes={"epochs": steps / 10, "batch_size": 1})

    rows = [json.loads(line) for line in (tmp_path / "a/curves.jsonl").read_text().splitlines()]
    points = [row["step"] for row in rows if row["name"] == "validation/loss"]
    assert points[0] == 0
    assert points[-1] == steps
    assert len(points) == len(set(points)) <= 5


@pytest.mark.parametrize(
    ("objective", "names"),
    [
        ("sft", {"train/loss", "train/grad_norm", "train/learning_rate", "validation/loss"}),
        ("dpo", {"train/loss", "train/grad_norm", "train/learning_rate", "validation/loss", "validation/accuracy", "validation/margin", "rewards/chosen",
                 "rewards/rejected", "rewards/margin", "rewards/accuracy", "logps/chosen", "logps/rejected"}),
    ],
)  # fmt: skip
def test_curves(base, tmp_path, objective, names):
    """Every step draws every training metric once; the same rows reach other loggers."""
    other = Collector()

    summary = run(base, tmp_path / "a", objective, loggers=[other])

    rows = [json.loads(line) for line in (tmp_path / "a/curves.jsonl").read_text().splitlines()]
    assert {row["name"] for row in rows} == names
    assert set(curve(tmp_path / "a", "train/loss")) == set(range(1, summary.steps + 1))
    assert [(row["step"], row["name"], row["value"]) for row in rows] == other.rows
    assert curve(tmp_path / "a", "train/loss")[1] == summary.first_loss


class Collector(Logger):
    """A logger that remembers."""

    name = version = "collector"

    def __init__(self) -> None:
        super().__init__()
        self.rows = []

    def log_metrics(self, metrics, step=None):
        self.rows += [(step, name, value) for name, value in metrics.items()]

    def log_hyperparams(self, params, *args, **kwargs):
        pass


def test_curves_agree_with_themselves(base, tmp_path):
    """Margin is chosen minus rejected reward, and rewards are beta times the movement of the log-probabilities."""
    run(base, tmp_path / "a", "dpo", changes={"epochs": 3})

    chosen, rejected, margin = (curve(tmp_path / "a", f"rewards/{name}") for name in ("chosen", "rejected", "margin"))
    assert all(margin[step] == pytest.approx(chosen[step] - rejected[step], abs=1e-5) for step in margin)


@pytest.mark.parametrize("objective", ["sft", "dpo"])
def test_summary_counts_what_was_computed(base, tmp_path, objective):
    """Tokens are those of prompt and response of every side, one that a prompt's pairs share once; no validation."""
    data = examples(objective, base)
    rows = [row for row in (data.demonstrations or data.pairs) if row.split == "train"]
    sides = {
        (row.instruction, text)
        for row in rows
        for text in ((row.response,) if objective == "sft" else (row.chosen, row.rejected))
    }

    summary = run(base, tmp_path / "a", objective, data=data, changes={"epochs": 2})

    assert summary.tokens_forward == 2 * sum(
        len(encode(base.tokenizer, render_prompt(instruction), text)) for instruction, text in sides
    )
    assert (summary.examples, summary.examples_seen, summary.epochs) == (10, 20, 2.0)
    assert summary.validation_examples == (3 if objective == "sft" else 4)
    assert summary.trainable_params < summary.total_params
    stored = json.loads((tmp_path / "a/summary.json").read_text())
    assert "seconds" not in stored
    assert stored["tokens_forward"] == summary.tokens_forward
    assert (summary.tokens_reference > 0) == (objective == "dpo")


def test_too_long_examples_are_counted(base, tmp_path):
    """What was left out is in the summary."""
    summary = run(base, tmp_path / "a", changes={"max_length": 45})

    assert summary.dropped_too_long > 0
    assert summary.examples + summary.dropped_too_long == 10


def test_token_budget(base, tmp_path):
    """A training matched to another's tokens uses that many, to the nearest step, whatever its epochs."""
    budget = run(base, tmp_path / "dpo", "dpo").tokens_forward

    matched = run(base, tmp_path / "sft", token_budget=budget, changes={"epochs": 1, "batch_size": 1})

    assert matched.tokens_forward == pytest.approx(budget, abs=60)
    assert curve(tmp_path / "sft", "train/learning_rate")[matched.steps] == pytest.approx(1e-2 / matched.steps)


def test_progress(base, tmp_path):
    """Every step is reported, of the right total."""
    seen = []

    summary = run(base, tmp_path / "a", on_progress=lambda done, total: seen.append((done, total)))

    assert seen == [(step, summary.steps) for step in range(1, summary.steps + 1)]


def test_continued_training_starts_where_the_parent_ended(base, tmp_path):
    """A second training of no effect (at a rate that float32 does not see) keeps the parent's adapter to the bit."""
    run(base, tmp_path / "parent")
    changes = {"epochs": 0.01, "learning_rate": 1e-30}

    run(base, tmp_path / "child", "dpo", data=dpo_examples(base), checkpoint=tmp_path / "parent/checkpoint", changes=changes)

    assert contents(tmp_path / "child/checkpoint") == contents(tmp_path / "parent/checkpoint")


@pytest.mark.parametrize("engine", ["stage1", "trl"])
def test_a_training_of_one_step_trains(base, tmp_path, engine):
    """A warm-up starts at rate 0, so one step of it would be a training that changes nothing and looks like one."""
    run(base, tmp_path / "parent")
    changes = {"epochs": 0.01, "warmup_ratio": 0.1, "engine": engine}

    summary = run(base, tmp_path / "child", checkpoint=tmp_path / "parent/checkpoint", changes=changes)

    assert summary.steps == 1
    assert contents(tmp_path / "child/checkpoint") != contents(tmp_path / "parent/checkpoint")


@pytest.mark.parametrize("adapter", [ADAPTER, None], ids=["adapter", "all weights"])
def test_divergence_leaves_nothing_but_its_reason(base, tmp_path, adapter):
    """NaN stops the training, names the step and the batch's examples, saves their ids; no checkpoint, no state, an intact base."""
    before = base_weights(base)
    keeping = Keeping(tmp_path / "kept", tmp_path / "aside", every_steps=1)
    keeping.folder.mkdir()

    with pytest.raises(TrainingDiverged, match=r"diverged at step \d+ .*lower the learning rate") as caught:
        run(base, tmp_path / "a", adapter=adapter, changes={"learning_rate": 1e30, "epochs": 5}, keeping=keeping)

    stored = json.loads((tmp_path / "a/diverged.json").read_text())
    assert stored["step"] == caught.value.step > 1
    assert stored["ids"] == list(caught.value.ids)
    assert set(stored["ids"]) <= {f"i{number}" for number in range(10)}
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "a/checkpoint").exists()
    assert list(keeping.folder.iterdir()) == []
    assert all(torch.equal(tensor, before[name]) for name, tensor in base.model.state_dict().items())


def test_interrupt_stays_an_interrupt(base, tmp_path):
    """Ctrl-C comes out as KeyboardInterrupt, with the signal handlers and the base model as before."""
    before, handler = base_weights(base), signal.getsignal(signal.SIGINT)

    def interrupt(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(base, tmp_path / "a", on_progress=interrupt)

    assert signal.getsignal(signal.SIGINT) is handler
    assert all(torch.equal(tensor, before[name]) for name, tensor in base.model.state_dict().items())


def test_example_beyond_the_context(base, tmp_path):
    """max_length may be larger than the model's context; an example that is, is refused with both numbers."""
    rows = [row.model_copy(update={"response": "word " * 600}) for row in demonstrations(2, 0)]

    with pytest.raises(TrainingError, match=r"an example of \d+ tokens exceeds the 512 positions"):
        run(base, tmp_path / "a", data=Examples(demonstrations=rows), changes={"max_length": 10_000})


def test_coarse_weights_are_not_trained(tmp_path):
    """All weights of a bfloat16 model would stay as they are under small updates: refused with the way out; its adapter trains."""
    coarse = wrap(make_model(dtype=torch.bfloat16))

    with pytest.raises(TrainingError, match=r"weights in bfloat16 .*set dtype to float32, or train an adapter"):
        run(coarse, tmp_path / "all", adapter=None, changes={"learning_rate": 5e-6})
    assert run(coarse, tmp_path / "adapter").steps > 0


@pytest.mark.parametrize("rate", [1e-2, 1e30], ids=["trained", "diverged"])
def test_the_optimizer_does_not_outlive_its_training(base, tmp_path, monkeypatch, rate):
    """When `train` is done or has failed its optimizer holds nothing, though Python collects no garbage by itself meanwhile."""
    made = []

    class Watched(torch.optim.AdamW):
        def __init__(self, *args, **options):
            super().__init__(*args, **options)
            made.append(weakref.ref(self))

    monkeypatch.setattr(torch.optim, "AdamW", Watched)
    data, failure = examples("sft", base), None
    gc.disable()
    try:
        run(base, tmp_path / "a", data=data, changes={"learning_rate": rate, "epochs": 3})
    except TrainingDiverged as diverged:
        failure = diverged
    finally:
        gc.enable()

    assert len(made) == 1
    assert (failure is None) == (rate < 1)
    assert made[0]() is None or (failure and not made[0]().state)


def test_one_pair_is_enough(base, tmp_path):
    """The smallest data set trains: one step."""
    assert run(base, tmp_path / "a", "dpo", data=dpo_examples(base, train=1, validation=0)).steps == 1


def test_trained_adapter_can_be_trained_on(base, tmp_path):
    """SFT, then DPO, then SFT again: each goes on from the last, with finite losses."""
    folder = None
    for number, objective in enumerate(("sft", "dpo", "sft")):
        data = examples(objective, base) if folder is None or objective == "sft" else _under(base, folder)
        summary = run(base, tmp_path / str(number), objective, data=data, checkpoint=folder)
        folder = tmp_path / str(number) / "checkpoint"
        assert math.isfinite(summary.final_loss)
    with trainable(base, ADAPTER, folder, 0):
        pass


def _under(base, folder):
    with attached(base, folder):
        return dpo_examples(base)
