"""From answers to judgements: every criterion on every answer, and every held-out pair by its log-probabilities."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from compiler.records import Answer, Item, ItemScore, PairLogProbs, PreferencePair
from evaluators.criteria import CRITERIA, Criterion
from evaluators.preference import preferences_by_item
from evaluators.view import AnswerView

ALL = tuple(criterion.name for criterion in CRITERIA)
"""The names of the nine criteria, in the order of the contract."""

Score = bool | float | None


def score_answer(view: AnswerView, criteria: Sequence[str] = ALL) -> dict[str, bool | None]:
    """Criterion -> true, false, or None where it does not apply, in the order of the contract.

    Raises:
        ValueError: a criterion of that name does not exist.
    """
    return {criterion.name: _verdict(criterion.judge(view)) for criterion in _chosen(criteria)}


def score_items(
    items: Sequence[Item],
    answers: Sequence[Answer],
    pairs: Sequence[PreferencePair] = (),
    logprobs: Sequence[PairLogProbs] = (),
    criteria: Sequence[str] = ALL,
    own: Mapping[str, Criterion] | None = None,
) -> list[ItemScore]:
    """One score per answered item, in the order of the items. An item without an answer has no score: the analysis notices.

    Args:
        items: the held-out items.
        answers: at most one per item.
        pairs: the held-out pairs.
        logprobs: of every pair.
        criteria: those of the nine that are wanted.
        own: endpoint -> a criterion of one's own. A criterion that raises an exception on an answer, or gives what is no score,
            has failed on it: the score is None, and the reason is recorded.

    Raises:
        ValueError: an answer belongs to no item, an item has two answers, a criterion does not exist, or a pair has no
            log-probabilities.
    """
    given = {answer.item_id: answer for answer in answers}
    if len(given) < len(answers):
        twice = next(answer.item_id for answer in answers if answer is not given[answer.item_id])
        raise ValueError(f"item {twice} has two answers")
    if strange := given.keys() - {item.id for item in items}:
        raise ValueError(f"answer to an item that is not there: {min(strange)}")
    preferences = preferences_by_item(pairs, logprobs)
    judges = {criterion.name: criterion for criterion in _chosen(criteria)} | dict(own or {})
    found = []
    for item in items:
        if item.id in given:
            scores, failures = _judge(view_of(item, given[item.id]), judges)
            preference = preferences.get(item.id, {})
            found.append(ItemScore(item_id=item.id, criteria=scores, preference=preference, failures=failures))
    return found


def view_of(item: Item, answer: Answer) -> AnswerView:
    """An answer beside its instruction, as the criteria see it."""
    return AnswerView(
        instruction=item.instruction,
        kind=item.kind,
        response=answer.response,
        hit_token_limit=answer.hit_token_limit,
        answers=item.answers,
        constraint=item.constraint,
    )


def _chosen(criteria: Sequence[str]) -> tuple[Criterion, ...]:
    unknown = [name for name in criteria if name not in ALL]
    if unknown:
        raise ValueError(f"no such criterion: {', '.join(unknown)}; there are {', '.join(ALL)}")
    return tuple(criterion for criterion in CRITERIA if criterion.name in criteria)


def _judge(view: AnswerView, judges: Mapping[str, Criterion]) -> tuple[dict[str, Score], dict[str, str]]:
    scores: dict[str, Score] = {}
    failures: dict[str, str] = {}
    for name, criterion in judges.items():
        try:
            scores[name] = _checked(criterion.judge(view))
        except Exception as error:  # whatever it is, one answer that cannot be judged must not cost the run
            scores[name] = None
            failures[name] = f"{type(error).__name__}: {error}"[:300]
    return scores, failures


def _checked(score: object) -> Score:
    if score is None or isinstance(score, bool):
        return score
    if isinstance(score, int | float) and math.isfinite(score) and 0 <= score <= 1:
        return float(score)
    raise ValueError(f"{score!r} is no score: true, false, None or a number from 0 to 1 is")


def _verdict(score: Score) -> bool | None:
    return None if score is None else bool(score)
