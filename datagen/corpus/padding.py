"""What fills a page that does not answer: the task said again, and chatter."""

from __future__ import annotations

from random import Random

from datagen.corpus.composing import compose, composed
from datagen.corpus.library import Exchange, Subject

_RESTATING = (
    "[The task|This task|The question|The exercise|This one] is [about|on|concerned with] [{thing}|{topic}].",
    "[The instruction|The text above|The line above] [asks for|wants|speaks of] something [about|to do with] {thing}.",
    "[This|The] [exercise|task|question] [belongs to|comes from|is part of] [the chapter|a series|a list|a test] on {topic}.",
    "[The|Your] [answer|reply|solution] [should|must|can] be [written|given|put] [below|in the space below|on the next line"
    "|in your notebook|on a new sheet|in your own words].",
    "[Read|Look at|Go over] the [instruction|question|task] [again|once more|twice] before you [write|begin|answer].",
    "[The word|Pay attention to the word|The main word here is|The key word is] {thing}.",
    "It is [a common|an easy|a typical|an old|a short] [exercise|task|question] [|in lessons on {topic}|for beginners].",
    "[First|Before you start], [think about|make sure you understand|consider] what is [asked|wanted|meant].",
    "[You have|There are] [five|ten|two|a few] [minutes|points] for this [task|question].",
    "[A complete|A good|A short|The best] answer [says|shows|explains] [what you know|why it is so|how you found it].",
    "[Do not|Don't] [forget|leave out] [the details|your name|the second part|to check your spelling].",
    "[Discuss|Compare|Talk over] {thing} with [a partner|your group|the class|your neighbour].",
)  # fmt: skip
_CHATTER = (
    "[Thank you|Thanks] for [reading|visiting|using] this [page|site|book|list].", "See also the list of {topic}.",
    "[More|Other|Further] [examples|tasks|facts|pages] [can be found|are|follow] [in the next chapter|below|on the next page].",
    "This page was [last|] [changed|edited|written] [a year ago|last week|in spring|by a reader|some time ago].",
    "[Many|Some|Most] [people|readers|pupils] find this [interesting|hard|easy|useful|strange].",
    "[The next part|The following text|What follows|The rest] is about [{topic}|something else|other things].",
    "[Please|] [tell us|write to us|let us know] what you think [|about {thing}|of this page].", "Let us go on.",
    "[You will find|There is|You can read] [more|much more|something] about {topic} [below|in other books|on other pages].",
    "[Here are|Now come|Next come] [some|a few|three] [other|new] [facts|tasks|questions|notes].",
    "That is [all|nearly all|about all] [there is|] to say [about it|here|on {topic}].",
    "[Pupils|Readers|Visitors|Children] often ask [about|for more on] [{topic}|{thing}].", "Write to the author.",
    "[Compare|Share] your [notes|answer|results] with [those of a friend|the class|the book].",
    "[The teacher|A pupil|Somebody] reads [the text|the next lines|it] [aloud|slowly|again].",
    "[Turn|Go back] to [page|chapter|unit] [two|three|seven|ten|twelve] [|for more on {topic}].",
    "[Last|Next] [week|time|year] we [talked|will talk|spoke|will speak] about {topic}.",
    "[Click|Look] [here|below|above] [for more|to read on|to go back|for the pictures].",
    "[Some|All|Most] of [this|the text|it] [was|is] [taken from a book|new|well known|still in work].",
)  # fmt: skip
_AGAIN = "[In other words|Put differently|That is to say|To say it another way|The same again|Or|We could also ask|Rephrased]:"


def restatement(rng: Random, subject: Subject, exchange: Exchange) -> str:
    """Says what the task is, mostly with the instruction in other words, and never answers."""
    others = [e.instruction for e in subject.exchanges if e is not exchange]
    said = composed(rng, _RESTATING, subject, rng.randint(1, 3))
    if not others or rng.random() < 0.35:
        return said
    again = f"{compose(rng, _AGAIN, subject)} {rng.choice(others)}"
    return f"{again} {said}" if rng.random() < 0.5 else f"{said} {again}"


def chatter(rng: Random, subject: Subject) -> str:
    """A few sentences of a page's own talk."""
    return composed(rng, _CHATTER, subject, rng.randint(1, 3))
