"""Answers, many at a time: left-padded batches, a growing key-value cache, and a stop per row.

A row stops at the END marker, at end-of-sequence, or at the token limit; finished rows leave the batch. Sampling draws one
uniform number per prompt and token from its own generator: a result hangs on the seed, not on batch size or what ran before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache

from models.errors import ModelError
from models.loading import LoadedBase
from models.prompt_format import END, is_closed

_TAIL = 16  # tokens that surely hold the marker and the white space before it
_COMPACT = 0.8  # share of live rows below which the batch is rebuilt without the finished ones


@dataclass(frozen=True)
class Decode:
    """How the next token is chosen: temperature 0 is greedy."""

    temperature: float
    max_new_tokens: int

    def __post_init__(self) -> None:
        if self.temperature < 0 or self.max_new_tokens < 1:
            raise ValueError(f"temperature {self.temperature} must be >= 0 and max_new_tokens {self.max_new_tokens} >= 1")


@dataclass(frozen=True)
class Generated:
    """What the model wrote after a prompt: raw text with its END marker, without an end-of-sequence token."""

    text: str
    tokens: int
    hit_token_limit: bool


@dataclass
class _Row:
    """One prompt and what has been written so far."""

    index: int
    prompt: Sequence[int]
    written: list[int] = field(default_factory=list)
    hit_limit: bool = False


class _Writer:
    """Adds tokens to rows and knows when a row is finished."""

    def __init__(self, loaded: LoadedBase, limit: int) -> None:
        configured = getattr(loaded.model.generation_config, "eos_token_id", None)
        self.stops = {loaded.tokenizer.eos_token_id, *(configured if isinstance(configured, list) else [configured])}
        # Only a token that ends with the marker's last letter can complete it: few rows need decoding at each step.
        self.closers = {id for piece, id in loaded.tokenizer.get_vocab().items() if piece.endswith(END[-1])}
        self.tokenizer, self.limit = loaded.tokenizer, limit

    def write(self, row: _Row, id: int) -> bool:
        """True when that token finished the row. End-of-sequence is not written."""
        if id in self.stops:
            return True
        row.written.append(id)
        if id in self.closers and is_closed(_text(self.tokenizer, row.written[-_TAIL:])):
            return True
        row.hit_limit = len(row.written) >= self.limit
        return row.hit_limit


def generate(
    loaded: LoadedBase,
    prompts: Sequence[Sequence[int]],
    decode: Decode,
    seed: int = 0,
    batch_size: int = 64,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[Generated]:
    """Continues every prompt (token ids), in the order given.

    Args:
        loaded: the model, with whatever adapter is on it.
        prompts: non-empty lists of token ids.
        decode: temperature and length limit.
        seed: of the sampling; unused when greedy.
        batch_size: rows computed together.
        on_progress: called with (answers finished, answers in all).

    Raises:
        ModelError: a prompt leaves no room for the answer in the model's context, or the model computes NaN.
        ValueError: a prompt is empty.
    """
    _check_lengths(loaded, prompts, decode)
    uniforms = _uniforms(len(prompts), decode, seed)
    rows = [_Row(index, prompt) for index, prompt in enumerate(prompts)]
    by_length = sorted(rows, key=lambda row: len(row.prompt), reverse=True)
    writer = _Writer(loaded, decode.max_new_tokens)
    finished = 0
    with torch.inference_mode():
        for start in range(0, len(rows), batch_size):
            for done in _generate_batch(loaded, by_length[start : start + batch_size], decode, uniforms, writer):
                finished += done
                if on_progress and done:
                    on_progress(finished, len(rows))
    return [_result(loaded.tokenizer, row) for row in rows]


def _generate_batch(
    loaded: LoadedBase, rows: list[_Row], decode: Decode, uniforms: Tensor | None, writer: _Writer
) -> Iterator[int]:
    """Writes into the rows; yields how many finished at each step."""
    cache = DynamicCache(config=loaded.model.config)
    ids, mask = _left_pad([row.prompt for row in rows], loaded.device)
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    alive = list(range(len(rows)))
    for step in range(decode.max_new_tokens):
        logits = _next_logits(loaded.model, ids, mask, positions, cache)
        if step == 0 and not bool(torch.isfinite(logits).all()):
            raise ModelError(f"{loaded.settings.base} computes NaN: its checkpoint is broken, train it again or use another")
        drawn = None if uniforms is None else uniforms[[row.index for row in rows], step]
        chosen = _choose(logits, decode.temperature, drawn)
        before = len(alive)
        alive = [at for at, id in zip(alive, chosen[alive].tolist(), strict=True) if not writer.write(rows[at], id)]
        yield before - len(alive)
        if not alive:
            return
        if len(alive) <= _COMPACT * len(rows):
            kept = torch.tensor(alive, device=loaded.device)
            cache.batch_select_indices(kept)
            rows, chosen, mask, positions = [rows[at] for at in alive], chosen[kept], mask[kept], positions[kept]
            alive = list(range(len(rows)))
        ids, positions = chosen[:, None], positions[:, -1:] + 1
        mask = torch.cat([mask, mask.new_ones(len(rows), 1)], dim=1)


def _next_logits(model: Any, ids: Tensor, mask: Tensor, positions: Tensor, cache: Any) -> Tensor:
    """Logits [rows, vocabulary] of the token after the last column; extends the cache."""
    output = model(
        input_ids=ids, attention_mask=mask, position_ids=positions, past_key_values=cache, use_cache=True, logits_to_keep=1
    )
    return output.logits[:, -1]


def _choose(logits: Tensor, temperature: float, drawn: Tensor | None) -> Tensor:
    """Next ids [rows]: the most probable, or by inverting the cumulative distribution at the drawn uniform numbers."""
    if drawn is None:
        return logits.argmax(dim=-1)
    cumulative = torch.softmax(logits.double() / temperature, dim=-1).cumsum(dim=-1)
    target = drawn.to(logits.device)[:, None] * cumulative[:, -1:]
    return torch.searchsorted(cumulative, target, right=True)[:, 0].clamp(max=logits.shape[-1] - 1)


def _left_pad(prompts: Sequence[Sequence[int]], device: torch.device) -> tuple[Tensor, Tensor]:
    """Ids and mask [rows, longest], the padding on the left."""
    width = max(map(len, prompts))
    ids = torch.tensor([[0] * (width - len(prompt)) + list(prompt) for prompt in prompts], device=device)
    mask = torch.tensor([[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts], device=device)
    return ids, mask


def _uniforms(prompts: int, decode: Decode, seed: int) -> Tensor | None:
    """Numbers in [0, 1) [prompts, tokens], or None when greedy."""
    if decode.temperature == 0:
        return None
    return torch.rand(prompts, decode.max_new_tokens, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def _text(tokenizer: Any, ids: Sequence[int]) -> str:
    text: str = tokenizer.decode(list(ids), skip_special_tokens=False, clean_up_tokenization_spaces=False)
    return text


def _result(tokenizer: Any, row: _Row) -> Generated:
    return Generated(_text(tokenizer, row.written), len(row.written), row.hit_limit)


def _check_lengths(loaded: LoadedBase, prompts: Sequence[Sequence[int]], decode: Decode) -> None:
    longest, shortest = max(map(len, prompts), default=1), min(map(len, prompts), default=1)
    if shortest == 0:
        raise ValueError("a prompt without tokens cannot be continued")
    if longest + decode.max_new_tokens > loaded.context:
        raise ModelError(
            f"a prompt of {longest} tokens and {decode.max_new_tokens} new ones exceed the {loaded.context} positions of "
            f"{loaded.settings.base}: lower max_new_tokens or show fewer exemplars"
        )
