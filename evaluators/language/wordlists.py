"""Word lists as running text, which people can read and edit."""

from __future__ import annotations


def word_list(words: str) -> tuple[str, ...]:
    """The words, in order."""
    return tuple(words.split())


def word_set(words: str) -> frozenset[str]:
    """The words, as a set."""
    return frozenset(words.split())
