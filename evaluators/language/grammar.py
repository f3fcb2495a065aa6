"""Signs that words do not form language: word salad, and endings in mid-sentence."""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

from evaluators.language.sentences import sentences
from evaluators.language.text import Token, counted_words, tokens
from evaluators.language.vocabulary import ARTICLES, FUNCTION_WORDS
from evaluators.language.wordlists import word_set

_DETERMINERS = ARTICLES | word_set("my your our their every")
_CANNOT_FOLLOW_DETERMINER = (
    ARTICLES
    | word_set(
    """
    my your our their his its every is are was were be been am do does did has have had can could will would shall
    should may might must and or but of in at by with from to into onto because if although than i he she we they us
    him them not never if
    """
)
) - word_set("will can may might must have down own")  # fmt: skip
_PREPOSITION = word_set("of at by with from into onto upon toward towards among between")
_CANNOT_FOLLOW_PREPOSITION = word_set(
    """
    is are was were am be does did has have had can could will would should and or but he she i we they
    """
)
_CANNOT_END = (
    _DETERMINERS
    | word_set(
        """
    and or but nor because although while whereas if unless to of with from into onto upon by at than very his its whose
    """
    )
    | word_set("is are was were am he she they we")
)
_LONG = 7
_HARDLY_ENDS = word_set(
    "in on for about between except during against through which who whose where when that one two three a an"
)
"""Words with which a sentence of some length does not end, unless a full stop says so."""
_MAY_END_AFTER_PRONOUN = word_set("is are was were am by of with from at")
_PRONOUNS = word_set("i you he she it we they there this that these those what who where how")
_END_PUNCTUATION = re.compile(r"""[.!?…。！？]["'”’»)\]*_`}\s]*$|[)\]"”’»}`*]\s*$""")
_DANGLING = re.compile(r"[,;:\-–—(/&+=]\s*$|(?<!\.)\.\.\s*$")


def is_salad(text: str) -> bool:
    """Whether function words come in orders that no sentence has ("the of", "of is the"), pile up, or never come."""
    words = [token.norm for token in tokens(text)]
    if len(words) < 4:
        return False
    faults = [fault for first, second in _neighbours(text) if (fault := _impossible(first, second))]
    if sum(faults) >= 4 or (2 in faults and len(words) <= 16 and not _is_listed(text)):
        return True
    function = sum(word in FUNCTION_WORDS for word in words)
    return _bare_words(text, words) or (len(words) >= 10 and function / len(words) > 0.85)


def _neighbours(text: str) -> list[tuple[Token, Token]]:
    """Words that follow each other with nothing but a blank between them."""
    found = tokens(text)
    pairs = pairwise(found)
    return [(first, second) for first, second in pairs if second.start - first.end == 1]


def _impossible(first: Token, second: Token) -> int:
    """How bad the order is: 2 for a determiner before what is no noun phrase, 1 for a preposition before a verb, else 0."""
    if (len(first.raw) == 1 and first.raw.isupper()) or (second.raw.isupper() and second.norm != "i"):
        return 0
    if first.norm in _DETERMINERS and second.norm in _CANNOT_FOLLOW_DETERMINER:
        return 2
    return int(first.norm in _PREPOSITION and second.norm in _CANNOT_FOLLOW_PREPOSITION)


def _bare_words(text: str, words: list[str]) -> bool:
    """Ten or more lower-case words in a row without a function word, a comma or an inflected verb: a heap, not a sentence."""
    if len(words) < 10 or _is_listed(text) or any(word in FUNCTION_WORDS for word in words):
        return False
    return not any(word.endswith(("s", "ed", "ing")) for word in words)


def _is_listed(text: str) -> bool:
    return text.count(",") + text.count("\n") + text.count(";") >= 2


def breaks_off(text: str, hit_token_limit: bool) -> bool:
    """Whether the text ends in mid-sentence.

    It does where it ends with a comma, a colon, an opening, or a word that needs another one ("because the"). Where the token
    limit cut it off, it also does when its last sentence has more than three words and no end punctuation.
    """
    text = text.rstrip()
    if not text or _END_PUNCTUATION.search(text):
        return bool(re.search(r"[(\[{]\s*[)\]}]?$", text[-2:])) and text[-1] in "([{"
    if _DANGLING.search(text) and len(counted_words(text)) > 0:
        return not re.search(r"(?:^|\s)[:;]-?[()]$", text)
    words = [token.norm for token in tokens(text)]
    if len(words) >= _LONG and words[-1] in _HARDLY_ENDS:
        return True
    if len(words) > 2 and words[-1] in _CANNOT_END and not (words[-1] in _MAY_END_AFTER_PRONOUN and words[-2] in _PRONOUNS):
        return True
    return hit_token_limit and _unfinished(text)


def _unfinished(text: str) -> bool:
    *before, last = sentences(text) or [""]
    begun = any(each.rstrip().endswith((".", "!", "?")) for each in before)
    return (begun or len(counted_words(last)) > 3) and not unicodedata.category(text[-1]).startswith("S")


def scripts(text: str) -> set[str]:
    """The writing systems of the text's letters, by the first word of their Unicode names: LATIN, CYRILLIC, CJK, ..."""
    return {unicodedata.name(letter, "?").split()[0] for letter in set(text) if letter.isalpha()}
