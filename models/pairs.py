"""Log-probabilities of preference pairs under a model: as reference for DPO, and as evidence of what a model prefers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import torch

from compiler.records import PairLogProbs, PreferencePair
from models.attention import can_pack
from models.batches import collate, split_by_tokens, tree_tokens
from models.errors import ModelError
from models.lean.install import lean
from models.loading import LoadedBase
from models.log_probabilities import response_log_probs
from models.prompt_format import Encoded, encode, render_prompt

_TOKENS_PER_BATCH = 8192


def encode_pair(tokenizer: object, pair: PreferencePair) -> tuple[Encoded, Encoded]:
    """Prompt with chosen, and prompt with rejected response."""
    prompt = render_prompt(pair.instruction)
    return encode(tokenizer, prompt, pair.chosen), encode(tokenizer, prompt, pair.rejected)


class Remembered(Protocol):
    """What this very model has computed before."""

    def recall(self, sequence: Encoded) -> float | None:
        """The summed log-probability of a response, in nats, or None."""

    def learn(self, sums: Mapping[Encoded, float]) -> None:
        """Keep what is new."""


def pair_log_probs(
    loaded: LoadedBase,
    pairs: Sequence[PreferencePair],
    on_progress: Callable[[int, int], None] | None = None,
    remembered: Remembered | None = None,
) -> list[PairLogProbs]:
    """Both sides of every pair, in the order given. A response shared by several pairs of a prompt is computed once.

    Args:
        loaded: the model, with whatever adapter is on it.
        pairs: of any split.
        on_progress: called with (distinct responses scored, in all).
        remembered: responses that need not be computed again; what is computed is added to it.

    Raises:
        ModelError: a pair is longer than the model's context, or the model computes NaN.
    """
    encoded = [encode_pair(loaded.tokenizer, pair) for pair in pairs]
    for pair, sides in zip(pairs, encoded, strict=True):
        if max(map(len, sides)) > loaded.context:
            raise ModelError(
                f"pair {pair.id} is {max(map(len, sides))} tokens long, {loaded.settings.base} has {loaded.context}"
            )
    distinct = list(dict.fromkeys(side for sides in encoded for side in sides))
    found = {sequence: None if remembered is None else remembered.recall(sequence) for sequence in distinct}
    sums = {sequence: value for sequence, value in found.items() if value is not None}
    missing = [sequence for sequence in distinct if sequence not in sums]
    new = dict(zip(missing, _sums(loaded, missing, on_progress), strict=True))
    if remembered is not None:
        remembered.learn(new)
    sums |= new
    return [
        PairLogProbs(
            pair_id=pair.id,
            chosen=sums[chosen],
            rejected=sums[rejected],
            chosen_tokens=len(chosen.response_ids),
            rejected_tokens=len(rejected.response_ids),
        )
        for pair, (chosen, rejected) in zip(pairs, encoded, strict=True)
    ]


def _sums(loaded: LoadedBase, sequences: list[Encoded], on_progress: Callable[[int, int], None] | None) -> list[float]:
    sums = [0.0] * len(sequences)
    done = 0
    packed = can_pack(loaded.device, loaded.model.dtype)
    with torch.inference_mode(), lean(loaded.model):
        for group in _groups(sequences, packed):
            batch = collate([sequences[index] for index in group], loaded.device, packed=packed)
            for index, value in zip(group, response_log_probs(loaded.model, batch)[0].tolist(), strict=True):
                sums[index] = value
            done += len(group)
            if on_progress:
                on_progress(done, len(sequences))
    if not all(map(math.isfinite, sums)):
        raise ModelError(f"{loaded.settings.base} computes NaN: its checkpoint is broken, train it again or use another")
    return sums


def _groups(sequences: list[Encoded], packed: bool) -> list[list[int]]:
    """Indices of the sequences that are read together: whole trees, so that a prompt is read once."""
    trees: dict[tuple[int, ...], list[int]] = {}
    for index, sequence in enumerate(sequences):
        trees.setdefault(sequence.prompt_ids, []).append(index)
    members = list(trees.values())
    lengths = [tree_tokens([sequences[index] for index in tree]) for tree in members]
    return [
        [index for tree in group for index in members[tree]]
        for group in split_by_tokens(lengths, _TOKENS_PER_BATCH, padded=not packed)
    ]
