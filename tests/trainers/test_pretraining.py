"""Pretraining from scratch."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import Qwen2Config, Qwen2ForCausalLM

from trainers.pretraining import Schedule, next_token_loss, optimizer_for, pretrain


def _model():
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2}
    return Qwen2ForCausalLM(
        Qwen2Config(vocab_size=40, num_attention_heads=2, num_key_value_heads=1, tie_word_embeddings=True, **sizes)
    ).float()


def _batches(count, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return iter([torch.randint(0, 40, (3, 9), generator=generator) for _ in range(count)])


def test_the_loss_is_the_mean_negative_log_probability_of_each_next_token():
    """Against a float64 log-softmax written out by hand; the first token has nothing before it and is not predicted."""
    model = _model()
    rows = next(_batches(1))

    loss = next_token_loss(model, rows)

    with torch.no_grad():
        logits = model(rows).logits.double()
    terms = [-logits[b, t].log_softmax(-1)[rows[b, t + 1]] for b in range(3) for t in range(8)]
    assert loss.item() == pytest.approx(torch.stack(terms).mean().item(), rel=1e-5)


@given(steps=st.integers(1, 500), warmup=st.floats(0, 0.5), final=st.floats(0, 1))
@settings(max_examples=50, deadline=None)
def test_the_rate_rises_to_its_peak_and_falls_to_its_final_share(steps, warmup, final):
    """The factor rises up to the end of the warmup, then only falls, and ends at `final`."""
    schedule = Schedule(steps=steps, warmup=warmup, final=final)
    warm = max(1, round(warmup * steps))
    factors = [schedule.factor(step) for step in range(steps)]

    assert all(0 <= f <= 1 + 1e-9 for f in factors)
    assert factors[:warm] == sorted(factors[:warm])
    assert all(a >= b - 1e-12 for a, b in zip(factors[warm:], factors[warm + 1 :], strict=False))
    if steps > warm + 1:
        assert factors[-1] == pytest.approx(final, abs=1e-9)


def test_every_weight_is_trained_once_and_only_layer_matrices_decay():
    """Embeddings, biases and norms are not pulled to zero; the tied embedding is counted once."""
    model = _model()

    decayed, kept = (group["params"] for group in optimizer_for(model, Schedule(steps=1)).param_groups)

    assert sorted(map(id, [*decayed, *kept])) == sorted(map(id, model.parameters()))
    assert all(p.ndim == 2 and p is not model.model.embed_tokens.weight for p in decayed)
    assert any(p is model.model.embed_tokens.weight for p in kept)


def test_training_lowers_the_loss_on_what_it_sees():
    """A few dozen steps on one batch bring it down by far more than noise."""
    model, batch = _model(), next(_batches(1))
    losses = []

    pretrain(model, iter([batch] * 40), Schedule(steps=40, learning_rate=1e-2), lambda p: losses.append(p.loss))

    assert losses[-1] < 0.5 * losses[0]


def test_the_same_start_and_batches_give_the_same_weights():
    """Bit by bit, on one machine."""
    first, second = _model(), _model()
    for model in (first, second):
        pretrain(model, _batches(5), Schedule(steps=5))

    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def test_progress_counts_steps_and_predicted_tokens():
    """Each row of 9 tokens predicts 8."""
    seen = []

    pretrain(_model(), _batches(4), Schedule(steps=4), seen.append)

    assert [p.step for p in seen] == [1, 2, 3, 4]
    assert seen[-1].tokens == 4 * 3 * 8
    assert seen[0].tokens_per_second > 0


def test_batches_that_end_early_are_an_error():
    """A model trained for less than was asked is not passed off as the one asked for."""
    with pytest.raises(ValueError, match="ended after 2 of 3 steps"):
        pretrain(_model(), _batches(2), Schedule(steps=3))


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"steps": 5, "learning_rate": 0.0}])
def test_a_schedule_that_trains_nothing_is_refused(wrong):
    """Zero steps or a zero rate are mistakes."""
    with pytest.raises(ValueError, match="must be positive"):
        Schedule(**wrong)


def test_the_model_is_left_in_evaluation_mode():
    """What is saved and measured next must not have dropout on."""
    model = _model()

    pretrain(model, _batches(1), Schedule(steps=1))

    assert not model.training
