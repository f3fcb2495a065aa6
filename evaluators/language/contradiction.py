"""Ways in which a text takes back the answer it gives: a retraction, an alternative, a rival, the other side of a choice."""

from __future__ import annotations

import re
from collections.abc import Sequence

from evaluators.language.clauses import Discourse, Word
from evaluators.language.filler import specific_words
from evaluators.language.mentions import Mention
from evaluators.language.numbers import sole_quantity
from evaluators.language.patterns import find, phrases, spoken
from evaluators.language.request import Request
from evaluators.language.stem import stem
from evaluators.language.text import norms
from evaluators.language.vocabulary import ARTICLES, AUXILIARIES, FUNCTION_WORDS, NEGATIONS
from evaluators.language.wordlists import word_set

_LESS = word_set(
    """
    less fewer smaller shorter younger slower lighter colder cooler lower shallower later nearer closer narrower
    weaker thinner cheaper least fewest smallest shortest youngest slowest lightest coldest coolest lowest worse
    poorer
    """
)
_INTERJECTIONS = word_set(
    """
    hi hello hey thanks thank welcome yes no yeah sure certainly absolutely definitely exactly correct easy answer hmm
    well
    """
)
_COPULAS = word_set("is are was were")
_SO_MUCH = word_set(
    """
    so more less simply just even also better about roughly approximately around otherwise not rather maybe
    """
)


def contradicts(discourse: Discourse, asserted: Sequence[Mention], references: Sequence[str], request: Request) -> bool:
    """Whether the text takes back what it asserts at these places."""
    known = {norm for reference in references for norm in norms(reference)} | request.words
    return (
        _retracts(discourse, references)
        or _opens_with_other(discourse, references, request)
        or (request.choice is not None and _chooses_other(discourse, asserted, request))
        or (request.choice is None and _offers_alternative(discourse, asserted, known, request))
        or _has_rival(discourse, asserted, references, request)
    )


def _retracts(discourse: Discourse, references: Sequence[str]) -> bool:
    """Whether "no, ...", "wait", "I mean" stands between two answers of which only one is the reference."""
    source = spoken(discourse.text)
    for match in phrases("replies")["retraction"][0].regex.finditer(source):
        before, after = source[: match.start()], source[match.end() :]
        if not re.search(r"\w", before) or match[0].lstrip().startswith("?") or find(before, "replies", "belief"):
            continue
        if _opens_new(after) and _names(before, references) != _names(after, references) and _opens_new(before):
            return True
    return False


def _opens_with_other(discourse: Discourse, references: Sequence[str], request: Request) -> bool:
    """Whether a first sentence of one to three words already gives another answer: "Sunday. Monday comes after Tuesday." """
    if len(discourse.sentences) < 2 or discourse.sentences[0][-1] in "!?:":
        return False
    words = norms(discourse.sentences[0])
    specific = [word for word in specific_words(words, request.subject) if word not in _INTERJECTIONS]
    return len(specific) > 0 and len(words) <= 3 and not _names(discourse.sentences[0], references)


def _opens_new(text: str) -> bool:
    return any(word not in FUNCTION_WORDS for word in norms(text))


def _names(text: str, references: Sequence[str]) -> bool:
    padded = f" {' '.join(norms(text))} "
    return any(f" {' '.join(norms(reference))} " in padded for reference in references if norms(reference))


def _chooses_other(discourse: Discourse, asserted: Sequence[Mention], request: Request) -> bool:
    """For "coffee or tea?": whether a comparison comes out for the other side, or for both."""
    if re.search(r"\bboth\b|\bneither\b|\bequal(?:ly)?\b|\bthe same\b", spoken(discourse.text)):
        return True
    asks_less = not _LESS.isdisjoint(request.words)
    verdicts: list[bool] = []
    for mention in asserted:
        clause = discourse.clauses[discourse.words[mention.start].clause]
        place = next((place for place, word in enumerate(clause) if word.norm == "than"), None)
        if place is None:
            continue
        first_side = discourse.words.index(clause[place]) > mention.start
        turned = (not _LESS.isdisjoint(word.norm for word in clause)) != asks_less
        verdicts.append(first_side != turned)
    others = [option for option in request.choice or () if option not in {discourse.words[m.start].norm for m in asserted}]
    bare = (
        len(discourse.words) <= 4
        and any(option in norms(discourse.text) for option in others)
        and "not" not in norms(discourse.text)
    )
    return not all(verdicts) or bare


