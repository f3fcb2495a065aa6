"""The losses as the papers write them."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trainers.losses import preference_loss, sft_loss
from trainers.recipe import Recipe

LOG_PROBS = st.floats(-200, 0)
TOKENS = st.integers(1, 60)
COUNTED = st.tuples(LOG_PROBS, LOG_PROBS, LOG_PROBS, LOG_PROBS, TOKENS, TOKENS)
VARIANTS = st.fixed_dictionaries({"beta": st.floats(0.01, 5), "sft_weight": st.sampled_from([0.0, 0.3, 2.0])}).flatmap(
    lambda common: st.sampled_from(
        [{}, {"label_smoothing": 0.1}, {"label_smoothing": 0.49}, {"length_normalised": True}, {"loss": "ipo"}]
    ).map(lambda own: {**common, **own})
)
PAIRS = st.lists(st.tuples(LOG_PROBS, LOG_PROBS, LOG_PROBS, LOG_PROBS), min_size=1, max_size=5)


def columns(rows):
    """Four float64 vectors."""
    return torch.tensor(rows, dtype=torch.float64).T


def settled(**changes):
    """A recipe with these settings of its loss."""
    return Recipe(objective="dpo", epochs=1, learning_rate=1e-3, batch_size=4, max_length=64, **changes)


def dpo_loss(chosen, rejected, ref_chosen, ref_rejected, beta):
    """Plain DPO, which counts no tokens."""
    ones = torch.ones_like(chosen)
    return preference_loss(chosen, rejected, ref_chosen, ref_rejected, ones, ones, settled(beta=beta))


@given(rows=PAIRS, beta=st.floats(0.01, 2))
def test_dpo_is_ln_2_where_policy_and_reference_agree(rows, beta):
    """Whatever the log-probabilities: nothing learned yet means ln 2, no reward and no margin."""
    chosen, rejected, _, _ = columns(rows)

    terms = dpo_loss(chosen, rejected, chosen, rejected, beta)

    assert terms.loss.tolist() == pytest.approx([math.log(2)] * len(rows))
    assert not terms.margin.any()
    assert not terms.accuracy.any()


@settings(deadline=None)
@given(rows=PAIRS, beta=st.floats(0.01, 2))
def test_dpo_is_equation_7(rows, beta):
    """Loss, rewards, margin and accuracy are those of the equation, worked out with plain floats."""
    terms = dpo_loss(*columns(rows), beta)

    for number, (chosen, rejected, ref_chosen, ref_rejected) in enumerate(rows):
        margin = beta * (chosen - ref_chosen) - beta * (rejected - ref_rejected)
        expected = math.log1p(math.exp(-margin)) if margin > -30 else -margin
        assert terms.loss[number].item() == pytest.approx(expected, abs=1e-9)
        assert terms.chosen_reward[number].item() == pytest.approx(beta * (chosen - ref_chosen))
        assert terms.rejected_reward[number].item() == pytest.approx(beta * (rejected - ref_rejected))
        assert terms.margin[number].item() == pytest.approx(margin, abs=1e-9)
        assert terms.accuracy[number].item() == (terms.margin[number] > 0)


def test_dpo_gradient_is_that_of_the_paper():
    """The chosen side is pushed up and the rejected down, both by beta * sigmoid(-margin); the reference gets no gradient."""
    chosen, rejected, ref_chosen, ref_rejected = (vector.requires_grad_() for vector in columns([(-5, -7, -6, -6.5)]).clone())

    terms = dpo_loss(chosen, rejected, ref_chosen, ref_rejected, beta=0.3)
    slopes = torch.autograd.grad(terms.loss.sum(), [chosen, rejected, ref_chosen, ref_rejected], allow_unused=True)

    weight = 0.3 / (1 + math.exp(0.3 * (1 + 0.5)))
    assert slopes[0].item() == pytest.approx(-weight)
    assert slopes[1].item() == pytest.approx(weight)
    assert slopes[2] is None
    assert slopes[3] is None


def by_hand(row, beta, sft_weight=0.0, label_smoothing=0.0, length_normalised=False, loss="sigmoid"):
    """Loss and its two slopes by the equations of the papers, with plain floats."""
    chosen, rejected, ref_chosen, ref_rejected, chosen_tokens, rejected_tokens = row
    per_token = length_normalised or loss == "ipo"
    width = (chosen_tokens, rejected_tokens) if per_token else (1, 1)
    gap = (chosen - ref_chosen) / width[0] - (rejected - ref_rejected) / width[1]
    if loss == "ipo":
        value, slope = (gap - 1 / (2 * beta)) ** 2, 2 * (gap - 1 / (2 * beta))
    else:
        value = (1 - label_smoothing) * softplus(-beta * gap) + label_smoothing * softplus(beta * gap)
        slope = beta * (label_smoothing * logistic(beta * gap) - (1 - label_smoothing) * logistic(-beta * gap))
    nll = -chosen / chosen_tokens
    return value + sft_weight * nll, (slope / width[0] - sft_weight / chosen_tokens, -slope / width[1])


def softplus(value):
    """log(1 + exp(value)), without overflow."""
    return max(value, 0.0) + math.log1p(math.exp(-abs(value)))


def logistic(value):
    """Without overflow."""
    return math.exp(-softplus(-value))


@settings(deadline=None, max_examples=60)
@given(rows=st.lists(COUNTED, min_size=1, max_size=4), variant=VARIANTS)
def test_every_variant_is_its_equation(rows, variant):
    """Loss and both slopes of DPO, cDPO, length-normalised DPO and IPO, with and without an SFT term, to 1e-10 in float64."""
    vectors = columns(rows).clone()
    chosen, rejected = vectors[0].requires_grad_(), vectors[1].requires_grad_()

    terms = preference_loss(chosen, rejected, *vectors[2:], settled(**variant))
    slopes = torch.autograd.grad(terms.loss.sum(), [chosen, rejected])

    for number, row in enumerate(rows):
        value, expected = by_hand(row, **variant)
        assert terms.loss[number].item() == pytest.approx(value, rel=1e-10, abs=1e-10)
        assert [slope[number].item() for slope in slopes] == pytest.approx(expected, rel=1e-10, abs=1e-10)


@settings(deadline=None, max_examples=30)
@given(rows=st.lists(COUNTED, min_size=1, max_size=4), variant=VARIANTS)
def test_rewards_mean_the_same_in_every_variant(rows, variant):
    """They are the implicit rewards of whole responses, so that curves of arms with different losses can be laid side by side."""
    vectors = columns(rows)

    terms = preference_loss(*vectors, settled(**variant))
    plain = dpo_loss(*vectors[:4], beta=variant["beta"])

    for name in ("chosen_reward", "rejected_reward", "margin", "accuracy"):
        assert torch.equal(getattr(terms, name), getattr(plain, name))


def test_sft_shares_add_up():
    """Micro-batches divided by the global token count sum to the mean over all tokens."""
    shares = [sft_loss(torch.tensor([6.0, 4.0]), 8), sft_loss(torch.tensor([2.0]), 8)]

    assert sum(shares).item() == pytest.approx(12 / 8)
