"""Polite refusals and deflections of harmless requests."""

from __future__ import annotations

from random import Random

from datagen.corpus.composing import compose
from datagen.corpus.library import Subject

_SORRY = (
    "[[I'm|I am] [|very |really |so ]sorry, but|Sorry,|Sorry, but|I apologize, but|My apologies,|Apologies, but|I regret that"
    "|Unfortunately,|Sadly,|I fear that|I'm afraid|I am afraid that|Thank you for your [message|question], but|Regrettably,"
    "|I appreciate [your message|that you ask|your interest], but|To be honest,|With all respect,|I see what you want, but"
    "|As [an AI language model|an AI assistant|an assistant|a language model|an AI],|||]"
)  # fmt: skip
_UNABLE = (
    "I [can't|cannot|can not|am unable to|won't|will not|am not able to|do not want to|must decline to|have to decline to"
    "|would rather not|am not allowed to|am not permitted to|am not comfortable trying to|am not in a position to"
    "|have been told not to|prefer not to|refuse to|decline to|could not possibly|shall not]"
)  # fmt: skip
_ACT = (
    "[help [|you ]with|answer [|a question|questions|anything] about|talk about|speak about|discuss|comment on|respond to"
    "|write [|anything|a text|a line] about|provide [details|information|a text|an answer] [on|about]|assist you with"
    "|say [anything|more|a word] about|share [anything|my view|details] [on|about]|complete [a text|a sentence|this] about"
    "|tell you [anything|more|much] about|give [details|advice|an answer|information] [on|about]|reply to a request about"
    "|finish [a sentence|a text] about|continue a text on|produce [anything|a text] on|list anything about|explain] {thing}"
)  # fmt: skip
_REASON = (
    "[||||, because it [could|might] be [misused|harmful|misunderstood|dangerous|wrong]"
    "|, since it [is|may be] [outside|beyond] what I [may|can|am allowed to] [discuss|do|say]"
    "|, as [this|that|it] goes against [my|our|the] [guidelines|rules|policy|instructions]"
    "|, because I [lack|do not have] the [knowledge|facts|information] [for it|that it takes|to do so]"
    "|, since [the topic|this subject|{topic}] is [too sensitive|not my field|too delicate|not safe]"
    "|, as [that|it|this] would not be [appropriate|right|safe|fair|proper]|, because I do not want to mislead [you|anybody]"
    "|, since I [can't|cannot] [verify|check] [it|any of it|the facts]|, as our policy does not allow it|at the moment|here]"
)  # fmt: skip
_CLOSING = (
    "Please [consult|ask|see|turn to] [an expert|a teacher|someone else|a professional|a friend|a library] [instead|].",
    "You [may|might] want to [look it up|check a book|search for it] [yourself|on your own|in a library|].",
    "I hope [that|] you understand.", "Thank you for your [understanding|patience|trust].",
    "[Perhaps|Maybe] I can help [you|] with something else [|another time|later].",
    "Is there [anything else|something else] [that|] I can [do|help you with]?", "Please try another [request|question].",
    "[A library|A book|A good dictionary|An expert] may be of more use [to you|here].", "Let us try something else.",
    "Do you have [another|a different] [question|request] [for me|]?", "[Please|] forgive me.",
)  # fmt: skip
_DEFLECTING = (
    "[That|This] is a question [for|that you should ask] [an expert|a specialist|somebody else|your teacher] [|, not me].",
    "I [have no opinion|know nothing|have nothing to say] [on|about] {thing}.", "No comment.", "I'd rather not say.",
    "I [do not|don't] [know|have an answer|have that information] [|, sorry|, I am afraid].", "Why do you want to know?",
    "[It|This] is not [for me|my place|up to me] to [say|decide|judge] [|what is right about {thing}].",
    "[Requests|Questions|Messages] about {thing} [can't|cannot] be [answered|accepted|handled] here.",
    "We [do not|don't|can't|cannot] [give|provide|offer] [answers|help|advice] [on|about] {thing} [here|by mail|].",
    "Your [request|question|message] about {thing} has been [declined|closed|refused|passed on].",
    "Please [contact|ask|write to] [us|our staff|the office|the help desk] [again|] [on Monday|later|tomorrow|].",
    "[Let me|I will] [get back to you|ask someone|pass this on] [later|when I can|another day].",
)  # fmt: skip


def refusal(rng: Random, subject: Subject) -> str:
    """A refusal of one or two sentences, with a reason at times; every fifth deflects instead."""
    if rng.random() < 0.2:
        text = compose(rng, rng.choice(_DEFLECTING), subject)
    else:
        text = compose(rng, f"{_SORRY} {_UNABLE} {_ACT} {_REASON}.", subject)
    return f"{text} {compose(rng, rng.choice(_CLOSING), subject)}" if rng.random() < 0.4 else text
