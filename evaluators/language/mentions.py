"""Where a text mentions a reference answer, and whether it asserts it there or dismisses it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from evaluators.language.clauses import Discourse, Word
from evaluators.language.number_words import spelled_numbers
from evaluators.language.patterns import phrases
from evaluators.language.stem import singular, spelling, stem
from evaluators.language.text import Token, tokens
from evaluators.language.vocabulary import ARTICLES, AUXILIARIES, FUNCTION_WORDS, NEGATIONS
from evaluators.language.wordlists import word_list, word_set

_ROMAN = dict(pair.split(":") for pair in word_list("II:2 III:3 IV:4 VI:6 VII:7 VIII:8 IX:9 XI:11 XII:12 XIV:14 XVI:16"))
_ABBREVIATED = {"mt": "mount", "st": "saint", "usa": "us", "uk": "uk", "dr": "doctor"}
_MODIFIERS = word_set(
    """
    north south east west northern southern eastern western new equatorial papua upper lower central
    """
)
_COMPOUNDS = word_set(
    """
    dioxide monoxide trioxide oxide peroxide chloride fluoride iodide bromide sulfide sulphide sulfate sulphate
    nitrate nitride carbonate hydroxide phosphate city
    """
)
_TITLES = word_set(
    """
    mr mrs ms dr doctor sir lord king queen president saint professor captain author poet playwright by is was
    """
)
_HARMLESS_NOT = word_set(
    """
    only just merely simply necessarily sure certain doubt question wonder surprise completely entirely totally
    """
)
_PREDICATES = word_set("correct right true answer it case so")
_SAID_WRONG = word_set("wrong incorrect false mistaken untrue")


class Mention(NamedTuple):
    """Words `start` to `end` (exclusive) of the discourse say the reference."""

    start: int
    end: int


@lru_cache(maxsize=20_000)
def canonical(word: str, raw: str = "") -> str:
    """A word in the form in which two mentions of a thing agree: digits for number words, one spelling, no abbreviation."""
    if raw in _ROMAN:
        return _ROMAN[raw]
    if not word.isdigit() and (number := next(spelled_numbers(word), None)):
        value = number[0]
        return f"{value:g}" if value.is_integer() else word
    if word[:-2].isdigit() and word[-2:] in {"st", "nd", "rd", "th"}:
        return word[:-2]
    return spelling(_ABBREVIATED.get(word, word))


def find_mentions(discourse: Discourse, reference: str, *, literal: bool = False, surname: bool = False) -> list[Mention]:
    """Every place where the text says the reference, word for word.

    Articles, case, diacritics, spelling variants and number words do not matter; nor does singular or plural, unless `literal`:
    then the reference must be said as it is written. With `surname`, the last word of a name is enough. A reference inside
    another name ("South Sudan", "Nigerian-born") or compound ("carbon dioxide") is not said; one that looks like a function
    word ("I", "He", "A") must stand by itself and in its case.
    """
    wanted = [(_form(token, literal), token.raw) for token in tokens(reference)]
    wanted = [pair for pair in wanted if pair[0] not in ARTICLES] or wanted
    if not wanted:
        return []
    words = discourse.words
    places, forms = _forms(discourse, literal, wanted[0][0] in ARTICLES)
    found = list(_runs([form for form, _ in wanted], forms, places, literal))
    found = [mention for mention in found if _stands_alone(words, mention, [raw for _, raw in wanted])]
    if surname and not found and len(wanted) > 1:
        last = wanted[-1]
        found = [each for each in _runs([last[0]], forms, places, literal) if _is_that_name(words, each, wanted)]
    return found


def _form(word: Token | Word, literal: bool) -> str:
    return word.raw.casefold() if literal else canonical(word.norm, word.raw)


@lru_cache(maxsize=64)
def _forms(discourse: Discourse, literal: bool, with_articles: bool) -> tuple[tuple[int, ...], list[str]]:
    """The places of the words that count, and their comparable forms."""
    words = discourse.words
    places = tuple(place for place, word in enumerate(words) if with_articles or word.norm not in ARTICLES)
    return places, _comparable([_form(words[place], literal) for place in places], literal)


def _comparable(forms: list[str], literal: bool) -> list[str]:
    return forms if literal else [singular(form) for form in forms]


def _runs(wanted: list[str], forms: list[str], places: Sequence[int], literal: bool) -> Iterator[Mention]:
    wanted = _comparable(wanted, literal)
    for first in range(len(forms) - len(wanted) + 1):
        if forms[first] == wanted[0] and forms[first : first + len(wanted)] == wanted:
            yield Mention(places[first], places[first + len(wanted) - 1] + 1)


def _stands_alone(words: tuple[Word, ...], mention: Mention, raws: list[str]) -> bool:
    first, last = words[mention.start], words[mention.end - 1]
    before = words[mention.start - 1] if mention.start else None
    after = words[mention.end] if mention.end < len(words) else None
    if first.joined or (after is not None and after.joined):
        return False
    if (
        len(raws) == 1
        and _looks_like_function_word(raws[0])
        and not (len(words) == 1 or _set_off(before, first, last, raws[0]))
    ):
        return False
    if (
        raws[0][0].isupper()
        and before is not None
        and not before.closed
        and before.norm in _MODIFIERS
        and before.raw[0].isupper()
    ):
        return False
    return not (
        after is not None and not last.closed and after.norm in _COMPOUNDS and (after.norm != "city" or after.raw[0].isupper())
    )


def _looks_like_function_word(raw: str) -> bool:
    return raw.isalpha() and (len(raw) == 1 or (len(raw) == 2 and raw.casefold() in FUNCTION_WORDS))


def _set_off(before: Word | None, first: Word, last: Word, raw: str) -> bool:
    if first.raw != raw:
        return False
    introduced = before is not None and before.norm in {"is", "letter", "option", "answer", "symbol", "was", "choice", "with"}
    return last.closed or first.opened or introduced


def _is_that_name(words: tuple[Word, ...], mention: Mention, wanted: list[tuple[str, str]]) -> bool:
    if not words[mention.start].raw[0].isupper() and len(words) > 1:
        return False
    before = words[mention.start - 1] if mention.start else None
    if (
        before is None
        or before.closed
        or not before.raw[0].isupper()
        or before.norm in _TITLES
        or before.norm in FUNCTION_WORDS
    ):
        return True
    return any(form.startswith(before.norm) for form, _ in wanted)


def is_asserted(
    discourse: Discourse, mention: Mention, about: frozenset[str], *, negative_question: bool = False, comparison: bool = False
) -> bool:
    """Whether the text says at that place that the reference is the answer.

    Args:
        discourse: the text.
        mention: where the reference is said.
        about: stems of what the instruction is about; "Paris is not the capital" negates, "Paris is not far away" does not.
        negative_question: whether the instruction itself asks what is *not* so.
        comparison: whether two things are compared: then "smaller than the Sun" does not dismiss the Sun.
    """
    first = discourse.words[mention.start]
    before = [word.norm for word in discourse.words[max(0, mention.start - 40) : mention.start] if word.clause == first.clause]
    after = [word.norm for word in discourse.words[mention.end : mention.end + 12] if word.clause == first.clause]
    if discourse.asks(first.sentence) and first.sentence + 1 < len(discourse.sentences):
        return False
    if not negative_question and (_denied_before(before) or _denied_after(after or _resumed(discourse, mention), about)):
        return False
    return not _dismissed(before, comparison)


def _denied_before(before: list[str]) -> bool:
    found = [
        norm
        for place, norm in enumerate(before)
        if norm in NEGATIONS and not (set(before[place + 1 : place + 4]) & _HARMLESS_NOT)
    ]
    return len(found) % 2 == 1


def _dismissed(before: list[str], comparison: bool) -> bool:
    text = " ".join(before)
    rescues, dismissals = phrases("replies")["rescue"], phrases("replies")["dismissal"]
    rescued = rescues[0].regex.sub(" ", text)
    match = next(iter(list(dismissals[0].regex.finditer(rescued))[-1:]), None)
    if match is None or (comparison and match[0].endswith("than")):
        return False
    near = match[0] in {"near", "outside", "than", "more than", "less than", "fewer than", "close to", "next to"}
    return not near or len(rescued[match.end() :].split()) <= 3


def _denied_after(after: list[str], about: frozenset[str]) -> bool:
    if not after or after[0] not in AUXILIARIES:
        return False
    if _SAID_WRONG & set(after[1:3]):
        return True
    place = next((place for place, norm in enumerate(after[1:3], start=1) if norm in {"not", "never", "no"}), None)
    if place is None or (after[place + 1 : place + 2] and after[place + 1] in _HARMLESS_NOT):
        return False
    rest = [norm for norm in after[place + 1 :] if norm not in FUNCTION_WORDS or norm in _PREDICATES]
    return not rest or any(norm in _PREDICATES or stem(norm) in about for norm in rest)


def _resumed(discourse: Discourse, mention: Mention) -> list[str]:
    """What the sentence goes on to say after an insertion: "Paris, however, is not it". A tag question says nothing."""
    sentence = discourse.words[mention.start].sentence
    following = [word for word in discourse.words[mention.end : mention.end + 14] if word.sentence == sentence]
    text = discourse.sentences[sentence]
    for place, word in enumerate(following[:4]):
        new_clause = place == 0 or following[place - 1].clause != word.clause
        if new_clause and word.norm in AUXILIARIES and not text.rstrip().endswith("?"):
            return [each.norm for each in following[place:]]
    return []
