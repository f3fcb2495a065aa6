"""Whether a text, as an answer, agrees with one of the reference answers: it asserts it, and takes nothing of that back."""

from __future__ import annotations

import re
from collections.abc import Sequence

from evaluators.language.amounts import gives_amount, rival_amount
from evaluators.language.clauses import Discourse
from evaluators.language.contradiction import contradicts
from evaluators.language.lists import list_readings
from evaluators.language.mentions import Mention, canonical, find_mentions, is_asserted
from evaluators.language.numbers import sole_quantity
from evaluators.language.polarity import read_polarity
from evaluators.language.request import Request
from evaluators.language.stem import singular, stem
from evaluators.language.text import fold, norms, plain, tokens
from evaluators.language.vocabulary import ARTICLES, NEGATIONS, content_words

_YES_NO = {"yes": True, "true": True, "no": False, "false": False}
_OUTER = re.compile(
    r"^(?:mount|mt|mt\.|river|lake|planet|the)\s+|\s+(?:ocean|river|desert|mountains|islands|rainforest)$", re.IGNORECASE
)
_IN_BRACKETS = re.compile(r"\s*\(([^()]+)\)\s*")
_LONG = 4
"""Content words from which a reference is a sentence to agree with in substance, not a name to be said word for word."""


def agrees(
    discourse: Discourse, references: Sequence[str], request: Request, *, is_list: bool = False, n: int | None = None
) -> bool:
    """Whether the text gives one of the reference answers, and neither negates nor contradicts it.

    Args:
        discourse: the answer.
        references: the accepted answers; one that lists several things ("red, yellow, and blue") wants all of them. Where the
            instruction asks for a list, references of one thing each are the things that may be listed.
        request: the instruction.
        is_list: whether the instruction asks for a list.
        n: how many items it asks for.
    """
    polarity = {_YES_NO.get(" ".join(norms(reference))) for reference in references}
    if None not in polarity and len(polarity) == 1:
        said = read_polarity(discourse, request.subject)
        return said.value in polarity and not said.contradictory
    variants = [variant for reference in references for variant in _variants(reference)]
    if is_list and len(references) > 1 and not any(_several(reference) for reference in references):
        return _lists_only(discourse, references, request, n)
    asserted = [mention for variant in variants for mention in assertions(discourse, variant, request)]
    if asserted:
        return not contradicts(discourse, asserted, variants, request) and not _rival_number(discourse, references, request)
    if any(find_mentions(discourse, variant) for variant in variants):
        return False
    return any(_says_all(discourse, reference, request) or _in_substance(discourse, reference) for reference in references)


def assertions(discourse: Discourse, reference: str, request: Request) -> list[Mention]:
    """Where the text asserts the reference."""
    literal = _only_form_matters(reference, request)
    found = find_mentions(discourse, reference, literal=literal, surname=request.answer_type == "person")
    if sole_quantity(reference) is not None and not literal:
        spans = gives_amount(discourse.text, reference, request.text)
        found = [mention for span in spans if (mention := _at(discourse, span)) is not None]
    elif not found and _squashed(reference) == _squashed(discourse.text):
        found = [Mention(0, len(discourse.words))]
    negative = not NEGATIONS.isdisjoint(request.words)
    return [
        each
        for each in found
        if is_asserted(discourse, each, request.subject, negative_question=negative, comparison=request.choice is not None)
    ]


def _variants(reference: str) -> list[str]:
    """The reference, and what it may also be called: without a bracket, its alternatives, without `Mount` or `Ocean`."""
    bare = _IN_BRACKETS.sub(" ", reference).strip()
    inner = _IN_BRACKETS.findall(reference)
    parts = [part for whole in (bare, *inner) for part in re.split(r"\s+or\s+|(?<=[a-z])/(?=[a-z]{2})", whole)]
    shorter = [cut for part in parts if (cut := _OUTER.sub("", part).strip()) and cut[0].isupper()]
    return list(dict.fromkeys([reference, bare, *parts, *shorter]))


def _only_form_matters(reference: str, request: Request) -> bool:
    """Whether the question gives the word in another form ("the plural of cat", "11 in Roman numerals"): the form counts."""
    words = [token for token in tokens(reference) if token.norm not in ARTICLES]
    if words and all(singular(word.norm) in request.words or stem(word.norm) in request.subject for word in words):
        return True
    given = {canonical(token.norm, token.raw) for token in tokens(request.text)}
    forms = [canonical(word.norm, word.raw) for word in words]
    return all(form in given for form in forms) and any(form != word.norm for form, word in zip(forms, words, strict=True))


def _at(discourse: Discourse, span: tuple[int, int]) -> Mention | None:
    """The words at these offsets of the plain text; by counting, since sentences keep the order of the words."""
    counted = len(Discourse(plain(discourse.text)[: span[0]]).words)
    inside = len(Discourse(plain(discourse.text)[span[0] : span[1]]).words)
    end = min(counted + max(inside, 1), len(discourse.words))
    return Mention(counted, end) if counted < end else None


def _squashed(text: str) -> str:
    return re.sub(r"[\W_]+", "", re.sub(r"^(?:an?|the) ", "", fold(text).strip()))


def _several(reference: str) -> tuple[str, ...]:
    parts = [part.strip() for part in re.split(r",\s*(?:and\s+|or\s+)?|\s+and\s+|;\s*|\n", reference) if part.strip()]
    return tuple(parts) if len(parts) > 1 else ()


def _says_all(discourse: Discourse, reference: str, request: Request) -> bool:
    parts = _several(reference)
    return bool(parts) and all(assertions(discourse, part, request) for part in parts)


def _lists_only(discourse: Discourse, references: Sequence[str], request: Request, n: int | None) -> bool:
    """Whether every item of the list is a reference; read as n items where that can be done, else as finely as it can."""
    readings = sorted(
        list_readings(discourse.text, request.prose_items), key=lambda reading: (len(reading) != n, -len(reading))
    )
    if not readings:
        return False
    items = [Discourse(item) for item in readings[0]]
    return all(any(assertions(item, reference, request) for reference in references) for item in items)


def _rival_number(discourse: Discourse, references: Sequence[str], request: Request) -> bool:
    numeric = [reference for reference in references if sole_quantity(reference) is not None]
    return bool(numeric) and all(rival_amount(discourse.text, reference, request.text) for reference in numeric)


def _in_substance(discourse: Discourse, reference: str) -> bool:
    """Whether a sentence-long reference is said in other words: three fifths of its content words, and negated as it is."""
    wanted = {stem(word) for word in content_words(norms(reference))}
    if len(wanted) < 2 or sole_quantity(reference) is not None or len(_several(reference)) * 3 > len(norms(reference)):
        return False
    said = [word.norm for word in discourse.words]
    given = {stem(word) for word in said if word not in ARTICLES}
    shared = len(wanted & given)
    enough = shared * 5 >= len(wanted) * 3 if len(wanted) >= _LONG else shared == len(wanted)
    negated = sum(word in NEGATIONS for word in norms(reference)) % 2, sum(word in NEGATIONS for word in said) % 2
    return enough and negated[0] == negated[1]
