"""What an answer does with the request as a whole: answers it, refuses it, or deflects it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from compiler.records import Kind
from evaluators.language import refusal
from evaluators.language.echo import is_echo
from evaluators.language.filler import is_filler, specific_words
from evaluators.language.numbers import quantities
from evaluators.language.patterns import spoken
from evaluators.language.request import Request
from evaluators.language.text import counted_words, norms
from evaluators.language.wordlists import word_set

Stance = Literal["answers", "refuses", "deflects"]

_PERSONS = word_set("i me my we you your sorry someone somebody nobody")
_SCHOOL_SUBJECTS = word_set(
    "biology geography history literature math maths mathematics chemistry physics science music art language languages trivia"
)
_ENOUGH_AFTER_REFUSAL = 4
_ENOUGH_AFTER_DEFLECTION = 2
"""Specific words from which what comes beside a refusal or an "I don't know" is an answer after all."""
_ENOUGH_BESIDE_SENDING = 3
"""The same within a sentence that also sends the asker elsewhere."""
_ENOUGH_BESIDE_REFERENCE = 8
"""The same where there is a right answer and it was not given."""


def read_stance(sentences: Sequence[str], request: Request, kind: Kind, *, gives_reference: bool | None) -> Stance:
    """The stance of an answer.

    A refusal with an answer beside it ("I cannot diagnose you, but water and rest help") answers; so does a hedge ("I am not sure, but
    I think it is Paris"). Where an apology, a declining or a question was asked for, such sentences are the answer itself.

    Args:
        sentences: the answer's sentences.
        request: the instruction.
        kind: creative kinds may speak of not knowing ("I don't know what I would do without you").
        gives_reference: whether the answer agrees with a reference; None without references.
    """
    if not sentences:
        return "answers"
    may_decline = refusal.may_decline(sentences)
    polite_no = "apology" in request.allows
    refusing = [each for each in sentences if _refuses(each, None if gives_reference is False else request.asked_for, polite_no)] if may_decline else []
    deflecting = (
        [each for each in sentences if each not in refusing and _deflects(each, request, kind)]
        if may_decline and not polite_no
        else []
    )
    if refusing and not _answers_beside(sentences, refusing, request, gives_reference, _ENOUGH_AFTER_REFUSAL):
        return "refuses"
    if deflecting and not _answers_beside(sentences, deflecting, request, gives_reference, _ENOUGH_AFTER_DEFLECTION):
        return "deflects"
    evades = _only_asks_back(sentences, request, kind) or (kind in {"qa", "completion"} and _talks_about_answering(sentences, request))
    return "deflects" if evades and not gives_reference else "answers"


def _refuses(sentence: str, asked_for: frozenset[str] | None, polite_no: bool) -> bool:
    return refusal.refuses_as_machine(sentence) if polite_no else refusal.refuses(sentence, asked_for)


def _deflects(sentence: str, request: Request, kind: Kind) -> bool:
    creative = kind == "generation" and not request.is_question
    if not (creative and len(counted_words(sentence)) > 7) and refusal.declines_to_know(sentence):
        return True
    if creative and "you" not in norms(sentence) and len(counted_words(sentence)) > 7:
        return False
    besides = specific_words(norms(refusal.besides_sending(sentence)), request.subject)
    return refusal.sends_elsewhere(sentence) and len(set(besides)) < _ENOUGH_BESIDE_SENDING


def _answers_beside(
    sentences: Sequence[str], declining: Sequence[str], request: Request, gives_reference: bool | None, enough: int
) -> bool:
    turns = [turn for sentence in declining if (turn := refusal.after_turn(sentence)) and not _declines(turn, request)]
    others = [
        each for each in sentences if each not in declining and not refusal.is_closer(each) and not refusal.asks_back(each)
    ]
    if gives_reference:
        return True
    beside = specific_words([word for each in others for word in norms(each)], request.subject)
    turned = specific_words([word for turn in turns if not refusal.is_closer(turn) for word in norms(turn)], request.subject)
    if gives_reference is False:
        named = any(word[0].isupper() for turn in turns for word in turn.split()[1:])
        return bool(turned and (named or len(turned) >= 1)) or len(set(beside)) >= _ENOUGH_BESIDE_REFERENCE
    return len(set(turned)) >= min(enough, 2) or len(set(beside)) >= enough


def _declines(sentence: str, request: Request) -> bool:
    return refusal.refuses(sentence, request.asked_for) or refusal.declines_to_know(sentence) or refusal.sends_elsewhere(sentence)


def _talks_about_answering(sentences: Sequence[str], request: Request) -> bool:
    """Whether all that is said is about the question and who could answer it: "I haven't got a clue", "Is that important?"."""
    text = " ".join(sentences)
    if is_echo(text, request) or is_filler(text, request.subject) or quantities(text):
        return False
    left = [word for each in sentences for word in norms(refusal.without_meta_words(each))]
    if [word for word in specific_words(left, request.subject) if word not in _SCHOOL_SUBJECTS]:
        return False
    said = {word for each in sentences for word in norms(each)}
    speaks_of_it = any(refusal.without_meta_words(each) != spoken(each) for each in sentences)
    asks = all(each.rstrip("\"')").endswith("?") for each in sentences)
    return (speaks_of_it and not _PERSONS.isdisjoint(said)) or asks


def _only_asks_back(sentences: Sequence[str], request: Request, kind: Kind) -> bool:
    if "question" in request.allows or "dialogue" in request.allows or not refusal.may_ask_back(sentences):
        return False
    if is_echo(" ".join(sentences), request):
        return False
    telling = [each for each in sentences if not refusal.asks_back(each) and not refusal.asks_to_clarify(each)]
    if any(not refusal.is_closer(each) and len(counted_words(each)) > 2 for each in telling):
        return False
    asking = [each for each in sentences if each not in telling]
    if kind in {"generation", "response"} and not request.is_question:
        return any(refusal.asks_to_clarify(each) for each in asking)
    return bool(asking)
