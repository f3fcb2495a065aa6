"""Criterion 5: the answer is as long as was asked for, in so many words or by implication."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from compiler.records import ConstraintType
from evaluators.criteria.base import Criterion
from evaluators.criteria.forms import has_items, is_number, is_one_word
from evaluators.criteria.implied_length import fits_implied
from evaluators.language.limits import Limits
from evaluators.language.lists import is_announcement
from evaluators.language.loops import has_loop, has_phrase_loop
from evaluators.language.polarity import says_yes_or_no
from evaluators.language.text import has_words
from evaluators.view import AnswerView

_WITHOUT_IT = 8
"""Words from which an answer that gives no yes or no is longer than one."""


def judge(view: AnswerView) -> bool:
    """Whether the length fits. An empty response is too short for anything.

    Explicit counts (constraint first, then wording) are kept exactly; implied lengths are judged in words, sentences, lines
    and items, generously, and never in characters. An announcement ("Here are two sentences:") is not counted.
    """
    if view.is_empty:
        return False
    if "repetition" not in view.request.allows and (
        has_phrase_loop(view.content) or (view.hit_token_limit and has_loop(view.content))
    ):
        return False
    return _fits_constraint(view) and _fits_wording(view) and fits_implied(view)


def _fits_constraint(view: AnswerView) -> bool:
    check = _CHECKS.get(view.constraint.type) if view.constraint is not None else None
    return check is None or check(view, view.constraint.n if view.constraint is not None else None)


def _is_short_yes_or_no(view: AnswerView) -> bool:
    """Whether a yes or no comes with a short reason at most, or alone where only that is wanted."""
    if len(view.words) > _WITHOUT_IT and not says_yes_or_no(view.prose):
        return False
    return len(view.words) == 1 if view.request.only else len(view.sentences) <= 2 and len(view.words) <= 30


def _fits_wording(view: AnswerView) -> bool:
    limits = view.limits if "markup" not in view.request.allows else Limits()
    stated = view.constraint.type if view.constraint is not None else None
    checks = (
        (limits.words, len(view.words), stated not in {"words_max", "one_word"}),
        (limits.sentences, count_sentences(view), stated != "sentences"),
        (limits.lines, count_lines(view), True),
        (limits.paragraphs, len([part for part in view.prose.split("\n\n") if has_words(part)]), True),
    )
    if not all(bounds is None or not open_ or bounds.holds(count) for bounds, count, open_ in checks):
        return False
    return limits.items is None or stated == "list" or has_items(view, limits.items.most)


def count_sentences(view: AnswerView) -> int:
    """The sentences, an opening announcement apart."""
    return len(
        [each for place, each in enumerate(view.sentences) if place or len(view.sentences) == 1 or not is_announcement(each)]
    )


def count_lines(view: AnswerView) -> int:
    """The lines that hold words, an opening announcement apart."""
    lines = [line for line in view.prose.splitlines() if has_words(line)]
    return len(lines) - 1 if len(lines) > 1 and lines[0].rstrip().endswith(":") else len(lines)


_CHECKS: Mapping[ConstraintType, Callable[[AnswerView, int | None], bool]] = {
    "one_word": lambda view, n: is_one_word(view),
    "number": lambda view, n: is_number(view),
    "list": has_items,
    "sentences": lambda view, n: n is None or count_sentences(view) == n,
    "words_max": lambda view, n: n is None or len(view.words) <= n,
    "yes_no": lambda view, n: _is_short_yes_or_no(view),
}

CRITERION = Criterion(
    name="appropriate_length",
    definition="Fits the explicit or implicit length asked for; no fixed character cap.",
    sees=(
        "the text before the first marker",
        "the instruction",
        "the kind",
        "the constraint",
        "how long the reference answers are",
    ),
    blind_to=(
        "lengths asked for in other ways than counts and named forms, such as 'as long as a tweet storm'",
        "words in scripts that do not separate them by blanks",
        "whether every word was needed",
    ),
    judge=judge,
)
