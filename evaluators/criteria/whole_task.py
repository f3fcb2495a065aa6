"""Whether an answer does all that was asked, instead of a part of it, a promise of it or a talk about it."""

from __future__ import annotations

import re

from evaluators.language.lists import is_announcement, list_readings
from evaluators.language.patterns import says, spoken
from evaluators.language.text import norms
from evaluators.view import AnswerView

_TWO_THINGS = re.compile(
    r"^(?:please )?(?:name|give|list|tell|suggest|state|mention|what (?:is|are))\b(?: me)?[^.?!,]{0,30}?\b"
    r"(?:an?|one|the|its|their) (?:[\w'-]+ ){1,3}and (?:an?|one|the|its|their) [\w'-]+"
)
_OF_BOTH = re.compile(r"\b(?:of|for|in|from) (?:the )?([A-Z][\w-]+) and (?:of |for |in |from )?(?:the )?([A-Z][\w-]+)")
_AND_WHY = re.compile(r"\b(?:and|then) (?:\w+ ){0,3}?(?:why|how|give (?:a|one|your) reason|explain)\b")
_LETTER = re.compile(r"\b(?:start|begin)\w* with (?:the letter |an? )?[\"']?([a-z])[\"']?(?=[\s.,?!]|$)")
_HOW_DO_I = re.compile(r"^(?:\w+,? )?how (?:do|can|could|should|would|to)\b(?: (?:i|you|we|one|people))?")
_ADVISES = re.compile(
    r"\b(?:you|your|by|try|use|using|should|can|could|must|need|needs|helps?|first|then|with|avoid|let|not|best|way|just|simply|to)\b"
)
_STATES = re.compile(
    r"^\W*(?:(?:the|an?|this|these|most|many|some|all) )?(?:[\w'-]+ ){1,4}?(?:is|are|was|were|has|have|had|comes?|came)\b"
)
_REASON_WORDS = 4


def does_the_whole_task(view: AnswerView) -> bool:
    """Whether nothing that was asked for in so many words is left out, and it is done rather than announced."""
    asked = spoken(view.instruction)
    return not (
        _only_promises(view)
        or _talks_about_the_form(view)
        or _leaves_one_out(view, asked)
        or _leaves_the_reason_out(view, asked)
        or _has_another_letter(view, asked)
        or _gives_no_way(view, asked)
    )


def _only_promises(view: AnswerView) -> bool:
    """Whether the task is announced and not done: "Sure, I will write that poem for you."."""
    if view.kind == "response" or "dialogue" in view.request.allows:
        return False
    return all(says(each, "replies", "promise") or is_announcement(each) for each in view.sentences)


def _talks_about_the_form(view: AnswerView) -> bool:
    """Whether it says what a haiku is where one was to be written."""
    form = view.limits.implied
    if view.kind != "generation" or form is None or not view.sentences:
        return False
    told = spoken(view.sentences[0])
    subject = rf"\W*(?:an?|the|good|every|most)? ?(?:\w+ )?{re.escape(form)}s?"
    return re.match(rf"{subject} (?:is|are|should|must|needs?|has|have|usually|consists?)\b", told) is not None


def _leaves_one_out(view: AnswerView, asked: str) -> bool:
    """Whether one thing is given where two were asked for."""
    if len(view.words) > 3 or view.wants_list or view.gives_reference:
        return False
    one = all(len(reading) < 2 for reading in list_readings(view.prose))
    return one and bool(_TWO_THINGS.search(asked) or (_OF_BOTH.search(view.instruction) and view.kind == "qa"))


def _leaves_the_reason_out(view: AnswerView, asked: str) -> bool:
    return bool(_AND_WHY.search(asked)) and len(view.words) < _REASON_WORDS


def _has_another_letter(view: AnswerView, asked: str) -> bool:
    """Whether no word starts with the letter that was named."""
    wanted = _LETTER.search(asked)
    return wanted is not None and not any(word.startswith(wanted[1]) for word in norms(view.prose))


def _gives_no_way(view: AnswerView, asked: str) -> bool:
    """Whether "how do I ..." is answered with statements that tell nobody what to do."""
    if view.answers or not _HOW_DO_I.match(asked) or view.kind not in {"qa", "response"} or " i " not in f" {asked} ":
        return False
    told = [spoken(each) for each in view.sentences]
    return bool(told) and all(_STATES.match(each) and not _ADVISES.search(each) for each in told)
