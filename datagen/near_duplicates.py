"""Which instructions say nearly the same.

Two instructions are compared by what they look like, on normalised text: the Jaccard similarity of their sets of five-character
grams and that of their sets of three-word grams, whichever is larger. From `NEAR_DUPLICATE` on they are near-duplicates.
That a template is shared is no reason by itself: "What is the capital of France?" and "... of Germany?" score 0.6. A long
template around a short entity does make near-duplicates ("Peru" and "Mali" at the end of twelve words), as it would for anybody
else who counts n-grams. The usual limit of such counts is 0.8; ours is lower, so that another normalisation finds none either.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence, Set
from math import ceil

NEAR_DUPLICATE = 0.75
CHARACTERS = 5
WORDS = 3

_PUNCTUATION = re.compile(r"[\s.,;:!?\"'()\[\]]+")

Grams = Set[str]


def normalise(text: str) -> str:
    """The text in lower case, with one space for every run of punctuation or space; operators and digits stay."""
    return _PUNCTUATION.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()


def similarity(first: str, second: str) -> float:
    """How alike two instructions are, from 0 to 1: the larger of their two Jaccard similarities."""
    views = zip(_views(first), _views(second), strict=True)
    return max(_jaccard(one, other) for one, other in views)


def near_duplicate_pairs(texts: Sequence[str], threshold: float = NEAR_DUPLICATE) -> set[tuple[int, int]]:
    """All pairs of places (lower first) whose texts are at least that similar; `threshold` is above 0 and at most 1.

    Exact, yet without comparing everything: sets of Jaccard similarity t share one of their |x| - ceil(t |x|) + 1 rarest grams
    (prefix filter: Chaudhuri, Ganti and Kaushik 2006; Bayardo, Ma and Srikant 2007).
    """
    views = [_views(text) for text in texts]
    return {
        pair
        for view in zip(*views, strict=True)
        for pair in _candidates(view, threshold)
        if _jaccard(view[pair[0]], view[pair[1]]) >= threshold
    }


def _views(text: str) -> tuple[Grams, Grams]:
    """The character grams and the word grams; a text too short for one is its own only gram."""
    plain = normalise(text)
    words = plain.split()
    return (
        {plain[start : start + CHARACTERS] for start in range(max(1, len(plain) - CHARACTERS + 1))},
        {" ".join(words[start : start + WORDS]) for start in range(max(1, len(words) - WORDS + 1))},
    )


def _jaccard(one: Grams, other: Grams) -> float:
    return len(one & other) / len(one | other)


def _candidates(sets: Sequence[Grams], threshold: float) -> Iterator[tuple[int, int]]:
    """Pairs that share a rare gram, each at least once: no other pair can reach the threshold."""
    frequency = Counter(gram for grams in sets for gram in grams)
    holders: dict[str, list[int]] = defaultdict(list)
    for place, grams in enumerate(sets):
        rarest = sorted(grams, key=lambda gram: (frequency[gram], gram))
        for gram in rarest[: len(grams) - ceil(threshold * len(grams) - 1e-9) + 1]:
            yield from ((other, place) for other in holders[gram])
            holders[gram].append(place)
