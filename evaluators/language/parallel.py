"""Whether a sentence answers the same question about something else: "the capital of Spain" where France was asked about.

Question and sentence run in parallel where a word of the question stands in the sentence with another thing in the place beside
it. A pronoun or "this ..." may stand for what was asked about, and a sentence that names it is about it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from evaluators.language.stem import stem
from evaluators.language.text import Token, tokens
from evaluators.language.vocabulary import ARTICLES, DETERMINERS, FUNCTION_WORDS, GENERIC_WORDS, PREPOSITIONS, TASK_WORDS
from evaluators.language.wordlists import word_set

_STANDS_FOR_IT = word_set("it its they them their he him his she her this that these those one ones there such both same")
_DOES = word_set("do does did can could will would should")
_BESIDE = PREPOSITIONS | DETERMINERS | word_set("times plus minus")


def speaks_of_another(sentence: str, question: str, allowed: frozenset[str]) -> bool:
    """Whether a sentence puts another thing where the question has what it is about.

    Args:
        sentence: a sentence of the answer.
        question: the instruction.
        allowed: stems that may stand there: those of the reference answers.
    """
    said, asked = tokens(sentence), tokens(question)
    words = {token.norm for token in said}
    if len(said) < 3 or not words.isdisjoint(_STANDS_FOR_IT):
        return False
    named = {stem(token.norm) for token in said}
    known = allowed | {stem(token.norm) for token in asked}
    return _another_beside(said, asked, named, known) or _another_doer(said, asked, named, known)


def _another_beside(said: Sequence[Token], asked: Sequence[Token], named: set[str], known: frozenset[str]) -> bool:
    """Whether "the currency of Japan" stands for "the currency of Peru": the same word, the same link, another thing."""
    places = {(anchor, link): thing for anchor, link, thing in _places(asked)}
    for anchor, link, thing in _places(said):
        wanted = places.get((anchor, link))
        if wanted is None or stem(wanted.norm) in named or stem(thing.norm) in known:
            continue
        if _is_thing(thing) and _is_thing(wanted) and (_is_name(thing) or not _is_name(wanted)):
            return True
    return False


def _another_doer(said: Sequence[Token], asked: Sequence[Token], named: set[str], known: frozenset[str]) -> bool:
    """Whether "an ant has six legs" answers "how many legs does a spider have": another subject, the same matter."""
    doer = _doer(asked)
    opening = next((token for token in said if token.norm not in ARTICLES), None)
    if doer is None or opening is None or stem(doer.norm) in named or not _is_thing(opening):
        return False
    matter = {stem(token.norm) for token in asked if token.norm not in FUNCTION_WORDS}
    shares = any(stem(token.norm) in matter for token in said if token.norm not in FUNCTION_WORDS)
    return shares and stem(opening.norm) not in known


def _doer(asked: Sequence[Token]) -> Token | None:
    """Of whom it is asked what he does: the thing after "does"."""
    for place, token in enumerate(asked):
        if token.norm in _DOES:
            after = (each for each in asked[place + 1 :] if each.norm not in DETERMINERS)
            found = next(after, None)
            return found if found is not None and _is_thing(found) else None
    return None


def _places(words: Sequence[Token]) -> Iterator[tuple[str, tuple[str, ...], Token]]:
    """Every word, the prepositions that link it to the next thing, and that thing."""
    for place, anchor in enumerate(words):
        if anchor.norm in FUNCTION_WORDS or anchor.norm in TASK_WORDS:
            continue
        link: list[str] = []
        for token in words[place + 1 :]:
            if token.norm not in _BESIDE:
                yield stem(anchor.norm), tuple(link), token
                break
            link += [token.norm] if token.norm not in DETERMINERS else []


def _is_thing(token: Token) -> bool:
    return token.norm not in FUNCTION_WORDS and (token.norm not in GENERIC_WORDS or _is_name(token))


def _is_name(token: Token) -> bool:
    return token.raw[:1].isupper() or token.raw[:1].isdigit()
