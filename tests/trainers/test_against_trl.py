"""The same token ids through TRL's trainers: losses and gradients agree to 1e-5 in float32."""

import math

import pytest
import torch
from datasets import Dataset
from peft import PeftModel
from small_data import ADAPTER, examples, pairs, recipe
from tiny_models import make_model, make_tokenizer
from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer

from models.adapters import attached, trainable
from models.pairs import pair_log_probs
from trainers.dpo import DpoModule
from trainers.examples import Examples, prepare
from trainers.memory_policy import choose
from trainers.recipe import Recipe
from trainers.sft import SftModule
from trainers.trl_engine.settings import preference_options


def nudge(model):
    """Moves every trainable weight, the same way in either implementation: by name, without the adapter's own name."""
    with torch.no_grad():
        for name, parameter in sorted(trained(model).items()):
            noise = torch.randn(parameter.shape, generator=torch.Generator().manual_seed(sum(map(ord, name))))
            parameter.add_(noise, alpha=0.05)


def trained(model):
    """Trainable parameters under the base model's own names."""
    named = {name.replace("base_model.model.", ""): parameter for name, parameter in model.named_parameters()}
    return {name: parameter for name, parameter in named.items() if parameter.requires_grad}


def parent(base, folder):
    """A checkpoint to start from that is not the base model."""
    with trainable(base, ADAPTER, None, 1) as training:
        nudge(base.model)
        training.save(folder)
    return folder


def options(out, **more):
    """TRL's settings that matter here: plain float32 on the CPU."""
    return {
        "output_dir": str(out), "use_cpu": True, "bf16": False, "report_to": "none", "per_device_train_batch_size": 3,
        "gradient_checkpointing": False, "max_length": None, "disable_tqdm": True, **more,
    }  # fmt: skip


def padded_tokenizer():
    """TRL wants a padding token."""
    tokenizer = make_tokenizer()
    tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


class TokenDpo(DPOTrainer):
    """TRL's trainer on rows that are tokenised already."""

    def _prepare_dataset(self, dataset, *args, **kwargs):
        return dataset


def gradients(model, losses):
    """Summed loss, and the gradient of every trainable weight."""
    model.zero_grad(set_to_none=True)
    total = 0.0
    for loss in losses:
        loss.backward()
        total += loss.item()
    return total, {name: parameter.grad.clone() for name, parameter in trained(model).items()}


def assert_same(ours, theirs):
    """To 1e-5 of the largest gradient."""
    assert ours[0] == pytest.approx(theirs[0], rel=1e-6, abs=1e-5)
    assert ours[1].keys() == theirs[1].keys()
    assert ours[1]
    largest = max(gradient.abs().max() for gradient in theirs[1].values())
    assert largest > 0
    for name, gradient in ours[1].items():
        assert (gradient - theirs[1][name]).abs().max() <= 1e-5 * largest, name


@pytest.mark.parametrize("loss_on", ["response", "all"])
def test_sft_equals_trl(base, tmp_path, loss_on):
    """A global batch in several micro-batches, averaged over its tokens: TRL's loss and gradients on the same ids."""
    settings = Recipe(**recipe("sft", loss_on=loss_on, micro_batch_size=2))
    batch = prepare(examples("sft", base, train=6, validation=0), base.tokenizer, settings).train
    checkpoint = parent(base, tmp_path / "parent")
    with trainable(base, ADAPTER, checkpoint, 0):
        module = SftModule(base, settings, choose(base), 1, lambda step, loss: None)
        ours = gradients(base.model, (loss for loss, _ in module.shares(batch)))

    masked = [[-100] * len(example.tokens.prompt_ids) + list(example.tokens.response_ids) for example in batch]
    rows = [
        {"input_ids": list(example.tokens.ids), "labels": labels if loss_on == "response" else list(example.tokens.ids)}
        for example, labels in zip(batch, masked, strict=True)
    ]
    model = PeftModel.from_pretrained(make_model(), checkpoint, is_trainable=True)
    trainer = SFTTrainer(
        model=model,
        args=SFTConfig(**options(tmp_path, dataset_kwargs={"skip_prepare_dataset": True})),
        train_dataset=Dataset.from_list(rows),
        processing_class=padded_tokenizer(),
    )
    tokens = sum(sum(label != -100 for label in row["labels"][1:]) for row in rows)
    losses = (
        trainer.compute_loss(trainer.model, trainer.data_collator(rows[at : at + 3]), num_items_in_batch=torch.tensor(tokens))
        for at in (0, 3)
    )
    assert_same(ours, gradients(trainer.model, losses))


