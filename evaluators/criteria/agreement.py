"""How far the criteria can be trusted: their agreement with a person, on answers labelled from the definitions."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from compiler.records import Constraint
from evaluators.criteria import CRITERIA
from evaluators.view import AnswerView

Judgement = bool | None


@dataclass(frozen=True)
class Labelled:
    """An answer and what a person made of it."""

    id: str
    view: AnswerView
    expected: dict[str, Judgement]
    """Only the criteria that the label speaks about."""
    trap: bool
    """Whether it was written to mislead a scorer."""
    why: str


@dataclass(frozen=True)
class Agreement:
    """One criterion against the labels."""

    criterion: str
    n: int
    agreed: int
    kappa: float | None
    """Cohen's kappa over true, false and null; None where labels and judgements are all the same one value."""
    missed: tuple[str, ...]
    """Ids of the answers on which they differ."""


def read_labelled(lines: Iterable[str]) -> list[Labelled]:
    """Labelled answers, one JSON object a line: an answers-file line with `expected`, `trap` and `why`.

    Raises:
        KeyError: a line lacks a key.
        ValueError: a line is no JSON, or labels a criterion that does not exist.
    """
    return [_labelled(json.loads(line)) for line in lines if line.strip()]


def _labelled(row: dict[str, Any]) -> Labelled:
    unknown = row["expected"].keys() - {criterion.name for criterion in CRITERIA}
    if unknown:
        raise ValueError(f"{row['id']}: no such criterion: {', '.join(sorted(unknown))}")
    view = AnswerView(
        instruction=row["instruction"],
        kind=row["kind"],
        response=row["response"],
        hit_token_limit=row["hit_token_limit"],
        answers=None if row["answers"] is None else tuple(row["answers"]),
        constraint=None if row["constraint"] is None else Constraint(**row["constraint"]),
    )
    return Labelled(row["id"], view, row["expected"], row["trap"], row["why"])


def agreements(labelled: Sequence[Labelled]) -> list[Agreement]:
    """The agreement of every criterion, in the order of the contract."""
    found: list[Agreement] = []
    for criterion in CRITERIA:
        rows = [each for each in labelled if criterion.name in each.expected]
        pairs = [(each.expected[criterion.name], _judgement(criterion.judge(each.view))) for each in rows]
        missed = tuple(each.id for each, (label, judged) in zip(rows, pairs, strict=True) if label is not judged)
        found.append(Agreement(criterion.name, len(pairs), len(pairs) - len(missed), cohen_kappa(pairs), missed))
    return found


def _judgement(score: bool | float | None) -> Judgement:
    return None if score is None else bool(score)


def cohen_kappa(pairs: Sequence[tuple[Judgement, Judgement]]) -> float | None:
    """Cohen's kappa of two raters: (observed - chance) / (1 - chance); None where chance is 1 or nothing is rated.

    Source: J. Cohen, "A coefficient of agreement for nominal scales", Educational and Psychological Measurement 20 (1960).
    """
    n = len(pairs)
    first, second = Counter(one for one, _ in pairs), Counter(other for _, other in pairs)
    if n == 0 or any(count == n and second[value] == n for value, count in first.items()):
        return None
    observed = sum(one == other for one, other in pairs) / n
    chance = sum(first[value] * second[value] for value in first) / n**2
    return (observed - chance) / (1 - chance)
