"""Answers, many at a time: batches sorted by length, a cache allocated once, and a stop per row.

A row stops at the END marker, at end-of-sequence, or at the token limit; finished rows leave the batch. Sampling draws one
uniform number per prompt and token from its own generator: a result hangs on the seed, not on batch size or what ran before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from models.decoding import Decoding
from models.errors import ModelError
from models.lean.install import lean
from models.loading import LoadedBase
from models.nf4 import four_bit_layers
from models.prompt_format import END, is_closed

_TAIL = 16  # tokens that surely hold the marker and the white space before it


@dataclass(frozen=True)
class Pace:
    """How a device is kept busy. A matter of speed: the answers are the same."""

    block: int
    """Tokens written in every row before the host looks at them; those past a row's end are thrown away."""
    compact: float
    """Share of live rows at or below which the batch goes on without the finished ones."""
    recorded: bool
    """Whether steps are recorded once and replayed."""
    lean: bool = False
    """Whether adapters compute in the model's own precision, in few launches, and not in their own."""


# A CPU computes no faster than it is told to, so rows leave soon; a GPU waits for the host whenever it is asked something, and
# takes as long for half the rows.
_PACES = {
    "cpu": Pace(block=1, compact=0.8, recorded=False),
    "cuda": Pace(block=8, compact=0.5, recorded=True, lean=True),
}


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
    pace: Pace | None = None,
) -> list[Generated]:
    """Continues every prompt (token ids), in the order given.

    Args:
        loaded: the model, with whatever adapter is on it.
        prompts: non-empty lists of token ids.
        decode: temperature and length limit.
        seed: of the sampling; unused when greedy.
        batch_size: rows computed together, halved where they do not fit.
        on_progress: called with (answers finished, answers in all).
        pace: how the device is kept busy; by default what suits it.

    Raises:
        ModelError: a prompt leaves no room for the answer in the model's context, or the model computes NaN.
        ValueError: a prompt is empty.
    """
    _check_lengths(loaded, prompts, decode)
    uniforms = _uniforms(len(prompts), decode, seed)
    rows = [_Row(index, prompt) for index, prompt in enumerate(prompts)]
    by_length = sorted(rows, key=lambda row: len(row.prompt), reverse=True)
    writer = _Writer(loaded, decode.max_new_tokens)
    pace = pace or _PACES.get(loaded.device.type, _PACES["cpu"])
    batches = [by_length[start : start + batch_size] for start in range(0, len(rows), batch_size)]
    finished = 0
    # Weights in four bits are left to bitsandbytes, which need not lay them out to multiply a few rows.
    leaner = pace.lean and not four_bit_layers(loaded.model)
    with torch.inference_mode(), lean(loaded.model, decoding=True) if leaner else nullcontext():
        while batches:
            batch = batches.pop(0)
            drawn = None if uniforms is None else uniforms[[row.index for row in batch]]
            try:
                for done in _generate_batch(loaded, batch, decode, drawn, writer, pace):
                    if on_progress and done:
                        on_progress(finished + done, len(rows))
            except torch.OutOfMemoryError:
                if len(batch) == 1:
                    raise
            else:
                finished += len(batch)
                continue
            batches[:0] = _halves(batch)  # out of the handler, whose error holds on to the memory
    return [_result(loaded.tokenizer, row) for row in rows]


def _generate_batch(
    loaded: LoadedBase, rows: list[_Row], decode: Decode, uniforms: Tensor | None, writer: _Writer, pace: Pace
) -> Iterator[int]:
    """Writes into the rows; yields how many have finished, each time that the host looks."""
    limit, total = decode.max_new_tokens, len(rows)
    decoding = Decoding(loaded.model, [row.prompt for row in rows], decode.temperature, limit, uniforms)
    if not bool(torch.isfinite(decoding.first_logits).all()):
        raise ModelError(f"{loaded.settings.base} computes NaN: its checkpoint is broken, train it again or use another")
    alive, seen = list(range(len(rows))), 0
    step: Callable[[], None] | None = None
    while True:
        tokens = decoding.tokens(seen)
        seen = decoding.steps
        alive = [at for at in alive if not any(writer.write(rows[at], id) for id in tokens[at])]
        yield total - len(alive)
        if not alive:
            return
        if len(alive) <= pace.compact * len(rows):
            step = None  # a recording is of one size: let go of its memory
            decoding.keep(alive)
            rows = [rows[at] for at in alive]
            alive = list(range(len(rows)))
        for _ in range(min(pace.block, limit - seen)):
            if step is None and pace.recorded:
                step = decoding.recorded()
            else:
                (step or decoding.step)()


def _halves(rows: list[_Row]) -> list[list[_Row]]:
    """Two batches that start afresh."""
    for row in rows:
        row.written.clear()
        row.hit_limit = False
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    middle = len(rows) // 2
    return [rows[:middle], rows[middle:]]


def _uniforms(prompts: int, decode: Decode, seed: int) -> Tensor | None:
    """Numbers in [0, 1) [prompts, tokens], or None when greedy. A row's numbers hang on the seed and its place alone."""
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
