"""The endless stream of documents, in given shares."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple, dataclass
from random import Random

from datagen.corpus.library import Library, load_library
from datagen.corpus.pages import page
from datagen.corpus.prose import lists, pages_of_prose
from datagen.corpus.questions import few_shot, sheet
from datagen.corpus.replies import thread


@dataclass(frozen=True)
class Mix:
    """Relative numbers of documents of each kind (any positive scale)."""

    prose: float = 0.17
    sheets: float = 0.15
    lists: float = 0.04
    few_shot: float = 0.28
    pages: float = 0.16
    replies: float = 0.20


_WRITERS = (pages_of_prose, sheet, lists, few_shot, page, thread)


def documents(seed: int, mix: Mix | None = None, library: Library | None = None) -> Iterator[str]:
    """Documents without end, the same for the same seed on every platform."""
    library = library or load_library()
    weights = astuple(mix or Mix())
    rng = Random(seed)
    while True:
        write = rng.choices(_WRITERS, weights=weights)[0]
        yield write(library, rng)
