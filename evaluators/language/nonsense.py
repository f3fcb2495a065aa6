"""Sentences that are well-formed and can mean nothing: words from all over, or things that do what only the living can."""

from __future__ import annotations

from collections import Counter

from evaluators.language.meaning import cohesion
from evaluators.language.stem import singular, stem
from evaluators.language.text import tokens
from evaluators.language.topics import lexicon, matter, neighbourhood
from evaluators.language.vocabulary import DETERMINERS
from evaluators.language.wordlists import word_list

_FEWEST, _MANY = 4, 5
_COHERENT = 0.1
"""Cosine of each word to its nearest in the sentence, on average, from which words have something to do with each other."""
_ALONE = 0.65
"""Share of words that have nothing to do with any other word of the sentence."""
_LIVING_DO = frozenset(
    stem(verb)
    for verb in word_list(
        """
    bark marry divorce argue decide dream laugh weep cry whisper believe apologise apologize pray gossip giggle snore think
    hate forgive envy regret confess negotiate vote sneeze yawn knit graduate quarrel complain sigh worry promise lie study
    """
    )
)
_THINGS = frozenset(
    {
        "tools",
        "furniture",
        "household",
        "fruit",
        "vegetable",
        "clothing",
        "materials",
        "shapes",
        "math",
        "transport",
        "home",
        "calendar",
    }
)


def is_nonsense(sentence: str) -> bool:
    """Whether a sentence's words come from fields that have nothing to do with each other, or a thing acts like a person."""
    return (_is_scattered(sentence) and cohesion(sentence) < _COHERENT) or _lives(sentence)


def _is_scattered(sentence: str) -> bool:
    book = lexicon()
    known = [book.topics_of[word] for word in matter(sentence) if word in book.topics_of]
    if len(known) < _FEWEST:
        return False
    fields = Counter(field for topics in known for field in neighbourhood(topics))
    if max(fields.values()) * 2 < len(known):
        return True
    return len(known) >= _MANY and sum(map(_is_alone, known, [known] * len(known))) >= _ALONE * len(known)


def _is_alone(topics: frozenset[str], known: list[frozenset[str]]) -> bool:
    near = neighbourhood(topics)
    return not any(other is not topics and not other.isdisjoint(near) for other in known)


def _lives(sentence: str) -> bool:
    """Whether "the spoon divorces": a thing, right before what only a living being does."""
    words = tokens(sentence)
    for place in range(1, len(words) - 1):
        noun, verb = words[place], words[place + 1]
        led = words[place - 1].norm in DETERMINERS or (place > 1 and words[place - 2].norm in DETERMINERS)
        if led and _is_thing(noun.norm) and stem(verb.norm) in _LIVING_DO and verb.start - noun.end == 1:
            return True
    return False


def _is_thing(noun: str) -> bool:
    topics = lexicon().topics_of.get(singular(noun))
    return topics is not None and topics <= _THINGS
