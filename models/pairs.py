"""Log-probabilities of preference pairs under a model: as reference for DPO, and as evidence of what a model prefers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

import torch

from compiler.records import PairLogProbs, PreferencePair
from models.attention import can_pack
from models.batches import collate, tree_tokens
from models.errors import ModelError
from models.lean.install import lean
from models.loading import LoadedBase
from models.log_probabilities import response_log_probs
from models.packing import split_by_tokens
from models.prompt_format import Encoded, encode, render_prompt

_TOKENS_PER_BATCH = 8192

Tree = tuple[Encoded, ...]
"""A prompt with all the responses to it that are asked for, each once, in an order of their own: it is read in one piece."""


def encode_pair(tokenizer: object, pair: PreferencePair) -> tuple[Encoded, Encoded]:
    """Prompt with chosen, and prompt with rejected response."""
    prompt = render_prompt(pair.instruction)
    return encode(tokenizer, prompt, pair.chosen), encode(tokenizer, prompt, pair.rejected)


class Remembered(Protocol):
    """What this very model has computed before."""

    def recall(self, tree: Tree) -> Sequence[float] | None:
        """The summed log-probabilities of its responses, in nats, or None."""

    def learn(self, sums: Mapping[Tree, Sequence[float]]) -> None:
        """Keep what is new."""


def pair_log_probs(
    loaded: LoadedBase,
    pairs: Sequence[PreferencePair],
    on_progress: Callable[[int, int], None] | None = None,
    remembered: Remembered | None = None,
) -> list[PairLogProbs]:
    """Both sides of every pair, in the order given. A response shared by several pairs of a prompt is computed once.

    On a CPU every bit of a pair's log-probabilities depends on the pairs of its own prompt alone: a tree is read by itself
    there, so what is remembered of it is what would be computed.

    Args:
        loaded: the model, with whatever adapter is on it.
        pairs: of any split.
        on_progress: called with (distinct responses scored, in all).
        remembered: trees that need not be read again; what is computed is added to it.

    Raises:
        ModelError: a pair is longer than the model's context, or the model computes NaN.
    """
    encoded = [encode_pair(loaded.tokenizer, pair) for pair in pairs]
    for pair, sides in zip(pairs, encoded, strict=True):
        if max(map(len, sides)) > loaded.context:
            raise ModelError(
                f"pair {pair.id} is {max(map(len, sides))} tokens long, {loaded.settings.base} has {loaded.context}"
            )
    trees = _trees(side for sides in encoded for side in sides)
    found = {tree: None if remembered is None else remembered.recall(tree) for tree in trees}
    known = {tree: sums for tree, sums in found.items() if sums is not None}
    missing = [tree for tree in trees if tree not in known]
    new = dict(zip(missing, _sums(loaded, missing, on_progress), strict=True))
    if remembered is not None:
        remembered.learn(new)
    sums = {sequence: value for tree, values in (known | new).items() for sequence, value in zip(tree, values, strict=True)}
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


def _trees(sequences: Iterable[Encoded]) -> list[Tree]:
    """In the order in which their prompts first appear."""
    responses: dict[tuple[int, ...], set[Encoded]] = {}
    for sequence in sequences:
        responses.setdefault(sequence.prompt_ids, set()).add(sequence)
    return [tuple(sorted(tree, key=lambda sequence: sequence.response_ids)) for tree in responses.values()]


def _sums(loaded: LoadedBase, trees: list[Tree], on_progress: Callable[[int, int], None] | None) -> list[list[float]]:
    sums: list[list[float]] = [[] for _ in trees]
    done, all_of_them = 0, sum(map(len, trees))
    packed = can_pack(loaded.device, loaded.model.dtype)
    with torch.inference_mode(), lean(loaded.model):
        for group in _groups(trees, packed=packed, alone=loaded.device.type == "cpu"):
            together = [sequence for index in group for sequence in trees[index]]
            batch = collate(together, loaded.device, packed=packed)
            values = iter(response_log_probs(loaded.model, batch)[0].tolist())
            for index in group:
                sums[index] = [next(values) for _ in trees[index]]
            done += len(together)
            if on_progress:
                on_progress(done, all_of_them)
    if not all(math.isfinite(value) for values in sums for value in values):
        raise ModelError(f"{loaded.settings.base} computes NaN: its checkpoint is broken, train it again or use another")
    return sums


def _groups(trees: list[Tree], *, packed: bool, alone: bool) -> list[list[int]]:
    """Indices of the trees that are read at once."""
    if alone:
        return [[index] for index in range(len(trees))]
    return split_by_tokens([tree_tokens(tree) for tree in trees], _TOKENS_PER_BATCH, padded=not packed)
