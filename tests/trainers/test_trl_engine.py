"""`engine: trl`: the same arm by TRL's trainers, close to ours wherever both compute the same, and nothing else left behind."""

import json
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file
from small_data import ADAPTER, dpo_examples, examples, recipe

from models.adapters import attached
from models.loading import load_base
from trainers.errors import TrainingDiverged, TrainingError
from trainers.fit import train
from trainers.strategy import Peers

LN_2 = 0.6931471805599453


def run(base, out, objective="sft", *, engine="trl", data=None, adapter=ADAPTER, seed=1, checkpoint=None, **changes):
    """One training by either engine."""
    out.mkdir(parents=True)
    return train(
        base,
        recipe=recipe(objective, engine=engine, **changes),
        adapter=adapter,
        seed=seed,
        examples=data or examples(objective, base),
        checkpoint=checkpoint,
        out=out,
    )


def trained(folder):
    """The weights of a checkpoint."""
    (file,) = (folder / "checkpoint").glob("*.safetensors")
    return load_file(file)


def curves(folder):
    """(step, name) -> value."""
    rows = map(json.loads, (folder / "curves.jsonl").read_text().splitlines())
    return {(row["step"], row["name"]): row["value"] for row in rows}


def state(base):
    """Everything of the resident model that TRL could touch: weights, attributes, settings, hooks."""
    model = base.model
    return (
        {name: tensor.clone() for name, tensor in model.state_dict().items()},
        {name: id(value) for name, value in vars(model).items()},
        {name: repr(value) for part in (model.config, model.generation_config) for name, value in vars(part).items()},
        [(name, len(module._forward_hooks), len(module._forward_pre_hooks)) for name, module in model.named_modules()],
        [getattr(module, "gradient_checkpointing", None) for module in model.modules()],
        (base.tokenizer.pad_token, base.tokenizer.padding_side),
    )


def assert_same_state(before, after):
    """To the bit."""
    assert before[0].keys() == after[0].keys()
    assert all(torch.equal(tensor, after[0][name]) for name, tensor in before[0].items())
    assert before[1:] == after[1:]


VARIANTS = [
    {"objective": "sft"},
    {"objective": "sft", "loss_on": "all", "schedule": "cosine", "warmup_ratio": 0.3},
    {"objective": "dpo", "weight_decay": 0.1, "max_grad_norm": 0.1, "schedule": "constant", "epochs": 1.5},
    {"objective": "dpo", "label_smoothing": 0.1, "sft_weight": 0.5, "micro_batch_size": 2},
]


@pytest.mark.parametrize("settings", VARIANTS, ids=str)
def test_both_engines_agree(base, tmp_path, settings):
    """Weights, curves, counts: after one epoch in float32 the weights agree to 5e-5 of the largest, every number to 1e-4."""
    changes = {"learning_rate": 1e-3} | settings
    objective = changes.pop("objective")

    ours = run(base, tmp_path / "stage1", objective, engine="stage1", **changes)
    theirs = run(base, tmp_path / "trl", objective, engine="trl", **changes)

    first, second = trained(tmp_path / "stage1"), trained(tmp_path / "trl")
    assert first.keys() == second.keys()
    largest = max(tensor.abs().max() for tensor in first.values())
    moved = max(tensor.abs().max() for name, tensor in first.items() if "lora_B" in name)
    assert moved > 1e-4
    for name, tensor in first.items():
        assert tensor.dtype == second[name].dtype
        assert (tensor - second[name]).abs().max() <= 5e-5 * largest, name
    own, their = curves(tmp_path / "stage1"), curves(tmp_path / "trl")
    for found in (own, their):  # before the first update policy and reference are one, and last digits decide who is preferred
        for early in ((0, "validation/accuracy"), (1, "rewards/accuracy")):
            found.pop(early, None)
    assert their == pytest.approx(own, rel=1e-4, abs=1e-4)
    for name in ("steps", "epochs", "examples_seen", "tokens_forward", "trainable_params", "total_params", "dropped_too_long"):
        assert getattr(theirs, name) == getattr(ours, name), name


def test_the_checkpoint_serves_like_ours(base, tmp_path):
    """The same files, and the same settings in them."""
    run(base, tmp_path / "stage1", engine="stage1")
    run(base, tmp_path / "trl")

    config = "checkpoint/adapter_config.json"
    assert (tmp_path / "trl" / config).read_text() == (tmp_path / "stage1" / config).read_text()
    assert {path.name for path in tmp_path.glob("trl/**/*")} == {path.name for path in tmp_path.glob("stage1/**/*")}
    with attached(base, tmp_path / "trl/checkpoint"):
        dpo_examples(base)


