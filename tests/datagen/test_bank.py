"""Specification of the instruction bank as a whole."""

import re
from collections import Counter
from typing import get_args

import pytest

from compiler.records import Constraint, ConstraintType, Kind
from datagen.bank import load_bank
from datagen.bank.constraints import constraint_problems, mentions, satisfies
from datagen.bank.relations import bank_phrasing, corpus_phrasings, load_relations, statements, to_item
from datagen.near_duplicates import normalise

FORMS = {"one_word", "yes_no", "number"}
DEMANDS = {
    "one_word": r"\bone\b|\bsingle\b|\bjust\b|\bonly\b",
    "yes_no": r"\byes\b.*\bno\b|\bno\b.*\byes\b",
    "number": r"number|digit|figure|numeral|year",
    "list": r"{n}",
    "sentences": r"sentence",
    "words_max": r"{n}.*\bwords?\b|\bwords?\b.*{n}",
    "contains": r"{text}",
    "starts_with": r"{text}",
}
NUMBERS = ("", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
           "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty")  # fmt: skip


def demand(constraint: Constraint) -> re.Pattern[str]:
    """How an instruction says its constraint in words."""
    number = "|".join((str(constraint.n), NUMBERS[constraint.n])) if constraint.n else ""
    pattern = DEMANDS[constraint.type].replace("{n}", rf"\b(?:{number})\b").replace("{text}", re.escape(constraint.text or ""))
    return re.compile(pattern, re.IGNORECASE)


def test_is_large_and_of_every_kind():
    """At least 1,000 items, of every kind at least 200, on many topics, with every type of constraint."""
    bank = load_bank()
    kinds = Counter(item.kind for item in bank)

    assert len(bank) >= 1_000
    assert all(kinds[kind] >= 200 for kind in get_args(Kind))
    assert len({item.topic for item in bank}) >= 20
    assert {item.constraint.type for item in bank if item.constraint} == set(get_args(ConstraintType))


def test_every_item_is_its_own():
    """Ids and instructions are distinct, also when case, spacing and punctuation are left aside."""
    for texts in ([item.id for item in load_bank()], [normalise(item.instruction) for item in load_bank()]):
        assert [text for text, count in Counter(texts).items() if count > 1] == []


def test_every_item_says_where_it_comes_from():
    """Family, entity, topic and a good answer are never missing."""
    assert [item.id for item in load_bank() if not (item.family and item.entity and item.topic and item.good_answer)] == []


def test_good_answers_satisfy_their_constraints():
    """A constraint is complete, and the good answer has the form that it demands."""
    for item in load_bank():
        if item.constraint:
            assert list(constraint_problems(item.constraint, item.id)) == []
            assert satisfies(item.good_answer, item.constraint), item


def test_reference_answers_satisfy_constraints_on_their_form():
    """Where one word, yes or no, or a number is asked for, every reference answer is one."""
    for item in load_bank():
        if item.answers and item.constraint and item.constraint.type in FORMS:
            assert all(satisfies(answer, item.constraint) for answer in item.answers), item


def test_constraints_are_said_in_the_instruction():
    """Nobody is held to a demand that the instruction does not make."""
    silent = [
        item.instruction for item in load_bank() if item.constraint and not demand(item.constraint).search(item.instruction)
    ]

    assert silent == []


def test_good_answers_hold_a_reference_answer():
    """Where there are reference answers, the good answer gives one of them; there is no empty tuple of answers."""
    for item in load_bank():
        assert item.answers is None or (item.answers and mentions(item.good_answer, item.answers)), item


def test_entities_give_nothing_away():
    """What is asked about does not hold the answer, but where the task is to choose among entities or a form does not change."""
    leaky = [
        item.id
        for item in load_bank()
        if item.answers and mentions(item.entity, item.answers) and item.family.split("/")[0] not in HOLDS_ITS_ANSWER
    ]

    assert leaky == []


HOLDS_ITS_ANSWER = {"larger_number", "comparison", "plural"}
"""Choices between two entities, and plurals that equal their singulars (deer, sheep)."""


def test_texts_are_short_and_plain():
    """Nearly all instructions and good answers fit in 20 words, and no text needs more than ASCII."""
    bank = load_bank()

    assert sum(len(item.instruction.split()) > 20 for item in bank) <= len(bank) // 20
    assert max(len(item.instruction.split()) for item in bank) <= 30
    assert sum(len(item.good_answer.split()) > 20 for item in bank) <= len(bank) // 20
    assert [item.id for item in bank if not (item.instruction + item.good_answer).isascii()] == []


def test_instructions_start_and_end_properly():
    """An instruction starts with a capital or a digit, has no stray space, and leaves no placeholder."""
    for item in load_bank():
        for text in (item.instruction, item.good_answer):
            assert re.fullmatch(r"\S(?s:.*)\S|\S", text), item
            assert "  " not in text
            assert not re.search(r"[{}]", text), item
        assert re.match(r"[\"'A-Z0-9]", item.instruction), item


@pytest.mark.parametrize("relation", load_relations(), ids=lambda relation: relation.name)
def test_the_bank_and_the_corpus_share_facts_but_no_instruction(relation):
    """Every fact has one phrasing in the bank and at least one other, or a statement, for the corpus."""
    instructions = {item.instruction for item in load_bank()}
    own = [item for item in load_bank() if item.family.startswith(f"{relation.name}/")]
    for fact in relation.facts:
        others = corpus_phrasings(relation, fact)

        assert bank_phrasing(relation, fact) not in others
        assert to_item(relation, bank_phrasing(relation, fact), fact) in own
        assert others or statements(relation, fact)
        assert not {to_item(relation, phrasing, fact).instruction for phrasing in others} & instructions
    assert len(own) == len(relation.facts)


def test_most_facts_are_left_to_the_corpus_in_several_wordings():
    """Nine facts in ten have two or more phrasings that are not the bank's."""
    counts = [len(corpus_phrasings(relation, fact)) for relation in load_relations() for fact in relation.facts]

    assert sum(count >= 2 for count in counts) >= 0.9 * len(counts)


def test_phrasings_share_the_work():
    """No phrasing of a relation goes unused in the bank unless hardly a fact fits it."""
    used = {item.family for item in load_bank()}
    unused = [
        phrasing.family for relation in load_relations() for phrasing in relation.phrasings if phrasing.family not in used
    ]

    assert len(unused) <= len(used) // 20, unused
