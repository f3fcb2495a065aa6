"""Prompt scaffolding in a response: labels such as `Instruction:` or `User:`, and the tokens of chat templates."""

from __future__ import annotations

import re
from typing import NamedTuple

from evaluators.language.wordlists import word_set

_LABELS = (
    "instruction|instructions|response|question|user|human|assistant|system|prompt|input|output|q|a|ai|bot|chatgpt|problem|task"
)
_LABEL = re.compile(
    rf"(?:^|\n)[ \t]*(?:[#>*_\-]+[ \t]*)?(?P<line>{_LABELS})[ \t]?(?:\d{{1,3}})?[ \t]*(?:\*\*|__)?[ \t]*:(?!//)"
    r"|(?:^|\n)[ \t]*#{1,6}[ \t]*(?P<heading>instruction|response|input|output|question|user|assistant|human)s?[ \t]*(?=\n|$)"
    r"|(?P<case>\b(?:Instruction|INSTRUCTION|Response|Question|User|Human|Assistant|Q))[ \t]?(?:\d{1,3})?:(?=\s|$)",
    re.IGNORECASE,
)
_TEMPLATE = re.compile(
    r"<\|[^|<>\n]{1,40}\|>|</?s>|\[/?INST\]|<</?SYS>>|</?(?:start_of_turn|end_of_turn|bos|eos|pad|unk|mask|think|im_start|im_end|"
    r"endoftext|sep|cls|extra_id_\d+|system|user|assistant)>|\[/?(?:PAD|CLS|SEP|EOS|BOS|UNK|MASK|EOT)\]|<0x[0-9A-Fa-f]{2}>|[ĠĊ▁]\w"
    r"|<｜[^<>\n]{1,40}｜>|\|endoftext\||<\|",
    re.IGNORECASE,
)
_IN_TEMPLATES = "<[|ĠĊġċ▁"
"""One of these is in every such token."""
_ALWAYS = frozenset({"instruction", "instructions", "response"})
_LEADING_ONLY_A = frozenset({"a", "ai", "bot"})
_AT_LINE_START = word_set("question user human assistant q") | _ALWAYS
_TASK_LABELS = word_set("problem task input output prompt system")
_SENTENCE_END = frozenset(".!?\"')*\n")


class Label(NamedTuple):
    """A scaffolding label in a response."""

    name: str
    start: int
    end: int
    opens_turn: bool
    """It asks for something new (`Instruction:`, `Q:`, `User:`), and does not merely announce an answer."""


def prompt_labels(text: str) -> list[Label]:
    """The scaffolding labels of a text, in order: at the start of a line, or with a capital after the end of a sentence."""
    if ":" not in text and "#" not in text:
        return []
    found = [label for match in _LABEL.finditer(text) if (label := _label(text, match))]
    names = {label.name for label in found}
    if "b" not in names and not names & (_AT_LINE_START | _TASK_LABELS) and len(found) > 1:
        return []  # "A: apple" with other letters is a list of letters
    return found


def _label(text: str, match: re.Match[str]) -> Label | None:
    name = (match["line"] or match["heading"] or match["case"]).casefold()
    if match["case"] and not _is_label_in_line(text, match, name):
        return None
    if name == "a" and (match.start() > 0 or re.search(r"\n[ \t]*[Bb][ \t]*:", text)) and not re.search(r"\bQ\s?\d*:", text):
        return None
    start = match.start() + len(match[0]) - len(match[0].lstrip())
    return Label(name, start, match.end(), opens_turn=name not in {"response", "assistant", "output", *_LEADING_ONLY_A})


def _is_label_in_line(text: str, match: re.Match[str], name: str) -> bool:
    if not match["case"][0].isupper():
        return False
    before = text[: match.start()].rstrip(" \t")
    return not before or name in {"instruction", "q"} or before[-1] in _SENTENCE_END


def template_tokens(text: str) -> list[str]:
    """The chat-template and tokenizer tokens that leaked into a text."""
    return [match[0] for match in _TEMPLATE.finditer(text)] if any(sign in text for sign in _IN_TEMPLATES) else []
