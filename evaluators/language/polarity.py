"""Yes or no: what an answer to a yes/no question says, by its first word or by restating the question."""

from __future__ import annotations

import re
from typing import NamedTuple

from evaluators.language.clauses import Discourse, Word
from evaluators.language.patterns import spoken
from evaluators.language.stem import stem
from evaluators.language.vocabulary import AUXILIARIES, FUNCTION_WORDS, PRONOUNS
from evaluators.language.wordlists import word_set

_HEDGES = r"(?:well|oh|so|hmm|sure|answer|the (?:correct |right |short )?answer (?:is|to \w+(?: \w+){0,4} is)|it is|i (?:would )?(?:think|believe|say)(?: that)?|in short|in fact|actually|honestly|technically)"
_NO = r"(?:no|nope|nah|false|incorrect|wrong|negative|never|not (?:at all|really|true|correct)|(?:of course|absolutely|definitely|certainly|probably|surely|i think|i believe|i suppose|i am afraid) not|(?:that|this|it) is (?:false|incorrect|wrong|not (?:true|correct|right)|a myth))"
_YES = r"(?:yes|yeah|yep|yup|true|correct|right|indeed|absolutely|certainly|definitely|surely|affirmative|of course|(?:that|this|it) is (?:true|correct|right|so))"
_LEAD = re.compile(
    rf"^\W*(?:{_HEDGES}\W+){{0,2}}(?:(?P<no>{_NO})|(?P<yes>{_YES}))(?=\W|$)(?!\W*(?:one|other|matter|doubt|question|wonder|idea)\b)"
)
_BOTH = re.compile(
    r"\byes\W+(?:and|or|but also|\W)\s*no\b|\bno\W+(?:and|or|but also|\W)\s*yes\b|\bboth yes and no\b|\bneither yes nor no\b"
)
_LITERAL = re.compile(r"\b(?:yes|yeah|yep|yup|nope|nah|no(?! (?:doubt|matter|one|other|question|wonder|idea|longer)\b))\b")
_NEGATIVE = word_set(
    """
    not no never none neither nor cannot unable hardly without nobody nothing false myth incorrect wrong
    """
)
_SPEAKER = word_set("i we")
_HARMLESS_AFTER_NOT = word_set("only just merely simply necessarily")


class Polarity(NamedTuple):
    """What was said: True for yes, False for no, None for neither; and whether it was said both ways."""

    value: bool | None
    contradictory: bool = False


def lead(text: str) -> bool | None:
    """The yes or no with which a text opens, hedges aside; None where it opens with neither."""
    match = _LEAD.match(spoken(text))
    return None if match is None else match["yes"] is not None


def says_yes_or_no(text: str) -> bool:
    """Whether the text gives a plain "yes" or "no", and not both."""
    source = spoken(text)
    if _BOTH.search(source):
        return False
    opening = _LEAD.match(source)
    return bool(opening and (_LITERAL.search(opening[0]))) or len(_literal(text)) == 1


def read_polarity(discourse: Discourse, question: frozenset[str]) -> Polarity:
    """What a text answers to a yes/no question.

    Args:
        discourse: the answer.
        question: the stems of the question's subject words.
    """
    if _BOTH.search(spoken(discourse.text)):
        return Polarity(None, contradictory=True)
    opening = lead(discourse.text)
    restated = {value for clause in discourse.clauses if (value := _restates(clause, question, opening)) is not None}
    leads = {value for sentence in discourse.sentences if (value := lead(sentence)) is not None}
    if opening is None:
        said = restated or leads or _literal(discourse.text)
        return Polarity(next(iter(said)) if len(said) == 1 else None, contradictory=len(said) > 1)
    return Polarity(opening, contradictory=len(leads | restated) > 1)


def _literal(text: str) -> set[bool]:
    return {word.startswith("y") for word in _LITERAL.findall(spoken(text))}


def _restates(clause: tuple[Word, ...], question: frozenset[str], opening: bool | None) -> bool | None:
    """The polarity with which a clause restates the question; None where it does not.

    Without a yes or no before it, a clause restates when it holds most of the question's words (a pronoun stands for one). After a yes
    or no, only a clause that says nothing but the question's words is held against it: "No, it is a mammal" restates nothing.
    """
    norms = [word.norm for word in clause]
    if not _SPEAKER.isdisjoint(norms[:2]):
        return None
    if (
        opening is None
        and 2 <= len(norms) <= 3
        and norms[0] in PRONOUNS
        and norms[1] in AUXILIARIES
        and norms[2:] in ([], ["not"])
    ):
        return not norms[2:]
    if not question or (opening is not None and not any(norm in AUXILIARIES for norm in norms)):
        return None
    content = {stem(norm) for norm in norms if norm not in FUNCTION_WORDS and norm not in _NEGATIVE and lead(norm) is None}
    shared = len(content & question) + (1 if norms and norms[0] in PRONOUNS and len(question) > 1 else 0)
    if opening is not None:
        answers = content <= question and (bool(content) or len(norms) <= 3) and norms[:1] != ["no"]
        if not answers or (content and shared * 2 < len(question)):
            return None
        return not _negated(norms)
    if shared * 10 < len(question) * 6 or not any(norm in AUXILIARIES or stem(norm) in question for norm in norms):
        return None
    return not _negated(norms)


def _negated(norms: list[str]) -> bool:
    found = [
        norm
        for norm, following in zip(norms, [*norms[1:], ""], strict=True)
        if norm in _NEGATIVE and following not in _HARMLESS_AFTER_NOT
    ]
    return len(found) % 2 == 1
