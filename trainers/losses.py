"""The losses, as pure functions of log-probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

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


class PreferenceSettings(Protocol):
    """Which loss; a recipe is one."""

    @property
    def beta(self) -> float:
        """Strength of the pull towards the reference; tau of IPO."""

    @property
    def loss(self) -> Literal["sigmoid", "ipo"]:
        """Of the margin."""

    @property
    def label_smoothing(self) -> float:
        """Share of the labels taken to be wrong, below 0.5; sigmoid loss on summed log-ratios only."""

    @property
    def length_normalised(self) -> bool:
        """Whether the sigmoid loss looks at means over tokens."""

    @property
    def sft_weight(self) -> float:
        """Weight of the chosen response's negative log-likelihood."""


@dataclass(frozen=True)
class DpoTerms:
    """Loss and diagnostics of B pairs, one number each; all but the loss are detached.

    Rewards are DPO's implicit ones, of whole responses, whichever loss is taken: so curves of all variants say the same.
    """

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


def preference_loss(
    policy_chosen: Tensor,
    policy_rejected: Tensor,
    ref_chosen: Tensor,
    ref_rejected: Tensor,
    chosen_tokens: Tensor,
    rejected_tokens: Tensor,
    settings: PreferenceSettings,
) -> DpoTerms:
    """Direct preference optimisation and its variants, per pair.

    With w, l the chosen and rejected response, |y| the tokens of y, r(y) = log policy(y) - log reference(y), b = beta and s the
    logistic function:

    - DPO (Rafailov et al. 2023, arXiv 2305.18290, equation 7): -log s(b (r(w) - r(l))); ln 2 where policy and reference agree.
    - `label_smoothing` e, cDPO (Mitchell 2023, "A note on DPO with noisy preferences & relationship to IPO"):
      -(1 - e) log s(m) - e log s(-m) with m = b (r(w) - r(l)).
    - `length_normalised` (Lambert et al. 2024, arXiv 2411.15124, length-normalised DPO): -log s(b (r(w)/|w| - r(l)/|l|)).
    - `loss: ipo` (Azar et al. 2023, arXiv 2310.12036, equation 17, tau = b): (r(w)/|w| - r(l)/|l| - 1/(2b))^2, with means over
      tokens as TRL has it, by its account confirmed by the authors.
    - `sft_weight` a, RPO (Pang et al. 2024, arXiv 2404.19733, equation 1, with the weight on this term): adds
      -a log policy(w) / |w|. A mean per pair; TRL's is one per micro-batch, over tokens: the same where that is one pair.

    Args:
        policy_chosen: [B] summed log-probabilities of the chosen responses under the model in training.
        policy_rejected: [B] the same of the rejected responses.
        ref_chosen: [B] those under the reference model; no gradient flows through them.
        ref_rejected: [B] likewise.
        chosen_tokens: [B] how many tokens each sum is over.
        rejected_tokens: [B] likewise.
        settings: which of these, and how strong.
    """
    chosen = settings.beta * (policy_chosen - ref_chosen.detach())
    rejected = settings.beta * (policy_rejected - ref_rejected.detach())
    margin = chosen - rejected
    by_token = settings.length_normalised or settings.loss == "ipo"
    compared = chosen / chosen_tokens - rejected / rejected_tokens if by_token else margin
    squared = settings.loss == "ipo"
    loss = ((compared - 0.5) / settings.beta) ** 2 if squared else _smoothed(compared, settings.label_smoothing)
    if settings.sft_weight:
        loss = loss - settings.sft_weight * policy_chosen / chosen_tokens
    return DpoTerms(
        loss=loss,
        chosen_reward=chosen.detach(),
        rejected_reward=rejected.detach(),
        margin=margin.detach(),
        accuracy=(margin.detach() > 0).to(torch.float32),
    )


def _smoothed(logits: Tensor, smoothing: float) -> Tensor:
    """Cross-entropy of [B] logits with the label 1 - smoothing."""
    right = -functional.logsigmoid(logits)
    return (1 - smoothing) * right - smoothing * functional.logsigmoid(-logits) if smoothing else right
