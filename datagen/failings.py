"""What an answer must not look like: a refusal, a template with a gap, debris of a prompt. Not the rules of the criteria."""

from __future__ import annotations

import re

from datagen.cleaning import MARKER, NEW_PROMPT

_CANNOT = (
    r"(?:i|we)(?: (?:simply|really|just|also))?\s*(?:can(?:no|['’])?t|can not|won['’]?t|will not|refuse"
    r"|would (?:prefer|rather) not|['’]d rather not|(?:must|have to|need to|will) decline|(?:am|['’]m|feel) (?:not able|unable)"
    r"|(?:am|['’]m) not (?:in a position|allowed|permitted|comfortable|willing|going)|(?:do not|don['’]t) feel)"
)
_TO_HELP = (
    r"(?:help|assist|answer|provid|complet|finish|discuss|writ|respon[ds]|giv|offer|fulfil|say|tell|shar|comply|continu|comment|speak"
    r"|talk|deal|work|produc|address|tak|go into|do (?:that|this|it|so))\w*"
)


def _any_of(*patterns: str, flags: re.RegexFlag = re.IGNORECASE) -> re.Pattern[str]:
    return re.compile("|".join(patterns), flags)


_REFUSAL = _any_of(
    rf"\b{_CANNOT}\b[^.!?\n]{{0,60}}\b{_TO_HELP}\b",
    r"\b(?:sorry|afraid|apolog\w+)\b[^.!?\n]{0,30}\b(?:i|we)\b[^.!?\n]{0,12}\b(?:can(?:no|['’])?t|unable|not able|won['’]?t)\b",
    r"\bas an? (?:ai|artificial|language model|assistant)\b",
    r"\bi (?:really |simply )?(?:do not|don['’]t) (?:know|have (?:the|an|any|enough|access))\b",
    r"\bi have no idea\b",
    r"\blook (?:it|that|this) up\b",
    r"\b(?:consult|ask) (?:an expert|a professional|a specialist|someone else|a teacher)\b",
)
_PLACEHOLDER = _any_of(
    r"\[(?:your|the|an?|insert|name|answer|response|city|country|date|text|number|example|placeholder|blank|word|item|xx+)\b[^\]\n]{0,60}\]",
    r"<(?:your|insert|name|answer|response|text|placeholder|blank|fill)\b[^>\n]{0,60}>",
    r"\{\{?\s*[a-z_ ]{1,40}\s*\}?\}",
    r"_{3,}",
    r"\blorem ipsum\b",
    r"\b(?:TODO|TBD|FIXME)\b",
    r"\byour (?:answer|response|text) here\b",
    r"\binsert [a-z ]{1,30} here\b",
)
_MARKUP = _any_of(
    r"</?[a-z][a-z0-9]*(?:\s[^<>\n]*)?>",
    r"^[ \t]*\|.*\|",
    r"\\[a-z]+\{",
    r"^[ \t]*[{\[]\s*\"",
    r"&(?:amp|nbsp|lt|gt|quot);",
    flags=re.IGNORECASE | re.MULTILINE,
)


def is_refusal(text: str) -> bool:
    """Whether a text refuses, says that it does not know, or sends the asker elsewhere."""
    return _REFUSAL.search(text) is not None


def has_placeholder(text: str) -> bool:
    """Whether a template's gap was left open: "[your name]", "___", "TODO"."""
    return _PLACEHOLDER.search(text) is not None


def has_artefact(text: str) -> bool:
    """Whether a text shows the scaffolding of a prompt, an open gap or fence, or debris of markup."""
    half_open = text.count("```") % 2 == 1 or text.count("**") % 2 == 1
    return half_open or any(pattern.search(text) for pattern in (NEW_PROMPT, MARKER, _PLACEHOLDER, _MARKUP))
