"""Losses and gradients against plain loops in float64: one sequence at a time, token by token, nothing clever."""

import math

import pytest
import torch
from small_data import ADAPTER, demonstrations, examples, recipe
from tiny_models import make_model, wrap
from torch import nn

from models.adapters import trainable
from models.lean.install import lean
from trainers.dpo import DpoModule
from trainers.examples import Examples, prepare
from trainers.fit import train
from trainers.memory_policy import choose
from trainers.recipe import Recipe
from trainers.sft import SftModule

CASES = ["sft", "dpo"]


def module_for(base, settings):
    """A training module outside any trainer."""
    kind = SftModule if settings.objective == "sft" else DpoModule
    return kind(base, settings, choose(base), 1, lambda step, loss: None)


def moved(training):
    """Moves every trainable weight a little, the same every time, so that policy and reference differ."""
    parameters = [parameter for parameter in training.base.model.parameters() if parameter.requires_grad]
    with torch.no_grad():
        for number, parameter in enumerate(parameters):
            noise = torch.randn(parameter.shape, generator=torch.Generator().manual_seed(number), dtype=torch.float64)
            parameter.add_(noise.to(parameter.dtype), alpha=0.1)
    return parameters


def ours(base, batch, settings, recompute="none"):
    """Loss and gradients of a global batch, through the module's shares, as a training computes them."""
    module = module_for(base, settings)
    base.model.zero_grad(set_to_none=True)
    total = 0.0
    with lean(base.model, recompute):
        for loss, _ in module.shares(batch):
            loss.backward()
            total += loss.item()
    return total, gradients(base)


def gradients(base):
    """Copies, by name."""
    return {name: parameter.grad.clone() for name, parameter in base.model.named_parameters() if parameter.grad is not None}


def sequence_log_prob(model, sequence, first):
    """The sequence alone, all its logits; each scored token normalised by hand."""
    logits = model(torch.tensor([sequence.ids])).logits[0]
    total = 0.0
    for at in range(first, len(sequence)):
        before, top = logits[at - 1], logits[at - 1].max()
        total = total + before[sequence.ids[at]] - top - (before - top).exp().sum().log()
    return total


def plain_sft(model, batch, loss_on):
    """Mean over all scored tokens of the batch."""
    firsts = [len(example.tokens.prompt_ids) if loss_on == "response" else 1 for example in batch]
    tokens = sum(len(example.tokens) - first for example, first in zip(batch, firsts, strict=True))
    return -sum(sequence_log_prob(model, example.tokens, first) for example, first in zip(batch, firsts, strict=True)) / tokens


def plain_dpo(model, batch, beta):
    """Mean over pairs of log(1 + exp(-margin))."""
    total = 0.0
    for example in batch:
        chosen = sequence_log_prob(model, example.chosen, len(example.chosen.prompt_ids)) - example.reference_chosen
        rejected = sequence_log_prob(model, example.rejected, len(example.rejected.prompt_ids)) - example.reference_rejected
        total = total + torch.log1p(torch.exp(-beta * (chosen - rejected)))
    return total / len(batch)


def same(first, second, relative):
    """Every gradient, relative to its own largest entry."""
    assert first.keys() == second.keys()
    assert first
    for name in first:
        assert (first[name] - second[name]).abs().max() <= relative * second[name].abs().max(), name


@pytest.mark.parametrize("adapter", [ADAPTER, None], ids=["adapter", "all weights"])
@pytest.mark.parametrize("case", ["response", "all", "dpo"])
def test_loss_and_gradients_equal_plain_loops(case, adapter):
    """Padded, batched, and projected at scored positions only, they are those of the plain loops to 1e-10 (float64)."""
    base = wrap(make_model(dtype=torch.float64))
    settings = Recipe(**recipe("dpo")) if case == "dpo" else Recipe(**recipe("sft", loss_on=case))
    batch = prepare(examples(settings.objective, base, train=4, validation=0), base.tokenizer, settings).train
    with trainable(base, adapter, None, 1) as training:
        moved(training)

        loss, found = ours(base, batch, settings)

        base.model.zero_grad(set_to_none=True)
        expected = plain_dpo(base.model, batch, 0.1) if case == "dpo" else plain_sft(base.model, batch, case)
        expected.backward()
        assert loss == pytest.approx(expected.item(), rel=1e-10)
        assert case != "dpo" or abs(loss - math.log(2)) > 1e-3  # policy and reference do differ here
        same(found, gradients(base), 1e-9)


@pytest.mark.parametrize("objective", CASES)
def test_micro_batches_change_nothing(objective):
    """Whatever the micro-batch size, loss and gradients of the global batch are the same (float64, 1e-12)."""
    base = wrap(make_model(dtype=torch.float64))
    batch = prepare(examples(objective, base), base.tokenizer, Recipe(**recipe(objective))).train
    with trainable(base, ADAPTER, None, 1) as training:
        moved(training)
        whole, expected = ours(base, batch, Recipe(**recipe(objective, micro_batch_size=len(batch))))
        for size in (1, 3, None):
            loss, found = ours(base, batch, Recipe(**recipe(objective, micro_batch_size=size)))
            assert loss == pytest.approx(whole, rel=1e-12)
            same(found, expected, 1e-10)


