"""The device's side of generation: one batch of rows, its key-value cache, and the step that writes a token in every row.

Everything a step needs is a tensor that stays where it is (the column to write, the mask, the last tokens, the random numbers),
so that a step asks the host nothing and can be recorded once as a CUDA graph and replayed: at decoding speed, launching a
large model's thousands of small kernels one by one takes longer than running them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import Cache, DynamicLayer

_PREFILL_TOKENS = 16_384  # read at once, padding included: bounds the activations of long or many prompts


class _Layer(DynamicLayer):
    """Keys and values [rows, heads, columns, size] of one layer, allocated once and written in place."""

    def __init__(self, cache: KeyValueCache) -> None:
        super().__init__()
        self.cache = cache
        self.is_initialized: bool = False

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        """Stores what is new and returns what the new tokens may look at."""
        cache = self.cache
        if not self.is_initialized:
            shape = (cache.rows, key_states.shape[1], cache.columns, key_states.shape[3])
            # Zeros, since masked values are multiplied by zero and what lies in fresh memory may be NaN.
            self.keys, self.values = (states.new_zeros(shape) for states in (key_states, value_states))
            self.is_initialized = True
        if cache.reading is not None:
            rows, columns = cache.reading
            self.keys[rows, :, columns], self.values[rows, :, columns] = key_states, value_states
            return key_states, value_states
        self.keys.index_copy_(2, cache.column, key_states)
        self.values.index_copy_(2, cache.column, value_states)
        return self.keys[:, :, : cache.extent], self.values[:, :, : cache.extent]

    def keep(self, rows: Tensor) -> None:
        """Lets go of the other rows."""
        self.keys, self.values = self.keys[rows], self.values[rows]


class KeyValueCache(Cache):
    """Room for a whole batch from its first prompt token to its last answer token."""

    def __init__(self, layers: int, rows: int, columns: int, column: Tensor) -> None:
        super().__init__(layers=[_Layer(self) for _ in range(layers)])
        self.rows, self.columns, self.column = rows, columns, column
        self.extent = columns
        """How many columns attention looks at."""
        self.reading: tuple[slice, slice] | None = None
        """Rows and columns of the prompts being read; None while answers are written."""

    def keep(self, rows: Tensor) -> None:
        """Lets go of the other rows."""
        self.rows = len(rows)
        for layer in self.layers:
            layer.keep(rows)


class Decoding:
    """B rows that write their answers side by side, each from its own prompt, padded on the left."""

    def __init__(
        self, model: Any, prompts: Sequence[Sequence[int]], temperature: float, limit: int, uniforms: Tensor | None
    ) -> None:
        """Reads the prompts and writes every row's first token.

        Args:
            model: a transformers causal language model.
            prompts: non-empty token ids; longest first wastes least.
            temperature: 0 is greedy.
            limit: tokens that a row may write.
            uniforms: [B, limit] in [0, 1): the random numbers of a sampled answer; None when greedy.
        """
        device, rows = model.device, len(prompts)
        self.model, self.temperature = model, temperature
        self.width = max(map(len, prompts))
        columns = -(-(self.width + limit) // 8) * 8  # rows of the mask start where the attention kernels can read them
        self.column = torch.tensor([self.width], device=device)
        self.at = torch.zeros(1, dtype=torch.int64, device=device)
        self.cache = KeyValueCache(model.config.num_hidden_layers, rows, columns, self.column)
        self.mask = torch.full((rows, 1, 1, columns), -torch.inf, dtype=model.dtype, device=device)
        self.positions = torch.tensor([[len(prompt)] for prompt in prompts], device=device)
        self.last = torch.zeros(rows, 1, dtype=torch.int64, device=device)
        self.written = torch.zeros(rows, limit, dtype=torch.int64, device=device)
        """[B, limit] int64: the answers so far."""
        self.uniforms = None if uniforms is None else uniforms.to(device)
        self.steps = 0
        """Tokens written in every row."""
        self.first_logits = self._read(prompts)
        self._take(self.first_logits)
        self.steps = 1

    @property
    def rows(self) -> int:
        """Rows still in the batch."""
        return len(self.last)

    def step(self) -> None:
        """Writes one token in every row."""
        self.cache.extent = self.width + self.steps + 1
        self._step()
        self.steps += 1

    def recorded(self) -> Callable[[], None]:
        """The same step as one CUDA graph, for as long as no row leaves; elsewhere than on a GPU, the step as it is."""
        self.cache.extent = self.cache.columns  # a recording cannot grow: attention looks at all columns, later ones masked
        self._step()  # libraries allocate at first use, which a recording must not see
        self.steps += 1
        replay = _record(self._step) if self.last.is_cuda else self._step

        def step() -> None:
            replay()
            self.steps += 1

        return step

    def tokens(self, first: int) -> list[list[int]]:
        """What every row wrote from its `first` token on. The one place where the host waits for the device."""
        tokens: list[list[int]] = self.written[:, first : self.steps].tolist()
        return tokens

    def keep(self, rows: Sequence[int]) -> None:
        """Lets the other rows go."""
        kept = torch.tensor(rows, device=self.last.device)
        self.cache.keep(kept)
        self.mask, self.positions, self.last, self.written = (
            tensor[kept] for tensor in (self.mask, self.positions, self.last, self.written)
        )
        self.uniforms = None if self.uniforms is None else self.uniforms[kept]

    def _step(self) -> None:
        self.mask.index_fill_(3, self.column, 0.0)
        logits = self._forward(self.last, self.mask[..., : self.cache.extent], self.positions)
        self.positions += 1
        self.column += 1
        self._take(logits)

    def _take(self, logits: Tensor) -> None:
        """Chooses the next token of every row and notes it."""
        drawn = None if self.uniforms is None else self.uniforms.index_select(1, self.at)
        chosen = choose(logits, self.temperature, drawn)[:, None]
        self.written.index_copy_(1, self.at, chosen)
        self.last.copy_(chosen)
        self.at += 1

    def _read(self, prompts: Sequence[Sequence[int]]) -> Tensor:
        """Fills the cache with the prompts, some rows at a time, and returns the logits [B, vocabulary] after each."""
        logits, start = [], 0
        while start < len(prompts):
            group = prompts[start : start + max(1, _PREFILL_TOKENS // len(prompts[start]))]
            logits.append(self._read_rows(slice(start, start + len(group)), group))
            start += len(group)
        self.cache.reading = None
        return torch.cat(logits)

    def _read_rows(self, rows: slice, prompts: Sequence[Sequence[int]]) -> Tensor:
        ids, real = left_pad(prompts, self.last.device)
        columns = slice(self.width - ids.shape[1], self.width)
        self.cache.reading = (rows, columns)
        self.mask[rows, 0, 0, columns] = torch.where(real, 0.0, -torch.inf).to(self.mask.dtype)
        mask = causal_mask(real, self.mask.dtype)
        return self._forward(ids, mask, (real.cumsum(1) - 1).clamp(min=0))

    def _forward(self, ids: Tensor, mask: Tensor, positions: Tensor) -> Tensor:
        """Logits [rows, vocabulary] of the token after the last column."""
        output = self.model(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=self.cache,
            use_cache=True,
            logits_to_keep=1,
        )
        logits: Tensor = output.logits[:, -1]
        return logits


def choose(logits: Tensor, temperature: float, drawn: Tensor | None) -> Tensor:
    """Next ids [rows]: the most probable, or where the cumulative distribution reaches the drawn numbers [rows, 1]."""
    if drawn is None:
        return logits.argmax(dim=-1)
    cumulative = torch.softmax(logits.double() / temperature, dim=-1).cumsum(dim=-1)
    target = drawn * cumulative[:, -1:]
    return torch.searchsorted(cumulative, target, right=True)[:, 0].clamp(max=logits.shape[-1] - 1)


def left_pad(prompts: Sequence[Sequence[int]], device: torch.device) -> tuple[Tensor, Tensor]:
    """Ids, and where there is a token, [rows, longest], the padding on the left."""
    width = max(map(len, prompts))
    ids = torch.tensor([[0] * (width - len(prompt)) + list(prompt) for prompt in prompts], device=device)
    real = torch.tensor([[False] * (width - len(prompt)) + [True] * len(prompt) for prompt in prompts], device=device)
    return ids, real


def causal_mask(real: Tensor, dtype: torch.dtype) -> Tensor:
    """What each token may look at, [rows, 1, columns, columns], to be added to attention scores.

    Padding looks at itself: a softmax over nothing would be NaN, and its keys would carry that on.
    """
    columns = real.shape[1]
    seen = real[:, None, None, :].expand(-1, 1, columns, -1).tril() | torch.eye(columns, dtype=torch.bool, device=real.device)
    return torch.zeros((), dtype=dtype, device=real.device).where(seen, -torch.inf)


def _record(step: Callable[[], None]) -> Callable[[], None]:
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, capture_error_mode="thread_local"):
        step()
    return graph.replay