def _offers_alternative(discourse: Discourse, asserted: Sequence[Mention], known: set[str], request: Request) -> bool:
    """Whether the answer comes as one of several: "Paris or Lyon", "Paris, Lyon", "Paris and Lyon"."""
    if (
        len(discourse.words) <= 12
        and sole_quantity(discourse.text) is None
        and _is_row_of_guesses(discourse, known, request.words)
    ):
        return True
    return any(_tied_to_other(discourse.words, mention, known) for mention in asserted)


def _is_row_of_guesses(discourse: Discourse, known: set[str], request_words: frozenset[str]) -> bool:
    if len(discourse.sentences) > 1 or re.search(r"[:()=]", discourse.text):
        return False
    parts = [part.split() for part in re.split(r"[,/;&\n]|\bor\b|\band\b", spoken(discourse.text)) if re.search(r"\w", part)]
    parts = [[word.strip(".!?\"'*") for word in part] for part in parts]
    if len(parts) < 2 or any(len(part) > 3 for part in parts):
        return False
    if len(parts) == 2 and re.fullmatch(r"[^,]*,[^,]*", discourse.text) and not known.isdisjoint(parts[0]):
        return False  # "Paris, France"
    if any(len(part) > 1 and not request_words.isdisjoint(part) for part in parts):
        return False  # a sentence: "Bakers bake bread and cakes"
    short = not any(word in FUNCTION_WORDS for part in parts for word in part)
    return short and any(known.isdisjoint(part) for part in parts) and not parts[0][0].isdigit()


def _tied_to_other(words: tuple[Word, ...], mention: Mention, known: set[str]) -> bool:
    after = words[mention.end : mention.end + 3]
    before = words[max(0, mention.start - 2) : mention.start]
    if len(after) > 1 and after[0].norm == "or" and _is_rival(after[1:], words[mention.start], known):
        return True
    if (
        len(after) > 1
        and after[0].norm == "and"
        and after[1].raw[0].isupper()
        and after[1].closed
        and _is_rival(after[1:], words[mention.start], known)
    ):
        return True
    return len(before) == 2 and before[1].norm == "or" and _is_rival(before[:1], words[mention.start], known)


def _is_rival(words: Sequence[Word], mentioned: Word, known: set[str]) -> bool:
    words = [word for word in words if word.norm not in ARTICLES]
    if not words or words[0].norm in _SO_MUCH or words[0].norm in known or words[0].norm in FUNCTION_WORDS:
        return False
    return words[0].raw[0].isupper() == mentioned.raw[0].isupper() and words[0].norm != mentioned.norm


def _has_rival(discourse: Discourse, asserted: Sequence[Mention], references: Sequence[str], request: Request) -> bool:
    """Whether a clause gives something else as the answer: "The capital of France is Lyon, although Paris is larger"."""
    if len(request.subject) < 2:
        return False
    taken = {discourse.words[mention.start].clause for mention in asserted}
    wanted = {norm for reference in references for norm in norms(reference)}
    capital = references[0][:1].isupper()
    return any(
        _gives_other(clause, wanted, request.subject, capital=capital)
        for number, clause in enumerate(discourse.clauses)
        if clause and not discourse.asks(clause[0].sentence) and number not in taken
    )


def _gives_other(clause: Sequence[Word], wanted: set[str], subject: frozenset[str], *, capital: bool) -> bool:
    place = next((place for place, word in enumerate(clause) if word.norm in _COPULAS), None)
    if place is None or any(word.norm in NEGATIONS for word in clause):
        return False
    left, right = clause[:place], clause[place + 1 :]
    needed = -(-len(subject) * 3 // 5)
    if _hits(left, subject) >= needed and not _rest(left, subject):
        first = next((word for word in right if word.norm not in ARTICLES), None)
        return first is not None and _could_be_answer(first, right, wanted, subject, capital=capital)
    if _hits(right, subject) >= needed and 0 < len(left) <= 4:
        rest = _rest(left, subject)
        return (
            bool(rest)
            and all(word.raw[0].isupper() for word in rest)
            and capital
            and wanted.isdisjoint(word.norm for word in rest)
        )
    return False


def _could_be_answer(first: Word, right: Sequence[Word], wanted: set[str], subject: frozenset[str], *, capital: bool) -> bool:
    if first.norm in wanted or stem(first.norm) in subject or first.norm in FUNCTION_WORDS | AUXILIARIES:
        return False
    return (
        first.raw[0].isupper()
        if capital
        else len(_rest(right, subject)) <= 1 and wanted.isdisjoint(word.norm for word in right)
    )


def _hits(words: Sequence[Word], subject: frozenset[str]) -> int:
    return len({stem(word.norm) for word in words} & subject)


def _rest(words: Sequence[Word], subject: frozenset[str]) -> list[Word]:
    return [word for word in words if word.norm not in FUNCTION_WORDS and stem(word.norm) not in subject]
