"""Yes or no: what an answer to a yes/no question says, by its first word or by restating the question."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from evaluators.language.clauses import Discourse, Word
from evaluators.language.patterns import find, phrases, spoken
from evaluators.language.stem import stem
from evaluators.language.vocabulary import AUXILIARIES, FUNCTION_WORDS, PRONOUNS
from evaluators.language.wordlists import word_set

_NEGATIVE = word_set(
    """
    not no never none neither nor cannot unable hardly without nobody nothing false myth incorrect wrong
    """
)
_SPEAKER = word_set("i we")
_HARMLESS_AFTER_NOT = word_set("only just merely simply necessarily")


class Polarity(NamedTuple):
    """What was said: True for yes, False for no, None for neither; and whether it was said both ways."""

    value: bool | None
    contradictory: bool = False


@lru_cache(maxsize=20_000)
def lead(text: str) -> bool | None:
    """The yes or no with which a text opens, hedges aside; None where it opens with neither."""
    match = find(spoken(text), "replies", "lead")
    return None if match is None else match["yes"] is not None


def says_yes_or_no(text: str) -> bool:
    """Whether the text gives a plain "yes" or "no", and not both."""
    source = spoken(text)
    if find(source, "replies", "both"):
        return False
    opening = find(source, "replies", "lead")
    return bool(opening and (find(opening[0], "replies", "literal"))) or len(_literal(text)) == 1


def read_polarity(discourse: Discourse, question: frozenset[str]) -> Polarity:
    """What a text answers to a yes/no question.

    Args:
        discourse: the answer.
        question: the stems of the question's subject words.
    """
    if find(spoken(discourse.text), "replies", "both"):
        return Polarity(None, contradictory=True)
    opening = lead(discourse.text)
    restated = {value for clause in discourse.clauses if (value := _restates(clause, question, opening)) is not None}
    leads = {value for sentence in discourse.sentences if (value := lead(sentence)) is not None}
    if opening is None:
        said = restated or leads or _literal(discourse.text)
        return Polarity(next(iter(said)) if len(said) == 1 else None, contradictory=len(said) > 1)
    return Polarity(opening, contradictory=len(leads | restated) > 1)


def _literal(text: str) -> set[bool]:
    return {word.startswith("y") for pattern in phrases("replies")["literal"] for word in pattern.regex.findall(spoken(text))}


def _restates(clause: tuple[Word, ...], question: frozenset[str], opening: bool | None) -> bool | None:
    """The polarity with which a clause restates the question; None where it does not, or speaks of the answerer."""
    norms = [word.norm for word in clause]
    if not question or not _SPEAKER.isdisjoint(norms[:2]):
        return None
    restates = _restates_alone(norms, question) if opening is None else _restates_after(norms, question)
    return not _negated(norms) if restates else None


def _restates_alone(norms: list[str], question: frozenset[str]) -> bool:
    """Whether a clause without a yes or no before it holds most of the question's words; a pronoun stands for one of them."""
    if 2 <= len(norms) <= 3 and norms[0] in PRONOUNS and norms[1] in AUXILIARIES and norms[2:] in ([], ["not"]):
        return True
    shared = len(_content(norms) & question) + _stands_in(norms, question)
    return shared * 5 >= len(question) * 3 and any(norm in AUXILIARIES or stem(norm) in question for norm in norms)


def _restates_after(norms: list[str], question: frozenset[str]) -> bool:
    """Whether a clause after a yes or no says nothing but the question's words: "No, it is a mammal" restates nothing."""
    content = _content(norms)
    if norms[:1] == ["no"] or not content <= question or AUXILIARIES.isdisjoint(norms):
        return False
    shared = len(content) + _stands_in(norms, question)
    return shared * 2 >= len(question) if content else len(norms) <= 3


def _content(norms: list[str]) -> set[str]:
    return {stem(norm) for norm in norms if norm not in FUNCTION_WORDS and norm not in _NEGATIVE and lead(norm) is None}


def _stands_in(norms: list[str], question: frozenset[str]) -> int:
    return int(norms[0] in PRONOUNS and len(question) > 1)


def _negated(norms: list[str]) -> bool:
    found = [
        norm
        for norm, following in zip(norms, [*norms[1:], ""], strict=True)
        if norm in _NEGATIVE and following not in _HARMLESS_AFTER_NOT
    ]
    return len(found) % 2 == 1