def test_the_adapter_of_a_4_bit_model_is_trained_in_float32(base_folder, tmp_path):
    """TRL would round it to bfloat16, in which a small step of AdamW vanishes; the model comes back as it was here, too."""
    base = load_base({"base": str(base_folder), "quantization": "nf4", "dtype": "bfloat16"}, "cpu")
    before = state(base)

    ours = run(base, tmp_path / "stage1", "dpo", engine="stage1", learning_rate=1e-5)
    theirs = run(base, tmp_path / "trl", "dpo", learning_rate=1e-5)

    weights = trained(tmp_path / "trl").values()
    assert all(tensor.dtype == torch.float32 for tensor in weights)
    assert any((tensor != tensor.bfloat16()).any() for tensor in weights)
    assert theirs.first_loss == pytest.approx(LN_2, abs=1e-6)
    assert theirs.final_loss == pytest.approx(
        ours.final_loss, abs=4e-3
    )  # bfloat16 rounds by 2e-3 where processors compute in it
    assert_same_state(before, state(base))


@pytest.mark.parametrize("adapter", [ADAPTER, None], ids=["adapter", "all weights"])
def test_the_reference_is_the_parent(base, tmp_path, adapter):
    """After SFT the first loss is ln 2: TRL's reference is the SFT model, for adapters and full weights alike, not the base."""
    run(base, tmp_path / "sft", adapter=adapter, epochs=3)
    with attached(base, tmp_path / "sft/checkpoint"):
        data = dpo_examples(base)

    fresh = run(base, tmp_path / "fresh", "dpo", adapter=adapter)
    after = run(base, tmp_path / "dpo", "dpo", adapter=adapter, data=data, checkpoint=tmp_path / "sft/checkpoint")

    assert fresh.first_loss == pytest.approx(LN_2, abs=1e-6)
    assert after.first_loss == pytest.approx(LN_2, abs=1e-6)
    assert after.final_loss < after.first_loss


def test_another_reference_than_the_stored_one_is_refused(base, tmp_path):
    """Pairs whose stored log-probabilities are the base model's do not go with a parent that was trained."""
    run(base, tmp_path / "sft", epochs=3)

    with pytest.raises(TrainingError, match="another reference than the stored one"):
        run(base, tmp_path / "dpo", "dpo", data=dpo_examples(base), checkpoint=tmp_path / "sft/checkpoint")


@pytest.mark.parametrize("objective", ["sft", "dpo"])
@pytest.mark.parametrize("adapter", [ADAPTER, None], ids=["adapter", "all weights"])
def test_the_base_model_comes_back_as_it_was(base, tmp_path, objective, adapter):
    """TRL patches the forward pass, tags, special tokens and settings of what it trains; none of it stays."""
    before = state(base)

    run(base, tmp_path / "a", objective, adapter=adapter)

    assert_same_state(before, state(base))
    assert not any(parameter.requires_grad for parameter in base.model.parameters())


def test_dropout_leaves_the_reference_alone(base, tmp_path):
    """It acts on the policy in training; what the rewards are measured from are the stored log-probabilities, without noise."""
    run(base, tmp_path / "sft", epochs=3)
    with attached(base, tmp_path / "sft/checkpoint"):
        data = dpo_examples(base)
    dropping = {"adapter": {**ADAPTER, "dropout": 0.5}, "checkpoint": tmp_path / "sft/checkpoint", "batch_size": 100}

    run(base, tmp_path / "dpo", "dpo", data=data, **dropping)

    found = curves(tmp_path / "dpo")
    stored = {row.pair_id: row.chosen for row in data.reference}
    whole = [stored[pair.id] for pair in data.pairs if pair.split == "train"]
    assert found[0, "validation/loss"] == pytest.approx(LN_2, abs=1e-6)
    assert abs(found[1, "train/loss"] - LN_2) > 1e-4
    assert found[1, "logps/chosen"] - found[1, "rewards/chosen"] / 0.1 == pytest.approx(sum(whole) / len(whole), abs=1e-3)


def test_several_devices_are_refused(base, tmp_path):
    """At once, with the way out."""
    peers = Peers()
    peers.size = 2
    with pytest.raises(TrainingError, match=r"engine trl trains on one device: set runtime\.devices to 1"):
        train(
            base, recipe=recipe("sft", engine="trl"), adapter=ADAPTER, seed=1, examples=examples("sft", base), checkpoint=None,
            out=tmp_path, peers=peers,
        )  # fmt: skip


def test_trl_is_imported_by_its_engine_alone():
    """It takes seconds to import: who trains with our own trainers does not wait for it."""
    loads = "import sys, stage1.steps.train, trainers.dpo, trainers.sft; sys.exit('trl' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", loads], check=False).returncode == 0


def test_divergence_stops_the_step(base, tmp_path):
    """NaN or infinity ends the training before the weights take it up, with the batch's ids on record."""
    with torch.no_grad():
        base.model.get_output_embeddings().weight[7] = torch.inf

    with pytest.raises(TrainingDiverged, match="training diverged at step 1"):
        run(base, tmp_path / "a")

    assert json.loads((tmp_path / "a/diverged.json").read_text())["ids"]


def test_same_inputs_same_bytes(base, tmp_path):
    """On a CPU a replica is as reproducible as the original."""
    for name in ("a", "b"):
        run(base, tmp_path / name, "dpo", adapter={**ADAPTER, "dropout": 0.1})
        torch.manual_seed(99)

    for file in ("curves.jsonl", "summary.json", "checkpoint/adapter_model.safetensors"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
