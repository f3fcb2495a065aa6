"""Packs documents into rows of token ids, all of one length."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import torch
from torch import Tensor
from transformers import Qwen2Tokenizer

_CHUNK = 256
"""Documents tokenized together."""


def encoded(texts: Iterator[str], tokenizer: Qwen2Tokenizer) -> Iterator[list[int]]:
    """The token ids of each text, the end-of-text token last."""
    end = tokenizer.eos_token_id
    while chunk := list(islice(texts, _CHUNK)):
        for encoding in tokenizer.backend_tokenizer.encode_batch(chunk, add_special_tokens=False):
            yield [*encoding.ids, end]


def packed(documents: Iterator[list[int]], length: int) -> Iterator[list[int]]:
    """Rows of `length` ids. Each row opens with the start of a document, as a prompt does; what does not fit in is dropped."""
    row: list[int] = []
    for document in documents:
        row += document
        if len(row) >= length:
            yield row[:length]
            row = []


def batches(rows: Iterator[list[int]], size: int) -> Iterator[Tensor]:
    """Full batches of rows, int64 [size, length]."""
    while len(batch := list(islice(rows, size))) == size:
        yield torch.tensor(batch)
