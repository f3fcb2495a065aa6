"""From answers to judgements: every criterion on every answer, and every held-out pair by its log-probabilities."""

from __future__ import annotations

from collections.abc import Sequence

from compiler.records import Answer, Item, ItemScore, PairLogProbs, PreferencePair
from evaluators.criteria import CRITERIA
from evaluators.preference import preferences_by_item
from evaluators.view import AnswerView

ALL = tuple(criterion.name for criterion in CRITERIA)
"""The names of the nine criteria, in the order of the contract."""


def score_answer(view: AnswerView, criteria: Sequence[str] = ALL) -> dict[str, bool | None]:
    """Criterion -> true, false, or None where it does not apply, in the order of the contract.

    Raises:
        ValueError: a criterion of that name does not exist.
    """
    unknown = [name for name in criteria if name not in ALL]
    if unknown:
        raise ValueError(f"no such criterion: {', '.join(unknown)}; there are {', '.join(ALL)}")
    return {criterion.name: criterion.judge(view) for criterion in CRITERIA if criterion.name in criteria}


def score_items(
    items: Sequence[Item],
    answers: Sequence[Answer],
    pairs: Sequence[PreferencePair] = (),
    logprobs: Sequence[PairLogProbs] = (),
    criteria: Sequence[str] = ALL,
) -> list[ItemScore]:
    """One score per answered item, in the order of the items. An item without an answer has no score: the analysis notices.

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
    return [
        ItemScore(
            item_id=item.id,
            criteria=score_answer(view_of(item, given[item.id]), criteria),
            preference=preferences.get(item.id, {}),
        )
        for item in items
        if item.id in given
    ]


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
