"""Summed log-probabilities of the scored tokens of a batch: the one place where training and scoring meet the model."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from compiler.estimates.micro_batches import SCORED_AT_ONCE
from models.batches import Batch
from models.lean.install import picks_positions


def response_log_probs(model: Any, batch: Batch) -> tuple[Tensor, Tensor]:
    """log p(scored tokens | what comes before them), in nats, summed per sequence.

    Only the positions that predict a scored token are projected to the vocabulary, a tile at a time, and once more in the
    backward pass instead of being kept; the softmax is taken in float32 or wider.

    Returns:
        sums [B] with gradient, and counts [B]: scored tokens per sequence.
    """
    log_probs = _of_targets(model.get_output_embeddings(), _predicting(model, batch), batch.targets)
    sums = log_probs.new_zeros(len(batch.counts)).index_add(0, batch.rows, log_probs)
    return sums, batch.counts


def _predicting(model: Any, batch: Batch) -> Tensor:
    """[N, D]: the last states where a scored token is predicted."""
    picks = picks_positions(model)
    asked = {"positions": batch.predictors} if picks else {}
    states: Tensor = model.base_model(
        input_ids=batch.input_ids, position_ids=batch.position_ids, use_cache=False, **_attention(batch), **asked
    ).last_hidden_state.flatten(0, 1)
    return states if picks else states.index_select(0, batch.predictors)


def _attention(batch: Batch) -> dict[str, Any]:
    """A mask of four dimensions is taken as it is; beside segments it is a placeholder that nothing reads."""
    if batch.segments is None:
        return {"attention_mask": batch.seen}
    return {"attention_mask": batch.input_ids.new_ones((1, 1, 1, 1), dtype=torch.bool), "segments": batch.segments}


def _of_targets(head: Any, hidden: Tensor, targets: Tensor) -> Tensor:
    """[N] of hidden [N, D] and targets [N]."""
    if type(head) is torch.nn.Linear and head.bias is None and not head.weight.requires_grad:
        found: Tensor = TargetLogProbs.apply(hidden, head.weight, targets)
        return found
    tiles = list(zip(hidden.split(SCORED_AT_ONCE), targets.split(SCORED_AT_ONCE), strict=True))
    if torch.is_grad_enabled() and len(tiles) > 1:
        return torch.cat([checkpoint(_tile, head, *tile, use_reentrant=False, preserve_rng_state=False) for tile in tiles])
    return torch.cat([_tile(head, *tile) for tile in tiles])


def _tile(head: Any, hidden: Tensor, targets: Tensor) -> Tensor:
    logits = head(hidden)
    return -functional.cross_entropy(logits.to(_wide(logits.dtype)), targets, reduction="none")


def _wide(dtype: torch.dtype) -> torch.dtype:
    return torch.promote_types(dtype, torch.float32)


class TargetLogProbs(torch.autograd.Function):
    """log softmax(hidden W')[target] under a frozen head, tile by tile.

    The gradient by the hidden state, (onehot(target) - softmax) W, is taken while a tile's logits are there, up to the factor
    that is only known on the way back: nothing is computed again.
    """

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
        """hidden [N, D], weight [V, D], targets [N] to [N] in float32 or wider."""
        log_probs = hidden.new_empty(len(hidden), dtype=_wide(hidden.dtype))
        slopes = torch.empty_like(hidden) if ctx.needs_input_grad[0] else None
        for start in range(0, len(hidden), SCORED_AT_ONCE):
            tile = slice(start, start + SCORED_AT_ONCE)
            at = targets[tile, None]
            every = functional.log_softmax(functional.linear(hidden[tile], weight), -1, dtype=log_probs.dtype)
            of_target = every.gather(1, at)
            log_probs[tile] = of_target.squeeze(1)
            if slopes is not None:
                by_logits = torch.exp(every, out=hidden.new_empty(every.shape)).neg_()
                by_logits.scatter_(1, at, -torch.expm1(of_target).to(by_logits.dtype))  # 1 - p, exact also where p is nearly 1
                torch.mm(by_logits, weight, out=slopes[tile])
        ctx.save_for_backward(slopes)
        return log_probs

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """Of the hidden states."""
        (slopes,) = ctx.saved_tensors
        return slopes * gradients[0][:, None].to(slopes.dtype), None, None
