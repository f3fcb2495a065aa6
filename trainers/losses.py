"""The two losses, as pure functions of log-probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


def sft_loss(nll_sums: Tensor, total_tokens: Tensor | int) -> Tensor:
    """Mean negative log-likelihood per token, in nats.

    Args:
        nll_sums: [B] negative log-likelihoods, summed over each sequence's scored tokens.
        total_tokens: scored tokens of the whole global batch: so the shares of its micro-batches add up to its loss.

    Returns:
        Scalar: this micro-batch's share of the global batch's loss.
    """
    return nll_sums.sum() / total_tokens


@dataclass(frozen=True)
class DpoTerms:
    """Loss and diagnostics of B pairs, one number each; all but the loss are detached."""

    loss: Tensor
    """[B] with gradient."""
    chosen_reward: Tensor
    """[B] beta * log(policy / reference) of the chosen response."""
    rejected_reward: Tensor
    """[B] the same of the rejected one."""
    margin: Tensor
    """[B] chosen minus rejected reward."""
    accuracy: Tensor
    """[B] 1 where the margin is positive, else 0."""


def dpo_loss(policy_chosen: Tensor, policy_rejected: Tensor, ref_chosen: Tensor, ref_rejected: Tensor, beta: float) -> DpoTerms:
    """Direct preference optimisation: -log sigmoid(beta * (chosen log-ratio - rejected log-ratio)).

    Equation 7 of Rafailov et al. 2023 (arXiv 2305.18290). With policy and reference equal it is ln 2.

    Args:
        policy_chosen: [B] summed log-probabilities of the chosen responses under the model in training.
        policy_rejected: [B] the same of the rejected responses.
        ref_chosen: [B] those under the reference model; no gradient flows through them.
        ref_rejected: [B] likewise.
        beta: strength of the pull towards the reference.
    """
    chosen = beta * (policy_chosen - ref_chosen.detach())
    rejected = beta * (policy_rejected - ref_rejected.detach())
    margin = chosen - rejected
    return DpoTerms(
        loss=-functional.logsigmoid(margin),
        chosen_reward=chosen.detach(),
        rejected_reward=rejected.detach(),
        margin=margin.detach(),
        accuracy=(margin.detach() > 0).to(torch.float32),
    )
