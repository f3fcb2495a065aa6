"""Breaks the form asked for, or any form at all, and keeps the facts."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping

from compiler.records import ConstraintType, Item
from datagen.form import is_listed, list_items, word_count
from datagen.negatives.builder import MOST_PROPOSALS, ProposedNegative
from datagen.negatives.checks import format_flaw
from datagen.negatives.filler import filler_sentence
from datagen.negatives.phrasing import sentence
from datagen.negatives.pool import Pool

Break = Callable[[Item, str, Pool, random.Random], str]

OWN_FORM = 0.6
"""How often the explicit form is broken, where there is one; else scaffolding or debris."""

LEADS = (
    "", "Well,", "Let me think:", "After some thought,", "If I had to say it briefly,", "To put it plainly,",
    "As far as I can tell,", "Having considered it from every side,", "In short,", "To come to the point,",
)  # fmt: skip
WRAPS = (
    "the answer that you are looking for is", "the right thing to say here would be", "what belongs here is",
    "the reply comes down to", "the result of all this is", "most would agree on", "it should be given as",
    "I would go with", "what fits best is",
)  # fmt: skip
TAILS = (
    "", ", which settles the question", ", as most people would confirm", ", and nothing else",
    ", or so it is commonly held", ", at least to my mind", ", whichever way it is turned",
    ", and that is all there is to it",
)  # fmt: skip
DEBRIS = (
    "```text\n{}", "<answer>{}", "<p class=\"answer\">{}", "<div>{}</div></body>", "{{\"answer\": \"{}\"",
    "| Answer | {} |\n|---|", "\\boxed{{{}}}", "[Answer: {}", "**Answer: {}", "{}\n```\nend of output",
    "{}&nbsp;<br>note", "{} [insert source here]", "{}\n\n[your name]", "<li>{}</li></ul>", "\\textbf{{Answer}} {}",
    "{}\n____ (signature)", "### Answer\n{}",
)  # fmt: skip
SCAFFOLDS = (
    "{chosen}\n\nInstruction: {foreign}\nResponse: {answer}", "{chosen}\n\nInstruction: {foreign}\nResponse:",
    "{chosen}\nQ: {foreign}\nA: {answer}", "{chosen}\nUser: {foreign}", "{chosen}\nUser: {foreign}\nAssistant: {answer}",
    "Q: {asked}\nA: {chosen}", "Instruction: {asked}\nResponse: {chosen}", "User: {asked}\nAssistant: {chosen}",
    "Question: {asked}\nAnswer: {chosen}", "Response: {chosen}", "Answer: {chosen}\n\nQuestion: {foreign}",
    "{chosen}\n\n### Instruction:\n{foreign}\n\n### Response:\n{answer}", "{chosen}\n\nQuestion: {foreign}\nAnswer:",
    "{chosen}\nInput: {foreign}\nOutput: {answer}", "Human: {asked}\nAssistant: {chosen}\nHuman: {foreign}",
)  # fmt: skip


def propose(item: Item, chosen: str, pool: Pool, rng: random.Random) -> Iterator[str]:
    """Broken forms: those of the constraint more often than not, else prompt scaffolding or debris of markup."""
    form = "list" if is_listed(chosen) else item.constraint.type if item.constraint else None
    own = OWN_BREAKS.get(form, ()) if form else ()
    for _ in range(MOST_PROPOSALS):
        breaks = own if own and rng.random() < OWN_FORM else (_scaffolding, _debris)
        yield rng.choice(breaks)(item, chosen, pool, rng)


def _scaffolding(item: Item, chosen: str, pool: Pool, rng: random.Random) -> str:
    other = next(pool.everyone(item, rng), item)
    text = rng.choice(SCAFFOLDS).replace("{asked}", item.instruction).replace("{foreign}", other.instruction)
    return text.replace("{answer}", pool.answers.get(other.id, "")).replace("{chosen}", chosen).strip()


def _debris(item: Item, chosen: str, pool: Pool, rng: random.Random) -> str:
    return rng.choice(DEBRIS).format(chosen)


def _wrapped(item: Item, chosen: str, pool: Pool, rng: random.Random) -> str:
    """A sentence where a word or a number was asked for."""
    return sentence(rng, LEADS, WRAPS, chosen.rstrip(".!"), TAILS, ".")


def _padded(item: Item, chosen: str, pool: Pool, rng: random.Random) -> str:
    """More sentences than were asked for, and more words than are allowed."""
    text = chosen if chosen.endswith((".", "!", "?")) else f"{chosen}."
    most = (item.constraint.n or 0) if item.constraint and item.constraint.type == "words_max" else 0
    padding = [filler_sentence(rng) for _ in range(rng.randint(2, 3))]
    while word_count(" ".join([text, *padding])) <= min(most, 200):
        padding.append(filler_sentence(rng))
    return " ".join([text, *padding])


def _telegram(item: Item, chosen: str, pool: Pool, rng: random.Random) -> str:
    """Fragments, one a line, where sentences were asked for."""
    words = chosen.rstrip(".!?").split()
    size = max(1, len(words) // rng.randint(2, 3))
    return "\n".join(f"- {' '.join(words[place : place + size])}" for place in range(0, len(words), size))


def _opened_otherwise(item: Item, chosen: str, pool: Pool, rng: random.Random) -> str:
    return f"{sentence(rng, [lead for lead in LEADS if lead])} {chosen[:1].lower()}{chosen[1:]}"


def _list_as_prose(item: Item, chosen: str, pool: Pool, rng: random.Random) -> str:
    *most, last = list_items(chosen) or [chosen]
    joined = f"{', '.join(most)} and {last}" if most else last
    return sentence(rng, LEADS, (*WRAPS, "there are", "people often name", "those that come to mind are"), joined, TAILS, ".")


def _list_on_one_line(item: Item, chosen: str, pool: Pool, rng: random.Random) -> str:
    return rng.choice([" / ", " ", " - ", " and then "]).join(list_items(chosen))


def _list_cut_short(item: Item, chosen: str, pool: Pool, rng: random.Random) -> str:
    members = list_items(chosen)
    kept = members[: max(1, len(members) - rng.randint(1, max(1, len(members) // 2)))]
    return "\n".join(f"{place}. {member}" for place, member in enumerate(kept, start=1))


def _list_too_long(item: Item, chosen: str, pool: Pool, rng: random.Random) -> str:
    """Goes on after the last member, with members said before: no new fact is claimed."""
    members = list_items(chosen)
    more = members + [
        f"{rng.choice(['also', 'again', 'and once more'])} {rng.choice(members)}" for _ in range(rng.randint(1, 3))
    ]
    return "\n".join(f"{place}. {member}" for place, member in enumerate(more, start=1))


OWN_BREAKS: Mapping[ConstraintType, tuple[Break, ...]] = {
    "one_word": (_wrapped, _wrapped, _padded),
    "yes_no": (_wrapped,),
    "number": (_wrapped, _wrapped, _padded),
    "list": (_list_as_prose, _list_as_prose, _list_on_one_line, _list_cut_short, _list_too_long),
    "sentences": (_padded, _padded, _telegram),
    "words_max": (_padded,),
    "starts_with": (_opened_otherwise,),
}

format_violation = ProposedNegative("format_violation", propose, format_flaw)
