"""The form that an instruction demands, by its constraint or by its wording, and whether an answer has it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from compiler.records import ConstraintType
from evaluators.language.numbers import sole_quantity
from evaluators.language.patterns import spoken
from evaluators.language.polarity import says_yes_or_no
from evaluators.language.text import counted_words, fold, norms, plain
from evaluators.view import AnswerView

_QUOTED_DEMAND = re.compile(
    r"\b(?P<how>contain\w*|includ\w*|us(?:e|es|ing)|with|start\w*|begin\w*|end\w*)"
    r"(?: with)?(?: the)?(?: (?:words?|phrase|letter))? \"(?P<text>[^\"]{1,80})\""
)
_OPENING_MARKS = " \t\n\"'“‘«([*_#>-–—•"
_SHORT_REFERENCE = 6
"""Words up to which a reference answer is a short, certain fact."""


def has_form(view: AnswerView) -> bool:
    """Whether the answer has the form asked for, so far as form is part of the task.

    That is one word, yes or no, a number alone, the number of items, a word it must contain or start with. How many sentences
    or words it has is a matter of length alone.
    """
    check = _FORMS.get(view.constraint.type) if view.constraint is not None else None
    return _has_worded_form(view) if check is None else check(view)


def _has_worded_form(view: AnswerView) -> bool:
    limits = view.limits
    if limits.words is not None and limits.words.most == limits.words.least == 1:
        return is_one_word(view)
    if limits.items is not None and limits.items.most is not None and not has_items(view, limits.items.most):
        return False
    demand = _QUOTED_DEMAND.search(spoken(view.instruction)) if view.kind == "generation" else None
    if demand is None:
        return True
    how, text = demand["how"], demand["text"]
    if how.startswith(("start", "begin")):
        return starts_with(view.prose, text)
    return fold(view.prose).rstrip(" .!?\"'").endswith(text) if how.startswith("end") else contains(view.prose, text)


def is_one_word(view: AnswerView) -> bool:
    """Whether the answer is one word, or exactly a reference answer (which may be "New York")."""
    bare = " ".join(norms(view.prose))
    return len(view.words) == 1 or any(bare == " ".join(norms(answer)) for answer in view.answers or ())


def is_number(view: AnswerView) -> bool:
    """Whether the answer is a number and nothing else; a unit or counted noun may follow unless only the number is wanted."""
    quantity = sole_quantity(view.prose)
    if quantity is None:
        return False
    rest = counted_words(plain(view.prose)[quantity.end :])
    return not view.request.only or (not rest and (quantity.unit is None or quantity.unit.dimension != "time"))


def has_items(view: AnswerView, n: int | None) -> bool:
    """Whether the answer lists n different items, or at least two where no number is given."""
    return n in view.item_counts if n is not None else any(count >= 2 for count in view.item_counts)


def contains(text: str, wanted: str) -> bool:
    """Whether the text contains a word or phrase as such, whatever its case; what has no letters is looked for as it stands."""
    words = norms(wanted)
    if not words or not wanted.strip()[0].isalnum():
        return fold(wanted).strip() in fold(text)
    return re.search(rf"(?<!\w){re.escape(fold(wanted).strip())}(?!\w)", " ".join(fold(text).split())) is not None


def starts_with(text: str, wanted: str) -> bool:
    """Whether the text starts with a word or phrase, opening marks and case aside; one letter may start a word."""
    start = fold(text).lstrip(_OPENING_MARKS)
    opening = fold(wanted).strip().lstrip(_OPENING_MARKS)
    if len(opening) == 1 and opening.isalpha():
        return start.startswith(opening) or re.sub(r"^(?:an?|the) ", "", start).startswith(opening)
    return start.startswith(opening) and not (opening[-1:].isalnum() and start[len(opening) : len(opening) + 1].isalnum())


def is_factual(view: AnswerView) -> bool:
    """Whether a short, certain answer is wanted: all references are short, or the form allows a word or number only."""
    if view.constraint is not None and view.constraint.type in {"one_word", "yes_no", "number"}:
        return True
    if not view.answers or view.kind == "generation":
        return False
    return all(len(counted_words(answer)) <= _SHORT_REFERENCE for answer in view.answers)


def exceeds_demand(view: AnswerView) -> bool:
    """Whether the answer has more items, sentences or words than it was told to have."""
    n = view.constraint.n if view.constraint is not None else None
    if view.constraint is None or n is None:
        return (
            view.limits.sentences is not None
            and view.limits.sentences.most is not None
            and len(view.sentences) > view.limits.sentences.most
        )
    match view.constraint.type:
        case "list":
            return bool(view.item_counts) and min(view.item_counts) > n
        case "sentences":
            return len(view.sentences) > n
        case "words_max":
            return len(view.words) > n
    return False


def _contains_demanded(view: AnswerView) -> bool:
    text = view.constraint.text if view.constraint is not None else None
    return text is None or contains(view.prose, text)


def _starts_with_demanded(view: AnswerView) -> bool:
    text = view.constraint.text if view.constraint is not None else None
    return text is None or starts_with(view.prose, text)


_FORMS: Mapping[ConstraintType, Callable[[AnswerView], bool]] = {
    "one_word": is_one_word,
    "yes_no": lambda view: says_yes_or_no(view.prose),
    "number": is_number,
    "list": lambda view: has_items(view, view.constraint.n if view.constraint is not None else None),
    "contains": _contains_demanded,
    "starts_with": _starts_with_demanded,
}
