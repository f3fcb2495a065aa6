"""Text made comparable: folded characters, tokens, counted words."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from evaluators.language.wordlists import word_list

_SINGLE = {
    **dict.fromkeys("’‘ʼ`", "'"),
    **dict.fromkeys("“”„«»", '"'),
    **dict.fromkeys("−‐‑–", "-"),
    **dict.fromkeys("⁄∕÷", "/"),
    **dict(pair.split(":") for pair in word_list("×:x …:... ø:o Ø:O ł:l Ł:L đ:d Đ:D ı:i æ:ae Æ:AE œ:oe Œ:OE")),
}
_PLAIN = str.maketrans(_SINGLE)
_SUPERSCRIPT_DIGITS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_SUPERSCRIPTS = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+")
_VULGAR_FRACTION = re.compile("(?<=\\d)(?=[¼½¾⅐-⅞])")
_COMBINING = re.compile("[\u0300-\u036f]")
_TOKEN = re.compile(r"(?<!\w)(?:[A-Za-z]\.){2,}|[^\W_]+(?:'[^\W\d_]+)?")
_SPOKEN_NOT = {"cannot": ("can", "not"), "can't": ("can", "not"), "won't": ("will", "not"), "shan't": ("shall", "not"),
               "ain't": ("is", "not")}  # fmt: skip
_CONTRACTED = {"'s": "is", "'re": "are", "'m": "am", "'ve": "have", "'ll": "will", "'d": "would"}
_PRONOUNS_BEFORE_S = {"it", "that", "he", "she", "what", "who", "where", "there", "here", "this", "how", "let"}
_QUOTED = re.compile(r'"[^"]{1,400}"')
_ALPHANUMERIC = re.compile(r"[^\W_]")
_DASHES = re.compile("[—―]|(?<=\\w)--(?=\\w)")
_ENUMERATOR = re.compile(r"^[ \t]*(?:\(?\d{1,3}[.)]|\(?[a-zA-Z][.)]|[-*•‣▪–])(?=\s)", re.MULTILINE)


class Token(NamedTuple):
    """A word in comparable form, and where it stands in the text it was read from."""

    norm: str
    raw: str
    start: int
    end: int


def plain(text: str) -> str:
    """The text in plain characters: compatibility forms resolved, typographic quotes and dashes made simple; case is kept."""
    if text.isascii():
        return text
    text = _VULGAR_FRACTION.sub(" ", text)
    text = _SUPERSCRIPTS.sub(lambda run: "^" + run[0].translate(_SUPERSCRIPT_DIGITS), text)
    text = unicodedata.normalize("NFKC", text).translate(_PLAIN)
    return unicodedata.normalize("NFC", _COMBINING.sub("", unicodedata.normalize("NFD", text)))


def fold(text: str) -> str:
    """Plain characters in lower case: what two spellings of the same word have in common."""
    return plain(text).casefold()


@lru_cache(maxsize=1024)
def tokens(text: str) -> tuple[Token, ...]:
    """The words of a text, contractions opened: "isn't" is `is`, `not`; a possessive loses its 's."""
    found: list[Token] = []
    source = plain(text)
    for match in _TOKEN.finditer(source):
        raw, start, end = match[0], match.start(), match.end()
        folded = raw.casefold()
        if folded.isalnum() and folded not in _SPOKEN_NOT:
            found.append(Token(folded, raw, start, end))
        else:
            found.extend(Token(norm, raw, start, end) for norm in _open(folded))
    return tuple(found)


def _open(word: str) -> tuple[str, ...]:
    if "." in word:
        return (word.replace(".", ""),)
    if word in _SPOKEN_NOT:
        return _SPOKEN_NOT[word]
    if "'" not in word:
        return (word,)
    if word.endswith("n't"):
        return word[:-3], "not"
    head, _, tail = word.partition("'")
    if tail == "s" and head not in _PRONOUNS_BEFORE_S:
        return (head,)
    meaning = _CONTRACTED.get("'" + tail)
    return (head, meaning) if meaning else (head, tail)


@lru_cache(maxsize=4096)
def norms(text: str) -> tuple[str, ...]:
    """The comparable forms of the words of a (short, often repeated) text."""
    return tuple(token.norm for token in tokens(text))


@lru_cache(maxsize=1024)
def counted_words(text: str) -> tuple[str, ...]:
    """The words as a person counts them: split at blanks and long dashes; hyphenated words, numbers and "e.g." are one each.

    List numbers and bullets at the start of a line are not words, nor is what holds neither letter nor digit.
    """
    text = _DASHES.sub(" ", _ENUMERATOR.sub(" ", text))
    return tuple(word for word in text.split() if word.isalnum() or has_words(word))


def without_speech(text: str) -> str:
    """A narrative without what its characters say in quotation marks; a text that is all quotation comes back whole."""
    source = plain(text)
    told = _QUOTED.sub(" ", source)
    return told if len(counted_words(told)) >= 2 else source


def has_words(text: str) -> bool:
    """Whether there is any letter or digit at all."""
    return _ALPHANUMERIC.search(text) is not None
