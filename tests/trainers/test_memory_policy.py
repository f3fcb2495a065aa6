"""Running out of memory, and how much goes through a model at a time."""

from collections import Counter

import pytest
import torch
from small_data import ADAPTER, examples, recipe
from tiny_models import make_model, save_base, wrap

from compiler.estimates.micro_batches import CPU_TOKENS, MicroBatch, bytes_per_token, largest
from compiler.estimates.shapes import known_shape, shape_from_config
from models.adapters import trainable
from models.loading import load_base
from models.nf4 import four_bit_layers
from trainers.data import GlobalBatches
from trainers.dpo import DpoModule
from trainers.examples import prepare
from trainers.fit import _fit
from trainers.memory_policy import MemoryPolicy, choose
from trainers.recipe import Recipe


class Cramped(DpoModule):
    """Has no memory for micro-batches of more than `most` pairs."""

    most = 100

    def share(self, micro, whole):
        if len(micro) > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return super().share(micro, whole)


def gradients_with(most, dropout):
    """Gradients of one global batch where at most so many pairs fit, and what the policy came down to."""
    base = wrap(make_model(dtype=torch.float64))
    settings = Recipe(**recipe("dpo"))
    batch = prepare(examples("dpo", base), base.tokenizer, settings).train
    with trainable(base, {**ADAPTER, "dropout": dropout}, None, 1):
        torch.manual_seed(3)
        module = Cramped(base, settings, MemoryPolicy(10_000, "none", False), 1, lambda step, loss: None)
        module.most = most
        module.manual_backward = lambda loss: loss.backward()
        module._accumulate_in_memory(batch, backward=True)
        found = {name: p.grad.clone() for name, p in base.model.named_parameters() if p.grad is not None}
    return found, module.policy.tokens


def largest_prompt():
    """Pairs of the prompt that has most."""
    base = wrap(make_model())
    batch = prepare(examples("dpo", base), base.tokenizer, Recipe(**recipe("dpo"))).train
    return max(Counter(example.group for example in batch).values())


def test_out_of_memory_starts_over_in_smaller_parts():
    """The micro-batch is halved until it fits; the gradients of the global batch are those of an undisturbed step (float64)."""
    whole, tokens = gradients_with(100, 0.0)
    parts, fewer = gradients_with(largest_prompt(), 0.0)

    assert tokens == 10_000
    assert fewer < 10_000
    assert whole
    for name, gradient in whole.items():
        assert (parts[name] - gradient).abs().max() <= 1e-12 * gradient.abs().max() + 1e-18, name


def test_out_of_memory_with_a_prompt_at_a_time_is_the_end():
    """When not even a single prompt's pairs fit, the error goes on."""
    with pytest.raises(torch.OutOfMemoryError):
        gradients_with(0, 0.0)


def validated_with(most):
    """The first point of the validation curves where at most so many pairs fit, and what the policy came down to."""
    base = wrap(make_model(dtype=torch.float64))
    settings = Recipe(**recipe("dpo"))
    batch = prepare(examples("dpo", base), base.tokenizer, settings).train
    with trainable(base, ADAPTER, None, 1):
        module = Cramped(base, settings, MemoryPolicy(10_000, "none", False), 1, lambda step, loss: None, validation=batch)
        module.most = most
        module.on_train_start()
        ((about, values),) = module._readings.arrived(wait=True)
        assert module.model.training
    assert about.step == 0
    return values, module.policy.tokens


def test_out_of_memory_in_a_validation_starts_over_too():
    """Validation comes first, so it is where a micro-batch that is too large shows: it is halved, and the curve is the same."""
    whole, tokens = validated_with(100)
    parts, fewer = validated_with(largest_prompt())

    assert fewer < tokens == 10_000
    assert parts == pytest.approx(whole, rel=1e-12)
    with pytest.raises(torch.OutOfMemoryError):
        validated_with(0)


def test_what_is_computed_again_is_not_kept():
    """Each kind of recomputation keeps less per token than the one before."""
    shape = shape_from_config("tiny", make_model().config.to_json_string())

    none, selective, full = (bytes_per_token(shape, kind, 2) for kind in ("none", "selective", "full"))

    assert none > selective > full > 0


