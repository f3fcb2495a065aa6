"""The losses as the papers write them."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trainers.losses import dpo_loss, sft_loss

LOG_PROBS = st.floats(-200, 0)
PAIRS = st.lists(st.tuples(LOG_PROBS, LOG_PROBS, LOG_PROBS, LOG_PROBS), min_size=1, max_size=5)


def columns(rows):
    """Four float64 vectors."""
    return torch.tensor(rows, dtype=torch.float64).T


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


def test_sft_shares_add_up():
    """Micro-batches divided by the global token count sum to the mean over all tokens."""
    shares = [sft_loss(torch.tensor([6.0, 4.0]), 8), sft_loss(torch.tensor([2.0]), 8)]

    assert sum(shares).item() == pytest.approx(12 / 8)
