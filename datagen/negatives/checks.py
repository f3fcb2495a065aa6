"""What makes a negative degenerate. These are datagen's own checks: the criteria that grade the arms share none of them."""

from __future__ import annotations

from compiler.records import Item
from datagen.cleaning import MARKER, clean
from datagen.failings import has_artefact, is_refusal
from datagen.form import LIST_MARK, is_listed, meets, word_count, yes_or_no
from datagen.mentions import content_words, mention_spans, mentions, normalise, number

VAGUE_WORDS = 25
"""The fewest words of wordy filler."""


def common_flaw(chosen: str, text: str) -> str | None:
    """What no negative may be: empty, the chosen answer in other clothes, or with the END marker in it."""
    if not text.strip() or text != text.strip():
        return "empty"
    if normalise(text) == normalise(chosen):
        return "same_as_chosen"
    return "holds_the_marker" if MARKER.search(text) else None


def ill_formed(chosen: str, text: str) -> bool:
    """Whether a text that should fail otherwise fails in its form as well."""
    return clean(text) != text or (has_artefact(text) and not has_artefact(chosen))


def is_reference(item: Item, text: str) -> bool:
    """Whether a text gives (one of) the reference answers: opens with the right yes or no, or mentions the value."""
    for answer in item.answers or ():
        stance = yes_or_no(answer)
        if (stance is not None and word_count(answer) == 1 and yes_or_no(text) == stance) or mention_spans(text, answer):
            return True
    return False


def gives_answer(item: Item, text: str) -> bool:
    """Whether a text that should hold no answer holds it: mentioned, and not only because the instruction names it.

    Values of one or two letters ("I", "As") do not count: they are words of English as well.
    """
    told = [answer for answer in item.answers or () if not mention_spans(item.instruction, answer)]
    return mentions(text, (answer for answer in told if len(answer) > 2 or number(answer) is not None))


def refusal_flaw(item: Item, chosen: str, text: str) -> str | None:
    """A refusal must refuse, in good form, and must not let the answer slip."""
    if not is_refusal(text):
        return "no_refusal"
    if ill_formed(chosen, text):
        return "ill_formed"
    return "gives_the_answer" if gives_answer(item, text) else None


def vague_flaw(item: Item, chosen: str, text: str) -> str | None:
    """Filler must be wordy, must say nothing, and is no refusal."""
    if word_count(text) < VAGUE_WORDS:
        return "too_short"
    if ill_formed(chosen, text) or is_refusal(text):
        return "ill_formed"
    return "gives_the_answer" if gives_answer(item, text) else None


def wrong_fact_flaw(item: Item, chosen: str, text: str) -> str | None:
    """A wrong fact must be wrong, and must keep the form that the chosen answer has."""
    if is_reference(item, text) or (item.good_answer is not None and normalise(text) == normalise(item.good_answer)):
        return "accidentally_correct"
    if ill_formed(chosen, text) or is_refusal(text):
        return "ill_formed"
    kept = all(
        meets(item.constraint, text, strictly=strict)
        for strict in (False, True)
        if meets(item.constraint, chosen, strictly=strict)
    )
    return None if kept and is_listed(text) == is_listed(chosen) else "loses_the_form"


def off_topic_flaw(item: Item, chosen: str, text: str) -> str | None:
    """Another topic shares no word that carries a subject with the instruction, and is long enough to show its own."""
    asked = content_words(" ".join([item.instruction, item.entity, *(item.answers or ())]))
    if content_words(LIST_MARK.sub("", text)) & asked:
        return "on_topic"
    if gives_answer(item, text):
        return "accidentally_correct"
    if ill_formed(chosen, text) or is_refusal(text):
        return "ill_formed"
    single = item.constraint is not None and item.constraint.type == "one_word"
    return "too_short" if word_count(text) < (1 if single else 3) else None


def format_flaw(item: Item, chosen: str, text: str) -> str | None:
    """A broken form must be broken, and must keep the facts: half of the chosen words, and the answer if it was there."""
    unlisted = is_listed(chosen) and not is_listed(text)
    dirty = has_artefact(text) and not has_artefact(chosen)
    if not (unlisted or dirty or not meets(item.constraint, text, strictly=True)):
        return "form_kept"
    carried, kept = content_words(chosen), content_words(chosen) & content_words(text)
    lost_answer = is_reference(item, chosen) and not mentions(text, item.answers or ())
    return "loses_the_facts" if lost_answer or 2 * len(kept) < len(carried) else None


def random_flaw(item: Item, chosen: str, text: str) -> str | None:
    """Another item's answer may be anything but right by accident."""
    return "accidentally_correct" if is_reference(item, text) else None
