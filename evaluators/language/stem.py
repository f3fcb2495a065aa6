"""A light English stemmer: enough to see that two forms are one word, and never to be read by people."""

from __future__ import annotations

from functools import lru_cache

from evaluators.language.wordlists import word_list, word_set

_PLURALS = dict(
    pair.split(":")
    for pair in word_list(
        """
    mice:mouse men:man women:woman children:child feet:foot teeth:tooth geese:goose people:person leaves:leaf
    wolves:wolf knives:knife lives:life wives:wife halves:half shelves:shelf loaves:loaf thieves:thief oxen:ox
    cacti:cactus fungi:fungus emus:emu menus:menu gnus:gnu buses:bus gases:gas lenses:lens viruses:virus octopuses:octopus
    """
    )
)
_FORMS = dict(
    pair.split(":")
    for pair in word_list(
        """
    wrote:write written:write ran:run swam:swim swum:swim made:make went:go gone:go ate:eat eaten:eat flew:fly
    flown:fly flight:fly froze:freeze frozen:freeze built:build thought:think bought:buy taught:teach caught:catch
    slept:sleep woke:wake woken:wake wore:wear worn:wear rode:ride ridden:ride chose:choose chosen:choose stole:steal
    stolen:steal shook:shake threw:throw thrown:throw blew:blow hid:hide stood:stand understood:understand lit:light paid:pay
    heard:hear hung:hang stuck:stick struck:strike wept:weep swept:sweep bent:bend lent:lend spent:spend fought:fight
    sought:seek grew:grow grown:grow began:begin begun:begin spoke:speak spoken:speak drove:drive driven:drive
    rose:rise risen:rise drew:draw drawn:draw sang:sing sung:sing drank:drink drunk:drink shone:shine fell:fall
    fallen:fall laid:lay won:win lost:lose found:find told:tell said:say gave:give given:give took:take taken:take
    knew:know known:know hidden:hide broke:break broken:break kept:keep left:leave met:meet led:lead felt:feel
    sent:send sold:sell held:hold stood:stand mum:mother mom:mother dad:father tv:television
    """
    )
)
_SPELLINGS = {"gray": "grey", "aluminum": "aluminium", "sulfur": "sulphur"}
_BRITISH = (("isation", "ization"), ("ogue", "og"), ("our", "or"), ("tre", "ter"), ("ise", "ize"), ("yse", "yze"))
_NO_BRITISH = word_set(
    """
    hour four your flour wise rise noise raise cruise bruise poise tour pour sour detour promise exercise
    """
)
_SUFFIXES = (("ingly", 4), ("edly", 4), ("ing", 3), ("ness", 4), ("ment", 5), ("est", 4), ("ed", 3), ("er", 5), ("ly", 4))
_VOWELS = frozenset("aeiouy")


@lru_cache(maxsize=50_000)
def singular(word: str) -> str:
    """The singular of a plural noun; other words come back much as they are, so compare only singulars with singulars."""
    if word in _PLURALS:
        return _PLURALS[word]
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "xes", "sses")) or (word.endswith("oes") and len(word) > 5):
        return word[:-2]
    return word[:-1]


@lru_cache(maxsize=50_000)
def spelling(word: str) -> str:
    """One spelling for British and American forms: colour and color, metre and meter, realise and realize."""
    if word in _SPELLINGS:
        return _SPELLINGS[word]
    base, plural = (word[:-1], "s") if word.endswith("s") else (word, "")
    if len(base) < 5 or base in _NO_BRITISH:
        return word
    for british, american in _BRITISH:
        if base.endswith(british):
            return base.removesuffix(british) + american + plural
    return word


@lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    """The common part of a word's forms: plural, irregular past, -ing, -ed, -er, -ly, British spelling."""
    word = spelling(singular(_FORMS.get(word, word)))
    for suffix, least in _SUFFIXES:
        root = word.removesuffix(suffix)
        if root != word and len(root) >= least and not _VOWELS.isdisjoint(root):
            word = _undouble(root)
            break
    if word.endswith("y") and len(word) > 3 and word[-2] not in _VOWELS:
        return word[:-1] + "i"
    return word.removesuffix("e") if len(word) > 3 else word


def stems(words: list[str] | tuple[str, ...]) -> list[str]:
    """The stem of every word."""
    return [stem(word) for word in words]


def _undouble(root: str) -> str:
    doubled = len(root) > 3 and root[-1] == root[-2] and root[-1] not in "lsz"
    return root[:-1] if doubled else root
