"""Our examples as TRL's collators take them: token ids, never text, so no chat template and no truncation can change them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from models.packing import split_by_tokens
from trainers.batching import split_by_count
from trainers.data import GlobalBatch
from trainers.examples import DpoExample, SftExample, longest_sequence
from trainers.recipe import Recipe

Row = dict[str, Any]

_TOKENS = 4096
"""Padded tokens of a micro-batch where the recipe leaves it open; activations are recomputed, so this is moderate."""
_UNSCORED = -100


def row(example: SftExample | DpoExample, recipe: Recipe) -> Row:
    """One example: `input_ids` and `labels`, or the ids of a prompt and its two responses."""
    if isinstance(example, DpoExample):
        return {
            "prompt_ids": list(example.chosen.prompt_ids),
            "chosen_ids": list(example.chosen.response_ids),
            "rejected_ids": list(example.rejected.response_ids),
        }
    ids, prompt = list(example.tokens.ids), len(example.tokens.prompt_ids)
    return {"input_ids": ids, "labels": ids if recipe.loss_on == "all" else [_UNSCORED] * prompt + ids[prompt:]}


def scored_tokens(batch: GlobalBatch, recipe: Recipe) -> int:
    """Tokens of an SFT batch that the loss is taken on; nothing predicts a sequence's first one."""
    return sum(label != _UNSCORED for example in batch for label in row(example, recipe)["labels"][1:])


def micro_batches(batch: GlobalBatch, recipe: Recipe) -> list[GlobalBatch]:
    """A global batch in parts of similar length; of one pair where TRL would average over the tokens of several."""
    sides = 2 if recipe.objective == "dpo" else 1
    rows: Sequence[Any] = batch
    lengths = [sides * longest_sequence([example]) for example in rows]
    size = 1 if recipe.sft_weight else recipe.micro_batch_size
    parts = split_by_tokens(lengths, _TOKENS) if size is None else _in_turn(lengths, size)
    return [tuple(rows[index] for index in part) for part in parts]


def _in_turn(lengths: Sequence[int], size: int) -> list[list[int]]:
    longest_first = sorted(range(len(lengths)), key=lambda index: -lengths[index])
    return [[longest_first[at] for at in part] for part in split_by_count([1] * len(lengths), size)]
