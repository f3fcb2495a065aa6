"""Summed log-probabilities of the scored tokens of a batch: the one place where training and scoring meet the model."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from models.batches import Batch


def response_log_probs(model: Any, batch: Batch) -> tuple[Tensor, Tensor]:
    """log p(scored tokens | what comes before them), in nats, summed per sequence.

    Only the positions that predict a scored token are projected to the vocabulary; the softmax is taken in float32 or wider.

    Returns:
        sums [B] with gradient, and counts [B]: scored tokens per sequence.
    """
    hidden = model.base_model(
        input_ids=batch.input_ids, attention_mask=batch.attention_mask, position_ids=batch.position_ids, use_cache=False
    ).last_hidden_state
    logits = model.get_output_embeddings()(hidden.flatten(0, 1)[batch.predictors])
    wide = logits.to(torch.promote_types(logits.dtype, torch.float32))
    log_probs = -functional.cross_entropy(wide, batch.targets, reduction="none")
    sums = log_probs.new_zeros(len(batch.counts)).index_add(0, batch.rows, log_probs)
    return sums, batch.counts
