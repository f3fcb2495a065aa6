"""Lengths that nobody states: what a haiku, a slogan, a story, an explanation or a plain fact implies."""

from __future__ import annotations

from dataclasses import dataclass

from evaluators.criteria.forms import is_factual
from evaluators.language.limits import Range
from evaluators.language.text import has_words
from evaluators.language.wordlists import word_list
from evaluators.view import AnswerView

_ANY = Range()


@dataclass(frozen=True)
class Implied:
    """What a form implies. Each bound is generous: it marks what nobody would call fitting."""

    words: Range = _ANY
    sentences: Range = _ANY
    lines: Range = _ANY


_SHORT_TEXT = Implied(words=Range(2, 90), sentences=Range(None, 6))
_LABEL = Implied(words=Range(1, 16), sentences=Range(None, 4))
_POEM = Implied(words=Range(8, 250))
_FORMS: dict[str, Implied] = {
    "haiku": Implied(words=Range(6, 25), lines=Range(3, 3)),
    "limerick": Implied(words=Range(15, 70), lines=Range(5, 5)),
    "couplet": Implied(words=Range(4, 40), lines=Range(2, 2)),
    "quatrain": Implied(words=Range(8, 60), lines=Range(4, 4)),
    "sonnet": Implied(words=Range(50, 200), lines=Range(14, 14)),
    **dict.fromkeys(("poem", "verse", "song"), _POEM),
    **dict.fromkeys(("title", "headline", "slogan", "motto", "caption", "tagline", "name for"), _LABEL),
    **dict.fromkeys(word_list("joke riddle pun fact quote proverb tip greeting toast reply definition question"), _SHORT_TEXT),
    **dict.fromkeys(("synonym", "antonym"), Implied(words=Range(1, 25))),
    **dict.fromkeys(("story", "tale", "diary entry"), Implied(words=Range(15, None), sentences=Range(2, None))),
    **dict.fromkeys(("essay", "article", "report", "speech"), Implied(words=Range(40, None), sentences=Range(3, None))),
    **dict.fromkeys(("email", "letter", "recipe", "review"), Implied(words=Range(10, None))),
    **dict.fromkeys(("message", "note", "invitation", "description", "dialogue", "conversation"), Implied(words=Range(4, 250))),
    "paragraph": Implied(words=Range(15, 250), sentences=Range(2, 15)),
    "summary": Implied(words=Range(4, 200)),
    "tweet": Implied(words=Range(2, 60)),
}  # fmt: skip
_FACT = Implied(words=Range(1, 50), sentences=Range(None, 3))
_EXPLANATION = Implied(words=Range(4, 300))
_ANYTHING = Implied(words=Range(1, 300))


def fits_implied(view: AnswerView) -> bool:
    """Whether the answer has a length that its form or its question implies; explicit counts override what they speak of."""
    implied = _implied(view)
    limits, stated = view.limits, view.constraint.type if view.constraint is not None else None
    counted = stated in {"one_word", "number", "list", "sentences", "words_max", "yes_no"} or limits.words or limits.items
    if counted or limits.sentences or "markup" in view.request.allows:
        return limits.implied not in {"haiku", "limerick", "couplet", "quatrain", "sonnet"} or _lines_hold(view, implied)
    if implied is _FACT:
        return implied.words.holds(len(view.words)) or implied.sentences.holds(len(view.sentences))
    holds = implied.words.holds(len(view.words)) and implied.sentences.holds(max(len(view.sentences), _lines(view)))
    return holds and (limits.lines is not None or _lines_hold(view, implied))


def _implied(view: AnswerView) -> Implied:
    form = view.limits.implied
    if form in _FORMS and "markup" not in view.request.allows and view.kind in {"generation", "response"}:
        return _FORMS[form]
    if is_factual(view):
        return _FACT
    return _EXPLANATION if view.request.explains else _ANYTHING


def _lines(view: AnswerView) -> int:
    return len([line for line in view.prose.splitlines() if has_words(line)])


def _lines_hold(view: AnswerView, implied: Implied) -> bool:
    lines = _lines(view)
    slashed = view.prose.count(" / ") + 1 if lines == 1 else lines
    return implied.lines.holds(lines) or implied.lines.holds(slashed)
