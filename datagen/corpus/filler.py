"""Long and vague: sentences that could stand anywhere and say nothing."""

from __future__ import annotations

from random import Random

from datagen.corpus.composing import compose, composed
from datagen.corpus.library import Subject

_LINK = (
    "[|||||Of course,|In general,|Generally speaking,|Broadly speaking,|All in all,|On the whole,|In many ways,|To be fair,"
    "|At the same time,|In a sense,|That said,|That being said,|As so often,|As always in life,|Needless to say,|After all,"
    "|Then again,|All things considered,|In other words,|Looked at from afar,|On the other hand,|Naturally,]"
)  # fmt: skip
_FOLK = "[people|many people|some people|a lot of people|experts|those who care|most of us|quite a few observers|many minds]"
_BECAUSE = (
    "[because|since|as] [things are rarely simple|there is always more behind it|no two cases are alike|everything is linked]"
)

_OPENINGS = (
    "[When it comes to|As for|With regard to|In the case of] {thing}, [there is a lot to [consider|say|think about]"
    "|it is [hard|not easy] to know where to [begin|start]|many things come to mind|much has been said [already|before]"
    "|one should take [some|a little] time|it is worth pausing for a [while|moment]|opinions differ].",
    "[The subject of|The matter of|The question of|Everything around|Anything to do with|The whole area of] {thing} is"
    " [something|a topic|an area|a matter] that [deserves [thought|attention|care]|can be seen in [many|several] ways"
    f"|{_FOLK} [find interesting|come back to|see in their own way|have thought about]|is worth a [thought|closer look]].",
    "[Thinking|Talking|Reading|Learning] about {thing} [is always|can be|tends to be|has always been]"
    " [rewarding|a fascinating thing|more involved than it seems|a good starting point|a useful exercise|a journey].",
    "[What an|This is an] interesting [question|topic|thing to ask] [|about {thing}]"
    " [|, and one that [deserves|needs] [care|thought|time]].",
    "{thing} [means|can mean|may mean] different things to different people.", "Well, {thing} is a [big|wide|rich|deep] topic.",
)  # fmt: skip
_BODIES = (
    "there are [many|several|various|countless|all kinds of] [ways to look at it|sides to it|views on it|angles to take"
    "|opinions about it|layers to it], [and|but] [none of them should be [forgotten|dismissed]|all of them [count|matter]"
    "|all deserve [attention|respect]|each has something to be said for it].",
    "[much|a lot|a great deal|nearly everything] [depends on|has to do with|comes down to] [the situation|the setting"
    "|the circumstances|the point of view|the people involved|the time] and [what is meant by it|how it is understood"
    "|the wider picture|where one's interest lies|many other things].",
    "it [is important|is good|helps|makes sense|is always wise] to [keep an open mind|take a step back|see the whole picture"
    f"|look at it with care|think before one speaks], {_BECAUSE}.",
    f"{_FOLK} [have wondered|have thought|have talked|like to think|keep reading] about [things like this|such questions"
    "|matters of this kind|topics like these] [for ages|for a very long time|again and again|longer than anybody remembers].",
    "what [matters|counts|is important] [in the end|here|after all|most] is [the way we approach it|to stay curious|balance"
    "|the path towards an understanding|how we deal with it] [|, whatever that may mean|, even if views differ|, as so often].",
    "it [could|can|may|might] be [said|argued|felt] that [this plays a [certain|special] role|this has a meaning of its own"
    "|this is significant in its own way|there is some truth in it] [in everyday life|in various contexts|in many respects|].",
    "[views|things|ideas|attitudes|habits] [change|shift|evolve|develop|grow] [over time|with the years], [so that|and so"
    "|which is why] [there is always more to [explore|learn]|it remains a rich topic|it is hard to be [definite|precise]].",
    "[nobody|no one|hardly anybody] can [say|tell] [for sure|with certainty|in a few words] [|, at least not today].",
    "[it depends|that depends] [|on many [things|factors]|on [whom|how] you ask|on the point of view].",
    "[both|all] sides have their [strengths|reasons|points], and [the truth|the answer] [lies|may lie] somewhere in between.",
    "[this|it] is [certainly|without doubt|perhaps|surely] [relevant|interesting|significant|worth a discussion]"
    " [to|for] [all of us|many|a number of people], [in one way or another|each in their own way|now more than ever].",
    "[one|we|you] should [also|always|never forget to] [consider|respect|think of] the [context|background|details].",
)  # fmt: skip


def vague_sentence(rng: Random, subject: Subject) -> str:
    """One sentence that could stand anywhere."""
    return compose(rng, f"{_LINK} {rng.choice(_BODIES)}", subject)


def filler(rng: Random, subject: Subject) -> str:
    """Two to four vague sentences, the first of which mostly names the subject."""
    opening = composed(rng, _OPENINGS, subject, 1) if rng.random() < 0.8 else vague_sentence(rng, subject)
    bodies = rng.sample(_BODIES, rng.randint(1, 3))
    return " ".join([opening, *(compose(rng, f"{_LINK} {body}", subject) for body in bodies)])
