"""Trees against the flat computation: one pair at a time, one sequence at a time, every layer as the libraries have it."""

from contextlib import nullcontext

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_data import ADAPTER, examples, recipe
from tiny_models import make_model, wrap

from models.adapters import trainable
from models.batches import collate
from models.lean.install import lean
from models.log_probabilities import response_log_probs
from models.prompt_format import Encoded
from trainers.dpo import DpoModule
from trainers.examples import DpoExample, SftExample, prepare
from trainers.memory_policy import MemoryPolicy
from trainers.recipe import Recipe
from trainers.sft import SftModule

IDS = st.lists(st.integers(0, 319), min_size=1, max_size=10).map(tuple)
PROMPTS = st.lists(IDS, min_size=1, max_size=3, unique=True)
TOLERANCE = {torch.float64: 1e-10, torch.float32: 1e-5}


@st.composite
def preference_trees(draw):
    """Pairs of a few prompts: answers of one token and more, chosen answers shared, and now and then both sides the same."""
    rows = []
    for number, prompt in enumerate(draw(PROMPTS)):
        chosen = draw(IDS)
        for rejected in draw(st.lists(st.one_of(IDS, st.just(chosen)), min_size=1, max_size=4)):
            sides = Encoded(prompt, chosen), Encoded(prompt, rejected)
            reference = draw(st.floats(-40, -5)), draw(st.floats(-40, -5))
            rows.append(DpoExample(f"p{len(rows)}", f"i{number}", *sides, *reference))
    return tuple(rows)


def moved(base):
    """Adapter weights away from where nothing is computed yet."""
    draw = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for parameter in base.model.parameters():
            if parameter.requires_grad:
                parameter.add_(0.1 * torch.randn(parameter.shape, generator=draw, dtype=torch.float64).to(parameter.dtype))


def gradients(base, loss):
    """The loss's value and all adapter gradients in one row."""
    base.model.zero_grad(set_to_none=True)
    loss.backward()
    return loss.item(), torch.cat([p.grad.flatten().double() for p in base.model.parameters() if p.requires_grad])


def alone(base, sequence):
    """The sum of one sequence, by itself."""
    return response_log_probs(base.model, collate([sequence]))[0][0]


def flat_dpo(base, rows):
    """Mean of the pairs' losses."""
    total = 0.0
    for row in rows:
        chosen = alone(base, row.chosen) - row.reference_chosen
        rejected = alone(base, row.rejected) - row.reference_rejected
        total = total + torch.log1p(torch.exp(-0.1 * (chosen - rejected))) / len(rows)
    return total


@pytest.mark.parametrize("recompute", ["none", "selective", "full"])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@settings(max_examples=4, deadline=None)
@given(rows=preference_trees(), tokens=st.sampled_from([1, 40, 1000]))
def test_trees_equal_the_flat_computation(dtype, recompute, rows, tokens):
    """Whatever the trees, the micro-batches and what is computed again: loss and adapter gradients are the flat ones."""
    base = wrap(make_model(dtype=dtype))
    with trainable(base, ADAPTER, None, 1):
        moved(base)
        expected, wanted = gradients(base, flat_dpo(base, rows))
        module = DpoModule(base, Recipe(**recipe("dpo")), MemoryPolicy(tokens, recompute, False), 1, lambda step, loss: None)
        with lean(base.model, recompute):
            loss, found = gradients(base, sum(share for share, _ in module.shares(rows)))

        sides = [side for row in rows for side in (row.chosen, row.rejected)]
        _, uncancelled = gradients(base, sum(alone(base, side) for side in sides) * 0.1 / len(rows))

    assert loss == pytest.approx(expected, rel=TOLERANCE[dtype])
    assert (found - wanted).norm() <= TOLERANCE[dtype] * (wanted.norm() + uncancelled.norm())  # ties cancel to nothing


@settings(max_examples=5, deadline=None)
@given(prompts=PROMPTS, data=st.data(), loss_on=st.sampled_from(["response", "all"]))
def test_packed_demonstrations_do_not_see_each_other(prompts, data, loss_on):
    """SFT in one batch has the gradients of each demonstration alone, though two may share a prompt (float64)."""
    rows = tuple(SftExample(str(n), Encoded(data.draw(st.sampled_from(prompts)), data.draw(IDS))) for n in range(3))
    base = wrap(make_model(dtype=torch.float64))
    settings_ = Recipe(**recipe("sft", loss_on=loss_on))
    with trainable(base, ADAPTER, None, 1):
        moved(base)
        batches = [collate([row.tokens], loss_on=loss_on) for row in rows]
        total = sum(len(batch.targets) for batch in batches)
        expected, wanted = gradients(base, -sum(response_log_probs(base.model, batch)[0].sum() for batch in batches) / total)
        module = SftModule(base, settings_, MemoryPolicy(1000, "none", False), 1, lambda step, loss: None)
        with lean(base.model):
            loss, found = gradients(base, sum(share for share, _ in module.shares(rows)))

    assert loss == pytest.approx(expected, rel=1e-10)
    assert (found - wanted).norm() <= 1e-10 * wanted.norm()


def test_fifty_steps_follow_the_flat_trajectory():
    """Fifty steps of plain AdamW on the flat losses end where fifty on the trees do (float64)."""
    base = wrap(make_model(dtype=torch.float64))
    rows = prepare(examples("dpo", base, train=3, validation=0), base.tokenizer, Recipe(**recipe("dpo"))).train
    ends = []
    for trees in (True, False):
        with trainable(base, ADAPTER, None, 1), lean(base.model) if trees else nullcontext():
            trained = [parameter for parameter in base.model.parameters() if parameter.requires_grad]
            optimizer = torch.optim.AdamW(trained, lr=1e-3)
            module = DpoModule(base, Recipe(**recipe("dpo")), MemoryPolicy(100, "none", False), 1, lambda step, loss: None)
            for _ in range(50):
                loss = sum(share for share, _ in module.shares(rows)) if trees else flat_dpo(base, rows)
                gradients(base, loss)
                optimizer.step()
            ends.append((loss.item(), torch.cat([parameter.detach().flatten() for parameter in trained])))

    assert ends[0][0] < 0.5
    assert ends[0][0] == pytest.approx(ends[1][0], rel=1e-8)
    assert (ends[0][1] - ends[1][1]).norm() <= 1e-8 * ends[1][1].norm()