@pytest.mark.parametrize("continued", [False, True], ids=["from the base model", "from a checkpoint"])
def test_dpo_equals_trl(base, tmp_path, continued):
    """The reference is what training started from, be it base model or checkpoint; with a policy that has moved on, too."""
    settings = Recipe(**recipe("dpo", micro_batch_size=2))
    checkpoint = parent(base, tmp_path / "parent") if continued else fresh(base, tmp_path / "fresh")
    rows = pairs(train=6, validation=0)
    with attached(base, checkpoint):
        reference = pair_log_probs(base, rows)
    batch = prepare(Examples(pairs=rows, reference=reference), base.tokenizer, settings).train
    trainer = trl_dpo(checkpoint, batch, tmp_path)
    inputs = trainer.data_collator(list(trainer.train_dataset))

    with trainable(base, ADAPTER, checkpoint, 0):
        module = DpoModule(base, settings, choose(base), 1, lambda step, loss: None)
        start = gradients(base.model, (loss for loss, _ in module.shares(batch)))
        nudge(base.model)
        later = gradients(base.model, (loss for loss, _ in module.shares(batch)))

    assert start[0] == pytest.approx(math.log(2), abs=1e-6)
    assert_same(start, gradients(trainer.model, [trainer.compute_loss(trainer.model, dict(inputs))]))
    nudge(trainer.model)
    assert abs(later[0] - math.log(2)) > 1e-3
    assert_same(later, gradients(trainer.model, [trainer.compute_loss(trainer.model, dict(inputs))]))


@pytest.mark.parametrize(
    "variant",
    [
        {"loss": "ipo", "beta": 0.3},
        {"label_smoothing": 0.1},
        {"length_normalised": True, "beta": 5.0},
        {"sft_weight": 1.0},
        {"loss": "ipo", "sft_weight": 0.2},
        {"length_normalised": True, "sft_weight": 0.2},
        {"label_smoothing": 0.3, "sft_weight": 0.2},
    ],
    ids=str,
)
def test_every_variant_equals_trl(base, tmp_path, variant):
    """Losses and gradients of a policy that has left its reference; pair by pair, where TRL's mean over tokens is one per pair."""
    settings = Recipe(**recipe("dpo", micro_batch_size=2, **variant))

    ours, theirs = after_a_nudge(base, tmp_path, settings, preference_options(settings))

    assert_same(ours, theirs)


def test_label_smoothing_is_that_of_trls_aot(base, tmp_path):
    """Of a single pair, which has nothing to sort, AOT is cDPO: the same loss by another way than robust DPO's."""
    settings = Recipe(**recipe("dpo", label_smoothing=0.2))
    aot = {"loss_type": "aot", "label_smoothing": 0.2, "beta": 0.1}

    assert_same(*after_a_nudge(base, tmp_path, settings, aot))


def after_a_nudge(base, folder, settings, their_options):
    """Our loss and gradients of a batch, and TRL's, with the policy moved off the parent that is the reference."""
    checkpoint, rows = parent(base, folder / "parent"), pairs(train=6, validation=0)
    with attached(base, checkpoint):
        reference = pair_log_probs(base, rows)
    batch = prepare(Examples(pairs=rows, reference=reference), base.tokenizer, settings).train
    trainer = trl_dpo(checkpoint, batch, folder, **their_options)
    nudge(trainer.model)
    single = (trainer.data_collator([row]) for row in trainer.train_dataset)
    theirs = gradients(trainer.model, (trainer.compute_loss(trainer.model, inputs) / len(rows) for inputs in single))
    with trainable(base, ADAPTER, checkpoint, 0):
        module = DpoModule(base, settings, choose(base), 1, lambda step, loss: None)
        nudge(base.model)
        return gradients(base.model, (loss for loss, _ in module.shares(batch))), theirs


def fresh(base, folder):
    """A new adapter, saved, so that both sides start with the same draw."""
    with trainable(base, ADAPTER, None, 1) as training:
        training.save(folder)
    return folder


def trl_dpo(checkpoint, batch, out, **more):
    """TRL's trainer, which keeps its own copy of the starting adapter as the reference."""
    rows = [
        {
            "prompt_ids": list(example.chosen.prompt_ids),
            "chosen_ids": list(example.chosen.response_ids),
            "rejected_ids": list(example.rejected.response_ids),
        }
        for example in batch
    ]
    return TokenDpo(
        model=PeftModel.from_pretrained(make_model(), checkpoint, is_trainable=True),
        args=DPOConfig(**options(out, **{"beta": 0.1, **more})),
        train_dataset=Dataset.from_list(rows),
        processing_class=padded_tokenizer(),
    )
