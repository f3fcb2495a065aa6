"""Where an answer turns to something else: the first sentence that has nothing to do with what was asked or said before."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache

from evaluators.criteria.forms import is_factual
from evaluators.language.declining import is_about_answering
from evaluators.language.grammar import scripts
from evaluators.language.numbers import quantities
from evaluators.language.patterns import says, spoken
from evaluators.language.relatedness import Context, Expected, Place, relatedness
from evaluators.language.scaffold import prompt_labels
from evaluators.language.stem import stem
from evaluators.language.text import counted_words, fold, norms
from evaluators.language.topics import matter
from evaluators.language.vocabulary import FUNCTION_WORDS, GENERIC_WORDS
from evaluators.view import AnswerView

_ABOUT_WORDS = frozenset({"spelling", "transform"})
"""Tasks about words, which may be words of anything."""
_LIKENESS = re.compile(
    r"\b(?:like|as \w+ as)\W*$|\b(?:simile|metaphor|rhym\w+|translat\w+)\b|"
    r"\bwords? (?:for|that|which|with|starting|beginning|meaning)\b",
    re.IGNORECASE,
)
_OF_SOMETHING = re.compile(
    r"\b(?:about|for|of|on|with|to|from|between|in which|where|who|that|describ\w+)\b|:|\"", re.IGNORECASE
)
_PERSONAL = re.compile(
    r"\b(?:I|I'm|I've|my|we|our|repl(?:y|ies)|respond|says?|writes?|asks?|friend|colleague|thank)\b", re.IGNORECASE
)
_HOW_MUCH = re.compile(
    r"\bhow (?:long|often|many|much|far|old|big|high|deep|fast|soon|late|early|hot|tall|wide)\b", re.IGNORECASE
)
_MUST_USE = re.compile(r"\b(?:contain\w*|includ\w*|us(?:e|es|ing)|with|start\w*|begin\w*)((?: [\w'\"-]+){1,6})")
_CLAUSE = re.compile(
    r",\s+(?:and|but|so)\s+|\s+(?:and|but|so),?\s+(?=(?:well|then|so|i|we|he|she|they|the|my|our|in|a)\b)|;\s+|\s+[-–—]\s+",
    re.IGNORECASE,
)
_RELATED: dict[Place, float] = {"opening": 0.35, "later": 0.25}
"""The probability of being about its context below which a text is taken to be about something else."""
_BEHIND_A_FACT = 0.1
"""The same for what stands behind a short, certain answer: a detail need not share a word with the question."""
_ANOTHER_TURN = 0.6
"""The same for a turn of its own, which has no reason to be about what was asked."""
_REFUSED = 0.1
"""The same for a refusal, which is about what was asked unless it names something else."""
_FEW = 2
_SHORTEST = 4
"""Words from which a later sentence says enough to be about something."""


@lru_cache(maxsize=64)
def turns_at(view: AnswerView) -> int | None:
    """The number of the first sentence that is about something else; 0 where the whole answer is, None where none is."""
    if _may_say_anything(view):
        return None
    if is_factual(view) and _is_another_kind(view):
        return 0
    asked, expected = context_of(view), expected_of(view)
    elsewhere = not view.gives_reference and not _may_be_any(view) and is_elsewhere(view)
    if elsewhere and _is_off(view.sentences[0], asked, expected, "opening"):
        return 0
    parts = _parts(view)
    behind = asked
    for number, (place, part) in enumerate(parts):
        rest = " ".join(text for _, text in parts[number:])
        says_enough = number and len(counted_words(part)) >= _SHORTEST
        drifts = says_enough and all(_is_off(each, behind, expected, "later") for each in (part, rest))
        if drifts or (number and _leaves(view, part)):
            return max(place, 1)
        behind = behind.then(part)
    return 0 if elsewhere else None


def leaks_another_subject(view: AnswerView) -> bool:
    """Whether a turn that another label opens behind the answer is about something else."""
    answer = view.before_next_turn
    if answer is view:
        return False
    rest = replace(view, response=view.response[len(answer.response) :]).prose
    for label in reversed(prompt_labels(rest)):
        rest = f"{rest[: label.start]} {rest[label.end :]}"
    return _is_off(rest, context_of(view).then(answer.prose), expected_of(view), "opening", _ANOTHER_TURN)


def _leaves(view: AnswerView, part: str) -> bool:
    """Whether a part says that it changes the subject, or goes on in another script."""
    strange = scripts(part) - scripts(view.instruction) - {"LATIN"}
    turns_away = says(part, "replies", "drift") and matter(part).isdisjoint(context_of(view).stems)
    return turns_away or (bool(strange) and "foreign" not in view.request.allows)


def is_elsewhere(view: AnswerView) -> bool:
    """Whether the answer as a whole has nothing to do with what was asked."""
    return _is_off(view.prose, context_of(view), expected_of(view), "opening")


def declines_elsewhere(view: AnswerView) -> bool:
    """Whether a refusal names a subject, and another one: "I only talk about cooking"."""
    named = [word for word in norms(view.prose) if word not in FUNCTION_WORDS and not is_about_answering(word)]
    return len(named) > _FEW and _is_off(view.prose, context_of(view), expected_of(view), "opening", _REFUSED)


@lru_cache(maxsize=64)
def context_of(view: AnswerView) -> Context:
    """What an answer should be about: the instruction and its reference answers."""
    return Context.of("\n".join((view.instruction, *(view.answers or ()))), _demanded(view))


def _demanded(view: AnswerView) -> frozenset[str]:
    """Stems of words that the answer must use, where the instruction does not ask about them."""
    words = norms(view.constraint.text or "") if view.constraint is not None else ()
    told, instruction = _MUST_USE.search(spoken(view.instruction)), norms(view.instruction)
    if not told or not words or words[0] not in norms(told[1]):
        return frozenset()
    return frozenset(stem(word) for word in words if instruction.count(word) < 2)


@lru_cache(maxsize=64)
def expected_of(view: AnswerView) -> Expected:
    """What kind of answer is wanted."""
    return Expected(
        factual=is_factual(view),
        generation=view.kind == "generation",
        response=view.kind == "response",
        personal=view.kind == "response" and _PERSONAL.search(view.instruction) is not None,
        completion=view.kind == "completion" and not is_factual(view),
        invents=view.request.invents,
        items=view.wants_list,
        ideas=view.request.prose_items,
        amount=_HOW_MUCH.search(view.instruction) is not None,
    )


def _is_off(text: str, context: Context, expected: Expected, place: Place, least: float | None = None) -> bool:
    found = relatedness(text, context, expected, place)
    if least is None:
        least = _BEHIND_A_FACT if place == "later" and expected.factual else _RELATED[place]
    return found is not None and found < least


def _parts(view: AnswerView) -> list[tuple[int, str]]:
    """The sentences with their numbers; an answer that is given or a list of things may end within one, at an "and"."""
    if not (view.gives_reference or view.wants_list):
        return list(enumerate(view.sentences))
    return [(place, part) for place, sentence in enumerate(view.sentences) for part in _CLAUSE.split(sentence)]


def names_no_subject(view: AnswerView) -> bool:
    """Whether a story, a joke or a title is wanted, and not of what."""
    return view.kind == "generation" and view.request.invents and not _OF_SOMETHING.search(view.instruction)


def _may_say_anything(view: AnswerView) -> bool:
    """Whether words of any field may come: in tasks about words, likenesses, riddles, wrong guesses that end a sentence."""
    if "riddle" in view.instruction.casefold():
        return True
    if len(view.words) == 1 and any(word.startswith(fold(view.words[0]).strip(".")) for word in norms(view.instruction)):
        return True  # a guess made from the question's own word
    if names_no_subject(view):
        return True
    named = any(each[:1].isupper() for each in view.answers or ())
    if view.kind == "completion" and len(view.words) <= _FEW and not named:
        return True
    about_words = view.request.allows & _ABOUT_WORDS or _LIKENESS.search(view.request.stem)
    return not is_factual(view) and bool(about_words)


def _may_be_any(view: AnswerView) -> bool:
    """Whether it is a wrong answer of the right sort, or one word where there is no right one, such as a name for a cat."""
    return _is_rival(view) or (not view.answers and len(view.words) == 1)


def _is_rival(view: AnswerView) -> bool:
    """Whether a bare number stands where one was wanted, or a bare name or symbol where the references are such."""
    references = view.answers or ()
    wants_number = view.request.answer_type == "number" or any(quantities(answer) for answer in references)
    words = [word for word in view.discourse.words if word.norm not in FUNCTION_WORDS and word.norm not in GENERIC_WORDS]
    if not words or len(words) > _FEW:
        return False
    if all(quantities(word.raw) for word in words):
        return wants_number
    named = any(answer[:1].isupper() for answer in references)
    return named and all(word.raw[0].isupper() for word in words)


def _is_another_kind(view: AnswerView) -> bool:
    """Whether a bare number, or a year, stands where none was wanted."""
    numeric = view.request.answer_type in {"number", "time"} or any(quantities(answer) for answer in view.answers or ())
    bare = all(word in FUNCTION_WORDS or quantities(word) for word in norms(view.prose))
    return not numeric and len(view.words) <= _FEW and bare and bool(quantities(view.prose))