def test_a_cpu_gets_small_padded_batches():
    """On a CPU nothing is computed again, and trees are padded: there is no attention over segments."""
    assert choose(wrap(make_model())) == MemoryPolicy(CPU_TOKENS, "none", False)


def test_what_costs_least_time_is_taken():
    """With a lot of room nothing is computed again; with little, whole layers are; what is taken fits, and less room is never faster."""
    shape = known_shape("Qwen/Qwen2.5-32B")
    rooms = [60e9, 10e9, 8e9, 4e9]

    found = [largest(shape, 2, room) for room in rooms]

    assert [micro.recompute for micro in found] == ["none", "selective", "full", "full"]
    assert [micro.time() for micro in found] == sorted(micro.time() for micro in found)
    assert all(
        micro.tokens * bytes_per_token(shape, micro.recompute, 2) < room for micro, room in zip(found, rooms, strict=True)
    )


def test_no_choice_is_faster_than_the_one_taken():
    """Whatever is asked to be computed again: with the choice left open it is as fast or faster."""
    shape = known_shape("Qwen/Qwen2.5-32B")
    for room in (6e9, 18e9, 42e9, 60e9, 120e9):
        open_choice = largest(shape, 2, room, four_bit=True)
        assert all(open_choice.time() <= largest(shape, 2, room, mode).time() for mode in ("none", "selective", "full"))


def test_a_budget_that_holds_a_single_prompt_is_counted_as_that():
    """1,400 tokens with nothing computed again are less than they seem where prompts have 900: more of them are taken instead."""
    shape = known_shape("Qwen/Qwen2.5-32B")

    assert largest(shape, 2, 18.5e9).recompute == "none"
    assert largest(shape, 2, 18.5e9, together=900).recompute == "selective"
    assert largest(shape, 2, 18.5e9, together=900).tokens >= 900


def test_where_not_even_a_prompt_fits_the_leanest_choice_is_taken():
    """All that fits of it, in four bits or not: what cannot be laid out takes no room from it."""
    shape = known_shape("Qwen/Qwen2.5-32B")

    cramped = largest(shape, 2, 4e9, together=5000)

    assert cramped == largest(shape, 2, 4e9, together=5000, four_bit=True)
    assert (cramped.recompute, cramped.laid_out) == ("full", False)
    assert 1 < cramped.tokens < 5000


def test_four_bit_weights_are_laid_out_where_that_pays():
    """With 110 GB beside the weights, small batches of a 32B model train on dense weights, which are counted; with 58 GB they
    cannot, and nothing is laid out where there is nothing in four bits."""
    shape = known_shape("Qwen/Qwen2.5-32B")

    dense = largest(shape, 2, 110e9, four_bit=True, most=1800)

    assert dense == MicroBatch(1800, "none", laid_out=True)
    assert 2 * shape.linear_parameters + 1800 * bytes_per_token(shape, "none", 2) < 110e9
    assert not largest(shape, 2, 58e9, four_bit=True, most=1800).laid_out
    assert not largest(shape, 2, 110e9, most=1800).laid_out


def test_training_on_dense_weights_gives_the_same_numbers(tmp_path):
    """NF4 weights made dense once, or in every pass: the same losses and the same adapter, bit for bit; then they are NF4 again."""
    base = load_base({"base": str(save_base(tmp_path, hidden_size=64)), "quantization": "nf4", "dtype": "bfloat16"}, "cpu")
    settings = Recipe(**recipe("dpo"))
    found = []
    for laid_out in (False, True):
        data = GlobalBatches(prepare(examples("dpo", base), base.tokenizer, settings), settings, 1, None)
        losses = []
        with trainable(base, ADAPTER, None, 1):
            policy = MemoryPolicy(CPU_TOKENS, "none", False, laid_out)
            _fit(
                DpoModule(base, settings, policy, len(data.train_batches), lambda _, loss, to=losses: to.append(loss)), data, []
            )
            weights = [p.detach().clone() for p in base.model.parameters() if p.requires_grad]
        found.append((losses, weights))
        assert four_bit_layers(base.model)

    (losses, weights), (dense_losses, dense_weights) = found
    assert losses == dense_losses
    assert len(set(losses)) > 1
    assert all(torch.equal(one, other) for one, other in zip(weights, dense_weights, strict=True))
