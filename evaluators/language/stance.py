"""What an answer does with the request as a whole: answers it, refuses it, or deflects it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from compiler.records import Kind
from evaluators.language import refusal
from evaluators.language.declining import SPEAKER, declining, is_about_answering, says_in_particular
from evaluators.language.echo import is_echo
from evaluators.language.filler import is_filler, specific_words
from evaluators.language.numbers import quantities
from evaluators.language.patterns import spoken
from evaluators.language.request import Request
from evaluators.language.stem import stem
from evaluators.language.text import counted_words, norms
from evaluators.language.vocabulary import FUNCTION_WORDS, NEGATIONS, QUESTION_WORDS
from evaluators.language.wordlists import word_set

Stance = Literal["answers", "refuses", "deflects"]

_PERSONS = word_set("i me my we you your sorry someone somebody nobody")
_NOTHING_BUT_NO = word_set("no nope sorry never not thanks thank you i am")
_GIVING = re.compile(
    r"\W*(?:please )?(?:suggest|recommend|name|list|give|pick|choose|propose|think of|come up with)\b", re.IGNORECASE
)
"""Something is to be given, and no question to a person is."""
_SUGGESTS = re.compile(r"\W*(?:how|what) about\b", re.IGNORECASE)
_TASKS = frozenset(map(stem, word_set("write give list name suggest explain describe tell apologise apologize recommend")))
_SCHOOL_SUBJECTS = word_set(
    "biology geography history literature math maths mathematics chemistry physics science music art language languages trivia"
)
_SURE, _VERY_SURE = 0.45, 0.65
"""Probabilities from which an answer is taken to decline, and a text that was to be written."""
_BESIDE_REFUSAL = 4
_BESIDE_DEFLECTION = 2
"""Specific words from which what comes beside a refusal or an "I don't know" is an answer after all."""
_BESIDE_SENDING = 3
"""The same within a sentence that also sends the asker elsewhere."""
_INSTEAD_OF_REFERENCE = 8
"""The same where there is a right answer and it was not given."""
_FEW = 3
"""Sentences beyond which an answer does more than decline."""
_LONG_LINE = 7
"""Words in a sentence from which a text that was to be written may speak of not knowing."""


@dataclass(frozen=True)
class Asked:
    """What stances are judged against."""

    request: Request
    kind: Kind
    gives_reference: bool | None
    """Whether the answer agrees with a reference; None without references."""

    @property
    def declinable(self) -> frozenset[str] | None:
        """What must be declined to make a refusal; None where the right answer is missing: then declining anything is one."""
        return None if self.gives_reference is False else self.request.asked_for

    @property
    def is_creative(self) -> bool:
        """Whether a text is to be written, which may speak of not knowing: "I don't know what I would do without you"."""
        return not self.request.is_question and (
            self.kind == "generation" or (self.kind == "completion" and self.gives_reference is None)
        )

    @property
    def is_impersonal(self) -> bool:
        """Whether something is wanted that cannot be given without saying anything particular: no word to a person."""
        if self.kind == "response":
            return self.request.is_question and "you" not in self.request.words
        return not self.request.allows & {"dialogue", "apology", "transform"}

    @property
    def wants_a_word(self) -> bool:
        """Whether "no" or "sorry" may be all that was asked for."""
        small_talk = self.kind == "response" and not self.request.is_question and not self.request.asked_for & _TASKS
        return bool(self.request.choice) or self.request.answer_type == "yes_no" or small_talk

    @property
    def wants_polite_no(self) -> bool:
        """Whether an apology, an excuse or a declining is what was asked for."""
        return "apology" in self.request.allows


def read_stance(sentences: Sequence[str], asked: Asked) -> Stance:
    """The stance of an answer, given by its sentences.

    A refusal with an answer beside it ("I cannot diagnose you, but water and rest help") answers; so does a hedge ("I am not
    sure, but I think it is Paris"). Where an apology or a declining was asked for, such sentences are the answer itself.
    """
    if not sentences:
        return "answers"
    if refusal.may_decline(sentences):
        refusing = [each for each in sentences if _refuses(each, asked)]
        if refusing and not _answers_beside(sentences, refusing, asked, _BESIDE_REFUSAL):
            return "refuses"
        deflecting = [each for each in sentences if each not in refusing and _deflects(each, asked)]
        if deflecting and not _answers_beside(sentences, deflecting, asked, _BESIDE_DEFLECTION):
            return "deflects"
    return "answers" if asked.gives_reference or not _says_nothing_else(sentences, asked) else "deflects"


def _says_nothing_else(sentences: Sequence[str], asked: Asked) -> bool:
    """Whether the whole is a question back, a bare no, talk about answering, or sounds like declining."""
    asks = "dialogue" not in asked.request.allows and all(map(refusal.asks_what_is_meant, sentences))
    says_no = not asked.wants_a_word and _NOTHING_BUT_NO.issuperset(norms(" ".join(sentences)))
    return (
        asks or says_no or any(told(sentences, asked) for told in (_only_asks_back, _talks_about_answering, _sounds_declining))
    )


def _refuses(sentence: str, asked: Asked) -> bool:
    if asked.wants_polite_no:
        return refusal.refuses_as_machine(sentence)
    return refusal.refuses(sentence, asked.declinable)


def _deflects(sentence: str, asked: Asked) -> bool:
    if asked.wants_polite_no:
        return False
    written = asked.is_creative and len(counted_words(sentence)) > _LONG_LINE
    if not written and refusal.declines_to_know(sentence):
        return True
    if written and "you" not in norms(sentence):
        return False
    besides = specific_words(norms(refusal.besides_sending(sentence)), asked.request.subject)
    return refusal.sends_elsewhere(sentence) and len(set(besides)) < _BESIDE_SENDING


def _answers_beside(sentences: Sequence[str], declining: Sequence[str], asked: Asked, enough: int) -> bool:
    """Whether an answer stands beside the sentences that decline: in other sentences, or after their "but"."""
    if asked.gives_reference:
        return True
    turns = [turn for each in declining if (turn := refusal.after_turn(each)) and not _declines(turn, asked)]
    others = [each for each in sentences if each not in declining and not refusal.asks_back(each)]
    beside, turned = _specific(others, asked.request), _specific(turns, asked.request)
    if asked.gives_reference is False:
        return turned > 0 or beside >= _INSTEAD_OF_REFERENCE
    return turned >= _BESIDE_DEFLECTION or beside >= enough


def _specific(parts: Sequence[str], request: Request) -> int:
    words = [word for part in parts if not refusal.is_closer(part) for word in norms(part)]
    return len(set(specific_words(words, request.subject)))


def _declines(sentence: str, asked: Asked) -> bool:
    return (
        refusal.refuses(sentence, asked.declinable) or refusal.declines_to_know(sentence) or refusal.sends_elsewhere(sentence)
    )


def _talks_about_answering(sentences: Sequence[str], asked: Asked) -> bool:
    """Whether all that is said is about the question and who could answer it: "I haven't got a clue", "Is that important?"."""
    text = " ".join(sentences)
    request = asked.request
    if not asked.is_impersonal or is_echo(text, request):
        return False
    said = norms(spoken(text))
    if SPEAKER.isdisjoint(said) and is_filler(text, request.subject):
        return False
    about_it = {word for word in said if is_about_answering(word)}
    particular = says_in_particular(said, request) - _SCHOOL_SUBJECTS
    if particular or any(word != "one" and quantities(word) for word in said):
        return False
    personal = not (SPEAKER if asked.is_creative else _PERSONS).isdisjoint(said)
    return len(about_it) > (not personal) or all(each.rstrip("\"')").endswith("?") for each in sentences)


def _sounds_declining(sentences: Sequence[str], asked: Asked) -> bool:
    """Whether the answer most likely declines, in words that no phrase holds."""
    text, request = " ".join(sentences), asked.request
    if len(sentences) > _FEW or not asked.is_impersonal or is_echo(text, request) or is_filler(text, request.subject):
        return False
    if _tells_of_it(text, request):
        return False
    return declining(text, request) > (_VERY_SURE if asked.is_creative else _SURE)


def _tells_of_it(text: str, request: Request) -> bool:
    """Whether it is a statement, by nobody in particular, that begins with what was asked about: "A secret is what ..."."""
    words = norms(spoken(text))
    begins = next((word for word in words if word not in FUNCTION_WORDS), "")
    denies = not NEGATIONS.isdisjoint(words) or not SPEAKER.isdisjoint(words)
    return stem(begins) in request.subject and not denies and not text.rstrip().endswith("?")


def _only_asks_back(sentences: Sequence[str], asked: Asked) -> bool:
    request = asked.request
    allowed = request.allows & {"question", "dialogue", "transform"} or any(map(_SUGGESTS.match, sentences))
    if allowed or not refusal.may_ask_back(sentences) or is_echo(" ".join(sentences), request):
        return False
    wants_text = asked.kind == "generation" or _GIVING.match(request.text) is not None
    if wants_text and not request.is_question and _asks_about_the_task(sentences, request):
        return True
    asking = [each for each in sentences if refusal.asks_back(each) or refusal.asks_to_clarify(each)]
    telling = [each for each in sentences if each not in asking]
    if any(not refusal.is_closer(each) and len(counted_words(each)) > 2 for each in telling):
        return False
    if asked.kind in {"generation", "response"} and not request.is_question:
        return any(refusal.asks_to_clarify(each) for each in asking)
    return bool(asking)


def _asks_about_the_task(sentences: Sequence[str], request: Request) -> bool:
    """Whether nothing is said but a question about what is to be written: "What kind of bakery is it?"."""
    own = {stem(word) for each in sentences for word in norms(each) if word not in FUNCTION_WORDS}
    if request.invents or not all(each.rstrip("\"')*” ").endswith("?") for each in sentences):
        return False
    to_you = _GIVING.match(request.text) is not None and all("you" in norms(each) for each in sentences)
    opens = all(norms(each)[:1] and norms(each)[0] in QUESTION_WORDS for each in sentences)
    return to_you or (opens and not own.isdisjoint(request.subject))
