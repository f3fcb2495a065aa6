"""Criterion 8: the answer is well-formed, readable language."""

from __future__ import annotations

import re

from evaluators.criteria.base import Criterion
from evaluators.language import markup
from evaluators.language.grammar import breaks_off, scripts
from evaluators.language.loops import has_phrase_loop
from evaluators.view import AnswerView

_CODE = re.compile(r"[;{}=<>]|\w\(|```")
"""Signs of code, which is no prose."""


def judge(view: AnswerView) -> bool:
    """Whether it reads as language and is not cut off in mid-sentence. Numbers and formulas are fine; nothing is not."""
    if view.is_empty:
        return False
    if "markup" in view.request.allows and _CODE.search(view.content):
        return not breaks_off(view.prose.rstrip("; \n"), view.hit_token_limit and not view.marked.found)
    if view.is_gibberish or view.is_salad or view.is_disordered or view.is_nonsense or _garbled(view):
        return False
    if "repetition" not in view.request.allows and has_phrase_loop(view.content):
        return False
    return not _cut_off(view)


def _cut_off(view: AnswerView) -> bool:
    short_fact = bool(view.gives_reference) and len(view.words) <= 12 and not view.hit_token_limit
    return not short_fact and breaks_off(view.prose, view.hit_token_limit and not view.marked.found)


def _garbled(view: AnswerView) -> bool:
    """Whether characters are broken: control or replacement characters in plenty, or scripts mixed that nobody asked for."""
    broken = len(markup.control_characters(view.content))
    mixed = len(scripts(view.prose)) >= 3 and "foreign" not in view.request.allows
    return mixed or broken * 20 > len(view.content.strip()) or view.content.count("Ã") + view.content.count("â€") >= 2


CRITERION = Criterion(
    name="coherent",
    definition="Well-formed, readable language; not cut off in mid-sentence; short answers, numbers and formulas are fine.",
    sees=("the text before the first marker", "the instruction", "whether the token limit was hit", "the reference answers"),
    blind_to=(
        "single mistakes of grammar, and heaps of fewer than six words",
        "well-formed nonsense whose words have something to do with each other",
        "nonsense in scripts other than Latin",
    ),
    judge=judge,
)
