"""Whether an answer is of the kind that was asked for: a number for "how many", a question for "write a question"."""

from __future__ import annotations

import re

from evaluators.criteria.forms import is_factual
from evaluators.language.numbers import quantities, sole_quantity
from evaluators.language.parallel import speaks_of_another
from evaluators.language.patterns import spoken
from evaluators.language.polarity import read_polarity
from evaluators.language.stem import stem
from evaluators.language.text import norms
from evaluators.language.vocabulary import FUNCTION_WORDS, GENERIC_WORDS, PRONOUNS
from evaluators.language.wordlists import word_set
from evaluators.view import AnswerView

_NO_NUMBER = re.compile(r"\b(?:none|no|zero|nil|infinite(?:ly)?|infinity|once|twice|thrice|both|single)\b")
_BULLET = re.compile(r"^\s*(?:\d{1,2}[.)]|[-*•])\s", re.MULTILINE)
_BY_NAME = re.compile(r"\bby (?:the )?[A-Z]")
_BARE_YES_NO = word_set("yes no yeah nope yep true false")
_RELATION = re.compile(
    r"\b(?:what|which|name|give|state|tell me)\b(?: is| are| was| were)?(?: me)? the ((?:\w+ ){0,3}?\w+) (?:of|in|for) "
    r"(?:the )?([\w' -]+?)\s*[?.]?$"
)
_EMPTY = frozenset(stem(word) for word in word_set("call called name named known people person thing something kind certain"))
_FEWEST_WORDS = {
    "story": 8,
    "essay": 20,
    "poem": 6,
    "haiku": 6,
    "limerick": 10,
    "email": 6,
    "letter": 6,
    "paragraph": 8,
    "recipe": 8,
    "sentence": 3,
}


def is_kind_asked_for(view: AnswerView) -> bool:
    """Whether the answer could be one to this question or task, by its kind alone."""
    words = norms(view.prose)
    if len(view.sentences) == 1 and view.prose.rstrip().endswith(":"):
        return False
    if view.kind in {"qa", "completion"} and not _fits_question(view, words):
        return False
    if _restates(view):
        return False
    if is_factual(view) and (_lists_instead(view) or _is_about_another(view)):
        return False
    return _fits_form(view)


def _restates(view: AnswerView) -> bool:
    """Whether every word of an explanation is the question's own, or says no more than that there is such a thing."""
    if view.answers or view.kind != "qa":
        return False
    words = norms(view.prose)
    own = view.request.asked_for | _EMPTY
    content = {stem(word) for word in words if word not in FUNCTION_WORDS}
    says_so = view.request.choice or view.request.answer_type in {"yes_no", "number"} or quantities(view.prose)
    return len(words) >= 4 and not says_so and not content.isdisjoint(view.request.subject) and content <= own


def _lists_instead(view: AnswerView) -> bool:
    """Whether three things or more are listed where one was wanted."""
    return not view.wants_list and len(_BULLET.findall(view.prose)) >= 3


def _is_about_another(view: AnswerView) -> bool:
    """Whether it answers the question for something else than what was asked about."""
    if not view.answers or view.request.choice or not view.sentences:
        return False
    allowed = frozenset(stem(word) for answer in view.answers for word in norms(answer))
    return speaks_of_another(view.sentences[0], view.request.stem, allowed)


def _fits_question(view: AnswerView, words: tuple[str, ...]) -> bool:
    asked = view.request.answer_type
    references = view.answers or ()
    if references and all(" ".join(norms(answer)) in _BARE_YES_NO for answer in references):
        return read_polarity(view.discourse, view.request.subject).value is not None
    if asked != "yes_no" and not view.request.choice and len(words) <= 2 and words[0] in _BARE_YES_NO:
        return False
    numeric = [answer for answer in references if sole_quantity(answer) is not None]
    if (references and len(numeric) == len(references)) or (not references and asked == "number"):
        return bool(quantities(view.prose)) or bool(_NO_NUMBER.search(spoken(view.prose)))
    if references and not numeric and asked != "number" and sole_quantity(view.prose) is not None and len(words) <= 2:
        return any(re.search(r"\d", answer) for answer in references)
    return not _speaks_of_the_wrong_side(view, words) and not _lacks_a_name(view, words)


def _lacks_a_name(view: AnswerView, words: tuple[str, ...]) -> bool:
    """Whether a sentence names nobody and nothing where every reference is a name."""
    references = view.answers or ()
    named = bool(references) and all(answer[:1].isupper() and len(answer) > 2 for answer in references)
    if not named or len(words) < 5 or not view.prose[:1].isupper():
        return False
    plain = FUNCTION_WORDS | GENERIC_WORDS | view.request.words
    return not any(word.raw[0].isupper() and word.norm not in plain for word in view.discourse.words)


def _speaks_of_the_wrong_side(view: AnswerView, words: tuple[str, ...]) -> bool:
    """Whether "the capital of France" is answered with a sentence about France that names no capital.

    Likewise "who", with a sentence that has no word of what was done and no "by".
    """
    relation = _RELATION.search(spoken(view.instruction))
    if len(words) <= 4 or words[0] in PRONOUNS:
        return False
    said = {stem(word) for word in words}
    opening = {stem(word) for word in words[:3]}
    if relation is not None:
        asked_for = {stem(word) for word in norms(relation[1]) if word not in FUNCTION_WORDS}
        entity = {stem(word) for word in norms(relation[2]) if word not in FUNCTION_WORDS}
    elif view.request.answer_type == "person" and view.request.names:
        entity = {stem(name) for name in view.request.names}
        asked_for = set(view.request.subject - entity)
    else:
        return False
    names_maker = relation is None and _BY_NAME.search(view.prose)
    return not entity.isdisjoint(opening) and asked_for.isdisjoint(said) and not names_maker


def _fits_form(view: AnswerView) -> bool:
    form = view.limits.implied if "markup" not in view.request.allows else None
    if view.kind == "generation" and form == "question" and "?" not in view.prose:
        return False
    if view.kind == "generation" and form in _FEWEST_WORDS and len(view.words) < _FEWEST_WORDS[form]:
        return False
    explains = view.request.explains and "markup" not in view.request.allows and not is_factual(view)
    return not (explains and view.constraint is None and len(view.words) < 2)
