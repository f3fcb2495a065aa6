"""Criterion 2: the response is free of artefacts."""

from __future__ import annotations

from evaluators.criteria.base import Criterion
from evaluators.language import markup, scaffold
from evaluators.view import AnswerView

_NEVER_ALLOWED = frozenset({"instruction", "instructions", "response"})


def judge(view: AnswerView) -> bool:
    """Whether nothing of prompt, template, form or markup is left over. An empty response has no artefacts.

    What the instruction asks for is no artefact: speaker labels in a dialogue, tags in HTML, slots in a template.
    """
    return not (
        view.marked.after
        or _scaffolding(view)
        or _template_tokens(view)
        or _placeholders(view)
        or (markup.tags(view.response) and "markup" not in view.request.allows)
        or markup.half_open(view.content)
        or markup.empty_bullet(view.content)
        or markup.control_characters(view.response)
    )


def _scaffolding(view: AnswerView) -> bool:
    allowed = "dialogue" in view.request.allows
    return any(label.name in _NEVER_ALLOWED or not allowed for label in view.labels)


def _placeholders(view: AnswerView) -> bool:
    if "template" in view.request.allows:
        return False
    return any(slot not in answer for slot in view.placeholders for answer in view.answers or ("",))


def _template_tokens(view: AnswerView) -> bool:
    asked_for = view.instruction + " ".join(view.answers or ())
    return any(token not in asked_for for token in scaffold.template_tokens(view.response))


CRITERION = Criterion(
    name="proper_structure",
    definition=(
        "No artefacts: no repeated Instruction:/Response:/Q:/User: scaffolding, no chat-template tokens, no marker in "
        "mid-text, no placeholders, no half-open fence or markup debris."
    ),
    sees=("the raw response", "the instruction, for artefacts that it asks for"),
    blind_to=(
        "labels of languages other than English",
        "markup that is closed but out of place, such as a stray heading",
        "a half-open quotation mark",
    ),
    judge=judge,
)
