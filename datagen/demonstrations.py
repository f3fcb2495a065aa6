"""Demonstrations: the base model's own answers, cleaned, less those that a rule below throws out.

The base model labels itself. No rule looks at an item's reference answers or its good answer: to keep an answer because it is
right would smuggle supervision into an arm that claims to have none. (A test holds this.)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from compiler.records import Answer, Constraint, Demonstration, Item, Kind
from datagen.cleaning import Cleaned, before_marker, cut
from datagen.failings import has_placeholder, is_refusal
from datagen.form import list_items, meets, word_count
from datagen.mentions import normalise, tokens

MAX_WORDS: Mapping[Kind, int] = {"completion": 40, "qa": 60, "response": 120, "generation": 150}
"""The longest answer that is taught, by kind of instruction: more than this and a base model has wandered off."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """All that a rule may look at: no reference answers."""

    kind: Kind
    instruction: str
    constraint: Constraint | None
    cleaned: Cleaned
    hit_token_limit: bool

    @property
    def text(self) -> str:
        """The cleaned answer."""
        return self.cleaned.text


@dataclass(frozen=True, slots=True)
class Rule:
    """A reason to throw an answer out."""

    name: str
    says: str
    applies: Callable[[Candidate], bool]


@dataclass(frozen=True, slots=True)
class Dropped:
    """An answer that did not become a demonstration, by the first rule that applied."""

    item_id: str
    reason: str
    text: str
    """As the model wrote it."""


@dataclass(frozen=True, slots=True)
class Demonstrations:
    """What is taught, what is not, and how often which rule applied."""

    kept: tuple[Demonstration, ...]
    dropped: tuple[Dropped, ...]
    counts: dict[str, Any]


def _is_non_text(candidate: Candidate) -> bool:
    solid = [char for char in candidate.text if not char.isspace()]
    readable = sum(char.isalnum() for char in solid)
    return readable == 0 or "\ufffd" in solid or (len(solid) >= 12 and readable < len(solid) / 2)


def _is_echo(candidate: Candidate) -> bool:
    """The whole question again, or most of the instruction's words and no other: a completion may repeat its beginning."""
    asked, said = normalise(candidate.instruction).split(), normalise(candidate.text).split()
    if asked == said:
        return True
    adds_nothing = len(asked) >= 4 and set(said) <= set(asked) and len(said) >= 0.6 * len(asked)
    repeats_question = candidate.kind == "qa" and len(asked) >= 3 and said[: len(asked)] == asked
    return adds_nothing or repeats_question


def _asks_back(candidate: Candidate) -> bool:
    """Only where an answer is due: a reply or a text that was asked for may well be a question."""
    return candidate.kind in {"qa", "completion"} and candidate.text.endswith("?")


def _loops(candidate: Candidate) -> bool:
    keys = [token.key for token in tokens(candidate.text)]
    phrases = Counter(zip(keys, keys[1:], keys[2:], keys[3:], strict=False))
    if max(phrases.values(), default=0) > max(2, len(keys) // 20):
        return True
    lines = [normalise(line) for line in candidate.text.splitlines() if line.strip()]
    if len(lines) > 2 and len(set(lines)) <= len(lines) / 2:
        return True
    members = [normalise(member) for member in list_items(candidate.text)]
    return candidate.constraint is not None and candidate.constraint.type == "list" and len(set(members)) < len(members)


EMPTY = Rule("empty", "nothing is left after cleaning", lambda it: not it.text)
DEGENERATE = (
    EMPTY,
    Rule("non_text", "no letter or digit, broken characters, or mostly symbols", _is_non_text),
    Rule(
        "cut_off",
        "stopped by the token limit: neither END nor a new prompt shows where the answer ends",
        lambda it: it.hit_token_limit and it.cleaned.ending == "as_written",
    ),
    Rule("echo", "says the instruction again", _is_echo),
    Rule("refusal", "refuses, or sends the asker elsewhere", lambda it: is_refusal(it.text)),
    Rule("question_back", "answers a question by a question", _asks_back),
    Rule("placeholder", "leaves a template's gap open", lambda it: has_placeholder(it.text)),
    Rule("loops", "goes round in circles: a four-word phrase three times, half of its lines, or a list's member again", _loops),
)
"""Answers that are no answers; nothing can be learned from them, as a demonstration or as the chosen side of a pair."""

RULES = (
    *DEGENERATE,
    Rule("constraint", "plainly not the form asked for, read leniently", lambda it: not meets(it.constraint, it.text)),
    Rule("too_long", "more words than MAX_WORDS has for the kind", lambda it: word_count(it.text) > MAX_WORDS[it.kind]),
)
"""The rules, in the order in which they are tried."""


def first_broken(item: Item, answer: Answer, cleaned: Cleaned, rules: Iterable[Rule] = RULES) -> str | None:
    """The name of the first rule that throws the answer out, None if it may stay."""
    candidate = Candidate(item.kind, item.instruction, item.constraint, cleaned, answer.hit_token_limit)
    return next((rule.name for rule in rules if rule.applies(candidate)), None)


def build_demonstrations(items: Sequence[Item], answers: Sequence[Answer], *, clean: bool = True) -> Demonstrations:
    """Turns the base model's answers to training and validation items into demonstrations, in the order of the items.

    With `clean=False` (an ablation) an answer is taken as it was written up to the first END, and only an empty one is dropped.

    Raises:
        ValueError: an answer to an unknown or a held-out item, or two answers to one item.
    """
    by_item = answers_by_item(items, answers)
    kept: list[Demonstration] = []
    dropped: list[Dropped] = []
    for item in items:
        answer = by_item.get(item.id)
        if answer is None:
            continue
        cleaned = cut(answer.response) if clean else Cleaned(before_marker(answer.response), "as_written")
        reason = first_broken(item, answer, cleaned, RULES if clean else (EMPTY,))
        if reason:
            dropped.append(Dropped(item.id, reason, answer.response))
        elif answer.split != "heldout":
            kept.append(Demonstration(item_id=item.id, instruction=item.instruction, response=cleaned.text, split=answer.split))
    return Demonstrations(tuple(kept), tuple(dropped), _counts(by_item.values(), kept, dropped))


def answers_by_item(items: Sequence[Item], answers: Iterable[Answer]) -> dict[str, Answer]:
    """The answers by item id.

    Raises:
        ValueError: an answer to an unknown or a held-out item, or two answers to one item.
    """
    known = {item.id for item in items}
    found: dict[str, Answer] = {}
    for answer in answers:
        if answer.item_id not in known:
            raise ValueError(f"answer to {answer.item_id!r}, which is none of the items; generate the answers from these items")
        if answer.split == "heldout":
            raise ValueError(f"answer to the held-out item {answer.item_id!r}: held-out items are never trained on")
        if answer.item_id in found:
            raise ValueError(f"two answers to {answer.item_id!r}; one is needed")
        found[answer.item_id] = answer
    return found


def _counts(answers: Iterable[Answer], kept: Sequence[Demonstration], dropped: Sequence[Dropped]) -> dict[str, Any]:
    splits = Counter(demonstration.split for demonstration in kept)
    return {
        "answers": len(list(answers)),
        "kept": len(kept),
        "kept_train": splits["train"],
        "kept_validation": splits["validation"],
        "dropped": dict(sorted(Counter(row.reason for row in dropped).items())),
    }
