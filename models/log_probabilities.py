"""Summed log-probabilities of the scored tokens of a batch: the one place where training and scoring meet the model."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from compiler.estimates.micro_batches import SCORED_AT_ONCE
from models.batches import Batch


def response_log_probs(model: Any, batch: Batch) -> tuple[Tensor, Tensor]:
    """log p(scored tokens | what comes before them), in nats, summed per sequence.

    Only the positions that predict a scored token are projected to the vocabulary, a tile at a time, and once more in the
    backward pass instead of being kept; the softmax is taken in float32 or wider.

    Returns:
        sums [B] with gradient, and counts [B]: scored tokens per sequence.
    """
    hidden = model.base_model(
        input_ids=batch.input_ids, position_ids=batch.position_ids, use_cache=False, **_attention(batch)
    ).last_hidden_state
    predicting = hidden.flatten(0, 1).index_select(0, batch.predictors)
    head = model.get_output_embeddings()
    tiles = zip(predicting.split(SCORED_AT_ONCE), batch.targets.split(SCORED_AT_ONCE), strict=True)
    if torch.is_grad_enabled() and len(batch.targets) > SCORED_AT_ONCE:
        parts = [checkpoint(_log_probs, head, *tile, use_reentrant=False, preserve_rng_state=False) for tile in tiles]
    else:
        parts = [_log_probs(head, *tile) for tile in tiles]
    log_probs = torch.cat(parts)
    sums = log_probs.new_zeros(len(batch.counts)).index_add(0, batch.rows, log_probs)
    return sums, batch.counts


def _attention(batch: Batch) -> dict[str, Any]:
    """A mask of four dimensions is taken as it is; beside segments it is a placeholder that nothing reads."""
    if batch.segments is None:
        return {"attention_mask": batch.seen}
    return {"attention_mask": batch.input_ids.new_ones((1, 1, 1, 1), dtype=torch.bool), "segments": batch.segments}


def _log_probs(head: Any, hidden: Tensor, targets: Tensor) -> Tensor:
    """[N] of hidden [N, D] and targets [N]."""
    logits = head(hidden)
    wide = logits.to(torch.promote_types(logits.dtype, torch.float32))
    return -functional.cross_entropy(wide, targets, reduction="none")
