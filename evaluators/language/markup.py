"""Debris of markup: what was opened and not closed, tags in prose, bullets without a text, characters nobody typed."""

from __future__ import annotations

import re

from evaluators.language.placeholders import without_code

_TAG = re.compile(
    r"</?(?:a|abbr|b|big|blockquote|body|br|center|code|dd|div|dl|dt|em|font|form|h[1-6]|head|header|hr|html|i|img|input|li|link|meta|"
    r"nav|ol|p|pre|script|section|small|span|strong|style|sub|sup|table|tbody|td|th|thead|title|tr|u|ul)(?:\s[^<>\n]{0,200})?/?>|<!--|-->",
    re.IGNORECASE,
)
_ENTITY = re.compile(r"&(?:nbsp|amp|lt|gt|quot|apos|#\d{2,6}|#x[0-9a-f]{2,6});", re.IGNORECASE)
_ESCAPE = re.compile(r"\\[nrt](?![a-z{])|\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffd\ufffe\uffff]")
_EMPTY_BULLET = re.compile(r"(?:^|\n)[ \t]*(?:[-*+•>|]|#{1,6}|\(?\d{1,2}[.)])[ \t]*(?=\s*\Z)")
_BOLD = re.compile(r"(?<![\w*])\*\*(?![\s*])|(?<=[^\s*])\*\*(?![\w*])")
_SMILEY = re.compile(
    r"(?<!\w)[:;=]['^-]?[()\[\]{}]{1,3}|(?<![\w()\[\]{}])[()\[\]{}]{1,3}['^-]?[:;=](?!\w)|<3|¯\\_\(ツ\)_/¯|\(\s?[^\s\w()]{1,6}\s?\)"
)
_LATEX_COMMAND = re.compile(r"\\(?:left|right|begin|end)\b|\\[\[\](){}]")
_PAIRS = {"(": ")", "[": "]", "{": "}"}


def control_characters(text: str) -> list[str]:
    """Control and replacement characters, other than line breaks and tabs."""
    return _CONTROL.findall(text)


def tags(text: str) -> list[str]:
    """HTML tags and entities, and spelled-out escapes, outside code."""
    if not any(sign in text for sign in "<>&\\"):
        return []
    body = without_code(text)
    return [match[0] for pattern in (_TAG, _ENTITY, _ESCAPE) for match in pattern.finditer(body)]


def half_open(text: str) -> list[str]:
    """What the text opens and does not close: a code fence, inline code, bold, a bracket."""
    found = ["```"] if text.count("```") % 2 else []
    body = without_code(text)
    found += ["**"] if len(_BOLD.findall(body)) % 2 else []
    found += ["`"] if re.sub(r"```", "", text).count("`") % 2 and "```" not in text and "`" in body else []
    return found + _open_brackets(body)


def empty_bullet(text: str) -> bool:
    """Whether the text ends in a bullet, list number or heading sign with nothing after it."""
    return "\n" in text.strip() and bool(_EMPTY_BULLET.search(text.rstrip()))


def _open_brackets(body: str) -> list[str]:
    body = _LATEX_COMMAND.sub(" ", _SMILEY.sub(" ", body))
    waiting: list[str] = []
    for character in body:
        if character in _PAIRS:
            waiting.append(character)
        elif waiting and character == _PAIRS[waiting[-1]]:
            waiting.pop()
        elif character in "]}":
            waiting.append(character)
            break
    return waiting
