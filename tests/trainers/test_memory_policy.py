"""Running out of memory, and how much goes through a model at a time."""

from collections import Counter

import pytest
import torch
from small_data import ADAPTER, examples, recipe
from tiny_models import make_model, wrap

from compiler.estimates.micro_batches import CPU_TOKENS, ENOUGH_TOKENS, bytes_per_token, largest
from compiler.estimates.shapes import known_shape, shape_from_config
from models.adapters import trainable
from trainers.dpo import DpoModule
from trainers.examples import prepare
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
        module._accumulate_in_memory(batch)
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


def test_what_is_computed_again_is_not_kept():
    """Each kind of recomputation keeps less per token than the one before."""
    shape = shape_from_config("tiny", make_model().config.to_json_string())

    none, selective, full = (bytes_per_token(shape, kind, 2) for kind in ("none", "selective", "full"))

    assert none > selective > full > 0


def test_a_cpu_gets_small_padded_batches():
    """On a CPU nothing is computed again, and trees are padded: there is no attention over segments."""
    assert choose(wrap(make_model())) == MemoryPolicy(CPU_TOKENS, "none", False)


def test_nothing_is_computed_again_without_need():
    """With a lot of room nothing is; with less, the wide halves; with little, whole layers; never fewer tokens for it."""
    shape = known_shape("Qwen/Qwen2.5-32B")
    rooms = [60e9, 32e9, 12e9, 3e9]

    found = [largest(shape, 2, room) for room in rooms]

    assert [micro.recompute for micro in found] == ["none", "selective", "full", "full"]
    assert all(micro.tokens >= ENOUGH_TOKENS for micro in found[:3])
    assert all(
        micro.tokens * bytes_per_token(shape, micro.recompute, 2) < room for micro, room in zip(found, rooms, strict=True)
    )
