"""Which sequences, or trees of them, go through the model together. The same lengths always give the same groups."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heapify, heapreplace
from math import ceil

Groups = list[list[int]]
"""Indices; every one once."""


def split_by_tokens(lengths: Sequence[int], budget: int, *, padded: bool = True) -> Groups:
    """Groups of at most `budget` tokens each, or of one that is longer.

    With padding a group is of similar lengths, the longest first. Without, groups are as few as first fit makes them and as
    even as they come, the most tokens first, so that memory runs out in the first pass or not at all. The little that remains
    of a batch would else have a pass of its own, for which a host launches as many kernels as for a full one.
    """
    longest_first = sorted(range(len(lengths)), key=lambda index: (-lengths[index], index))
    if padded:
        return _similar(lengths, budget, longest_first)
    return sorted(_even(lengths, budget, longest_first), key=lambda group: -_tokens(group, lengths))


def _similar(lengths: Sequence[int], budget: int, longest_first: Sequence[int]) -> Groups:
    """Neighbours in length; the budget counts each as long as the longest."""
    groups: Groups = []
    for index in longest_first:
        if groups and lengths[groups[-1][0]] * (len(groups[-1]) + 1) <= budget:
            groups[-1].append(index)
        else:
            groups.append([index])
    return groups


def _even(lengths: Sequence[int], budget: int, longest_first: Sequence[int]) -> Groups:
    """With the fewest groups that there can be, if these fit; else with those that first fit needs, or as it fills them."""
    too_long = sum(length > budget for length in lengths)
    fewest = too_long + ceil(sum(length for length in lengths if length <= budget) / budget)
    spread = _spread(lengths, fewest, longest_first)
    if _fit(spread, lengths, budget):
        return spread
    filled = _first_fit(lengths, budget, longest_first)
    spread = _spread(lengths, len(filled), longest_first)
    return spread if _fit(spread, lengths, budget) else filled


def _spread(lengths: Sequence[int], count: int, longest_first: Sequence[int]) -> Groups:
    """That many groups, each index to the one with the least tokens: no largest is below 3/4 of this one's (Graham 1969)."""
    groups: Groups = [[] for _ in range(count)]
    taken = [(0, place) for place in range(count)]
    heapify(taken)
    for index in longest_first:
        tokens, place = taken[0]
        groups[place].append(index)
        heapreplace(taken, (tokens + lengths[index], place))
    return groups


def _first_fit(lengths: Sequence[int], budget: int, longest_first: Sequence[int]) -> Groups:
    """Each index to the first group that has room: at most 11/9 of the fewest groups and one more (Johnson 1973)."""
    groups: Groups = []
    taken: list[int] = []
    for index in longest_first:
        place = next((place for place, tokens in enumerate(taken) if tokens + lengths[index] <= budget), None)
        if place is None:
            groups.append([index])
            taken.append(lengths[index])
        else:
            groups[place].append(index)
            taken[place] += lengths[index]
    return groups


def _fit(groups: Groups, lengths: Sequence[int], budget: int) -> bool:
    return all(len(group) == 1 or _tokens(group, lengths) <= budget for group in groups)


def _tokens(group: Sequence[int], lengths: Sequence[int]) -> int:
    return sum(lengths[index] for index in group)
