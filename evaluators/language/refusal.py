"""Refusals and deflections, sentence by sentence.

A refusal speaks of the one who answers and of the request ("I cannot help with that", "this request goes against my
guidelines"); "penguins cannot fly" and "I am sorry to hear that" do neither. A deflection declines to know ("I have no idea"),
sends the asker elsewhere ("look it up"), or asks back.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from evaluators.language.patterns import any_says, phrases, says, spoken
from evaluators.language.stem import stem

_REQUEST_OBJECT = re.compile(
    r"^(?:\W*$|(?:\W+(?:you|u|with|to|on|about|in|of|for|out|any|anything|it|that|this|such|these|those|here|further|so|your|as)\b)|"
    r".*\b(?:request|question|instruction|task|prompt|topic|details?|information|advice|opinion|answer|response|content|assistance)s?\b)"
)
_TURN = re.compile(
    r"[,;:.]?\s*\b(?:but|however|though|nevertheless|that said|still)\b,?\s+|[:;]\s+|\s+-\s+|—\s*|"
    r"[,.]\s+(?=(?:maybe|perhaps|possibly|probably|i think|i guess|i believe|i would say|i'd say)\b)",
    re.IGNORECASE,
)


def may_decline(sentences: Sequence[str]) -> bool:
    """Whether any sentence could refuse or deflect at all: a quick look that spares the close ones."""
    return any_says(sentences, "refusals", "meta", "outright", "about_the_request", "not_knowing", "look_it_up")


def may_ask_back(sentences: Sequence[str]) -> bool:
    """Whether any sentence could be a question to the asker."""
    return any("?" in sentence for sentence in sentences) or any_says(sentences, "refusals", "clarifies")


def refuses(sentence: str, subject: frozenset[str] | None = frozenset()) -> bool:
    """Whether the sentence declines the request: it speaks of the answerer and of what was asked.

    Args:
        sentence: one sentence of the response.
        subject: stems of what was asked for; "I cannot list fruits" refuses where fruits were. None: whatever is declined is a
            refusal, as where there is one right answer and it is not given.
    """
    if says(sentence, "refusals", "outright") or refuses_as_machine(sentence):
        return True
    text = spoken(sentence)
    if says(sentence, "refusals", "idioms"):
        return False
    matches = (pattern.regex.search(text) for pattern in phrases("refusals")["about_the_request"])
    return any(match is not None and _about_the_request(match["object"], subject) for match in matches)


def refuses_as_machine(sentence: str) -> bool:
    """Whether the sentence declines by speaking of being a machine, of its rules or of the request as such."""
    return says(sentence, "refusals", "meta")


def _about_the_request(rest: str, subject: frozenset[str] | None) -> bool:
    return (
        subject is None
        or bool(_REQUEST_OBJECT.match(rest))
        or not subject.isdisjoint(stem(word) for word in re.findall(r"[^\W_]+", rest))
    )


def declines_to_know(sentence: str) -> bool:
    """Whether the sentence says that the answerer does not know."""
    return says(sentence, "refusals", "not_knowing")


def sends_elsewhere(sentence: str) -> bool:
    """Whether the sentence tells the asker to find the answer elsewhere."""
    return says(sentence, "refusals", "look_it_up")


def besides_sending(sentence: str) -> str:
    """What such a sentence says besides sending the asker elsewhere: "rest, and see a doctor if it lasts" says to rest."""
    text = spoken(sentence)
    for pattern in phrases("refusals")["look_it_up"]:
        text = pattern.regex.sub(" ", text)
    return text


def asks_back(sentence: str) -> bool:
    """Whether the sentence is a question to the asker."""
    return sentence.rstrip("\"')*” ").endswith("?") and says(sentence, "refusals", "asks_back")


def asks_to_clarify(sentence: str) -> bool:
    """Whether the sentence asks what was meant or why it was asked, which small talk ("How are you?") does not."""
    return says(sentence, "refusals", "clarifies")


def asks_what_is_meant(sentence: str) -> bool:
    """Whether the sentence asks what the request means, which no text that was to be written does."""
    return sentence.rstrip("\"')*” ").endswith("?") and says(sentence, "refusals", "what_is_meant")


def is_closer(sentence: str) -> bool:
    """Whether the sentence is what usually comes with a refusal: a reason, an apology, an offer of other help."""
    return says(sentence, "refusals", "closers")


def after_turn(sentence: str) -> str:
    """What a sentence says after its "but": the answer that may follow a hedge; empty where it has none."""
    parts = _TURN.split(sentence)
    return parts[-1] if len(parts) > 1 else ""