def test_masked_prompt_tokens_teach_nothing():
    """Only the outputs at positions that predict the response are there at all, and each of them gets a gradient."""
    base = wrap(make_model())
    batch = prepare(Examples(demonstrations=demonstrations(5, 0)), base.tokenizer, Recipe(**recipe("sft"))).train
    outputs = []

    def keep(module, inputs, output):
        output.retain_grad()
        outputs.append(output)

    with trainable(base, ADAPTER, None, 1) as training:
        moved(training)
        handle = base.model.model.norm.register_forward_hook(keep)
        ours(base, batch, Recipe(**recipe("sft", micro_batch_size=1)))
        handle.remove()
        by_length = sorted(batch, key=lambda example: -len(example.tokens))
        with torch.no_grad():
            every = [base.model.base_model(torch.tensor([example.tokens.ids])).last_hidden_state[0] for example in by_length]

    assert len(outputs) == len(batch)
    for example, output, plain in zip(by_length, outputs, every, strict=True):
        first = len(example.tokens.prompt_ids) - 1
        assert (output.grad[0].abs().sum(-1) > 0).all()
        assert torch.allclose(output[0], plain[first:-1], atol=1e-5)


def plain_training(base, batches, settings):
    """AdamW, clipping and a linear schedule, written out."""
    parameters = [parameter for parameter in base.model.parameters() if parameter.requires_grad]
    first = [torch.zeros_like(parameter) for parameter in parameters]
    second = [torch.zeros_like(parameter) for parameter in parameters]
    losses = []
    for step, batch in enumerate(batches):
        base.model.zero_grad(set_to_none=True)
        loss = (
            plain_dpo(base.model, batch, settings.beta)
            if settings.objective == "dpo"
            else plain_sft(base.model, batch, "response")
        )
        loss.backward()
        losses.append(loss.item())
        norm = math.sqrt(sum((parameter.grad**2).sum().item() for parameter in parameters))
        scale = min(1.0, settings.max_grad_norm / (norm + 1e-6))
        rate = settings.learning_rate * (1 - step / len(batches))
        with torch.no_grad():
            for parameter, mean, square in zip(parameters, first, second, strict=True):
                slope = parameter.grad * scale
                mean.mul_(0.9).add_(0.1 * slope)
                square.mul_(0.999).add_(0.001 * slope**2)
                decay = settings.weight_decay if parameter.ndim > 1 else 0.0
                update = (mean / (1 - 0.9 ** (step + 1))) / ((square / (1 - 0.999 ** (step + 1))).sqrt() + 1e-8)
                parameter.copy_(parameter * (1 - rate * decay) - rate * update)
    return losses


@pytest.mark.parametrize("objective", CASES)
def test_a_training_follows_the_plain_loop(objective, tmp_path):
    """Several steps of `train` (order, clipping, AdamW, decay, schedule) end in the weights of a loop written by hand (float64)."""
    from trainers.data import GlobalBatches

    settings = Recipe(**recipe(objective, max_grad_norm=0.5, weight_decay=0.1, batch_size=3))
    base = wrap(make_model(dtype=torch.float64))
    data = examples(objective, base, train=8, validation=0)  # Lightning clears gradients when it validates
    summary = train(base, recipe=settings.model_dump(), adapter=ADAPTER, seed=5, examples=data, checkpoint=None, out=tmp_path)
    with trainable(base, ADAPTER, tmp_path / "checkpoint", 0):
        found = [parameter.detach().clone() for parameter in base.model.parameters() if parameter.requires_grad]

    batches = GlobalBatches(prepare(data, base.tokenizer, settings), settings, 5).train_batches
    with trainable(base, ADAPTER, None, 5):
        losses = plain_training(base, batches, settings)
        expected = [parameter.detach() for parameter in base.model.parameters() if parameter.requires_grad]
        worst = max((a - b).abs().max().item() for a, b in zip(found, expected, strict=True))

    assert summary.steps == len(batches) >= 3
    assert (summary.first_loss, summary.final_loss) == pytest.approx((losses[0], losses[-1]), rel=1e-9)
    assert worst < 1e-9


def test_decay_spares_vectors():
    """Weight decay is on matrices only: norms and biases keep their scale."""
    base = wrap(make_model())
    with trainable(base, None, None, 0):
        [optimizer], _ = module_for(base, Recipe(**recipe("sft", weight_decay=0.3))).configure_optimizers()

    assert {group["weight_decay"]: {parameter.ndim for parameter in group["params"]} for group in optimizer.param_groups} == {
        0.3: {2},
        0.0: {1},
    }


@pytest.mark.parametrize(("name", "middle", "last"), [("linear", 0.5, 0.1), ("cosine", 0.5, 0.024), ("constant", 1.0, 1.0)])
def test_schedules(name, middle, last):
    """After the warm-up the rate falls to zero linearly or as a cosine, or stays."""
    base = wrap(make_model())
    with trainable(base, ADAPTER, None, 0):
        module = module_for(base, Recipe(**recipe("sft", schedule=name, warmup_ratio=0.2, learning_rate=1.0)))
        module.steps = 12
        [optimizer], [schedule] = module.configure_optimizers()
        rates = []
        for _ in range(12):
            rates.append(schedule.get_last_lr()[0])
            optimizer.step()
            schedule.step()

    assert rates[:4] == pytest.approx([0, 1 / 3, 2 / 3, 1])
    assert rates[3 + 9 // 2] == pytest.approx(middle, abs=0.1)
    assert rates[-1] == pytest.approx(last, abs=0.02)


def test_dropout_is_on_while_training_only():
    """Adapter dropout changes training forwards and nothing else."""
    base = wrap(make_model())
    settings = Recipe(**recipe("sft"))
    batch = prepare(examples("sft", base), base.tokenizer, settings).train
    with trainable(base, {**ADAPTER, "dropout": 0.5}, None, 1) as training:
        moved(training)
        assert ours(base, batch, settings)[0] != ours(base, batch, settings)[0]
        base.model.eval()
        assert ours(base, batch, settings)[0] == ours(base, batch, settings)[0]
    assert not any(isinstance(module, nn.Dropout) and module.training for module in base.model.modules())
