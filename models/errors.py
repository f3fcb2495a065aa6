"""What can be wrong with a model, said in one line that ends with the way out."""

from __future__ import annotations


class ModelError(Exception):
    """A model, tokenizer or checkpoint cannot be used as the settings ask. The message says why, and what to do."""


class ContaminationError(ModelError):
    """An input of a base model would carry chat-template or special tokens: the baseline would not be a base model."""
