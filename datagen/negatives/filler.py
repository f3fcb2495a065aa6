"""Sentences that say nothing, put together from parts."""

from __future__ import annotations

import random
from collections.abc import Sequence

from datagen.negatives.phrasing import capitalised, sentence

CONNECTIVES = (
    "", "", "", "", "Of course,", "In general,", "Broadly speaking,", "All things considered,", "In many ways,",
    "As with so much in life,", "At the same time,", "On the whole,", "In a sense,", "That being said,", "To be fair,",
    "Looked at more closely,", "Needless to say,",
)  # fmt: skip
PEOPLE = (
    "people", "many people", "those who care about such things", "thoughtful observers", "quite a few people",
    "all sorts of minds",
)  # fmt: skip
MATTERS = (
    "The subject of {}", "The matter of {}", "Anything to do with {}", "A question about {}", "Everything around {}",
)  # fmt: skip
THOUGHTS = (
    "ways to look at it", "sides to it", "opinions about it", "layers to it", "angles to take", "possible views on it",
)  # fmt: skip

FORMS: tuple[tuple[Sequence[str] | str, ...], ...] = (
    ("there are", ("many", "various", "countless", "several", "all kinds of"), THOUGHTS, ",", ("and", "but"),
     ("none of them should be dismissed", "all of them deserve attention", "most have something to be said for them"), "."),
    (("much", "a great deal", "a lot", "nearly everything"), ("depends on", "comes down to", "has to do with"),
     ("the circumstances", "the situation", "the point of view", "the setting"), "and",
     ("what is meant by it", "how things are understood", "where the interest lies", "the wider picture"), "."),
    (("it is important to", "it helps to", "it is always good to", "it makes sense to"),
     ("keep an open mind", "see the bigger picture", "take a step back", "think about such things with care"), ",",
     ("because", "since", "as"), ("matters are rarely simple", "there tends to be more behind it", "nothing stands by itself"),
     "."),
    (PEOPLE, ("have wondered", "have thought", "have talked", "like to think"), "about",
     ("things like this", "matters of this kind", "such questions", "topics like these"), "for",
     ("a very long time", "ages", "as long as anybody remembers", "longer than we may think"), "."),
    (("what matters", "what counts", "the important part"), ("in the end", "here", "after all"), "is",
     ("the way we approach it", "to remain curious", "the journey towards an understanding", "to find a balance"), ",",
     ("whatever that may mean", "and not only the outcome", "even if views differ", "as is so often the case"), "."),
    (("it could be said", "it may be argued", "it would be fair to say", "it seems"), "that",
     ("this plays a certain role", "this is significant in its own way", "this means different things to different people"),
     "in", ("a number of respects", "various contexts", "everyday life", "our understanding of things"), "."),
    (("things", "views", "attitudes", "ideas"), ("change", "evolve", "shift", "develop"), "over time", ",",
     ("and so", "so that", "which is why"),
     ("it remains a rich topic", "there is always more to explore", "it is hard to be definite"), "."),
)  # fmt: skip

OPENINGS: tuple[tuple[Sequence[str] | str, ...], ...] = (
    (MATTERS, "is", ("something", "a topic", "an area"), "that", PEOPLE,
     ("find interesting", "come back to again and again", "see in their own way", "consider worth a thought"), "."),
    ("when it comes to {}", ",", ("there is a lot to consider", "it is not easy to know where to begin",
     "a great many things come to mind", "it is worth pausing for a moment", "so much has been said already"), "."),
    (("Thinking about", "Talking about", "Looking into", "Reflecting on"), "{}", ("is always", "can be", "tends to be"),
     ("a rewarding exercise", "a fascinating thing to do", "more involved than it seems", "a good starting point"), "."),
)  # fmt: skip


def filler_sentence(rng: random.Random) -> str:
    """One sentence that could stand anywhere."""
    return sentence(rng, CONNECTIVES, *rng.choice(FORMS))


def filler(rng: random.Random, subject: str, sentences: int) -> str:
    """An opening that names the subject, then sentences of different forms; at most as many as there are forms."""
    opening = sentence(rng, *rng.choice(OPENINGS)).replace("{}", subject)
    forms = rng.sample(FORMS, min(sentences - 1, len(FORMS)))
    connectives = rng.sample(CONNECTIVES, len(forms))
    return " ".join(
        [capitalised(opening), *(sentence(rng, link, *form) for link, form in zip(connectives, forms, strict=True))]
    )
