"""Specification of the worked examples of few-shot prompts."""

import re
from itertools import product

from datagen.bank import load_bank
from datagen.bank.constraints import mentions
from datagen.bank.relations import load_relations, to_item
from datagen.exemplars import EXEMPLARS
from datagen.near_duplicates import near_duplicate_pairs


def test_the_first_four_show_the_main_forms():
    """A short answer, a sentence, a list and a completion come first, so that few examples already teach the form."""
    question, sentence, listing, completion = EXEMPLARS[:4]

    assert question.instruction.endswith("?")
    assert re.fullmatch(r"[A-Z][^.]*\.", sentence.response)
    assert [line[:3] for line in listing.response.splitlines()] == ["1. ", "2. ", "3. "]
    assert completion.instruction.startswith("Complete the sentence:")


def test_the_first_eight_show_constraints_too():
    """Yes or no, one word, a number and a given beginning are among the first eight."""
    responses = [exemplar.response for exemplar in EXEMPLARS[4:8]]

    assert responses[0] in {"Yes", "No"}
    assert responses[1].isalpha()
    assert responses[2].isdigit()
    assert responses[3].startswith(EXEMPLARS[7].instruction.partition("starts with: ")[2])


def test_no_two_exemplars_resemble_each_other():
    """Every exemplar adds something."""
    assert near_duplicate_pairs([exemplar.instruction for exemplar in EXEMPLARS], 0.5) == set()


def test_exemplars_resemble_no_instruction():
    """No exemplar is a near-duplicate of a bank instruction, nor of any phrasing filled with a fact of its relation."""
    filled = [
        to_item(relation, phrasing, relation.facts[0]) for relation in load_relations() for phrasing in relation.phrasings
    ]
    exemplars = [exemplar.instruction for exemplar in EXEMPLARS]
    texts = [*exemplars, *(item.instruction for item in (*load_bank(), *filled))]

    assert [pair for pair in near_duplicate_pairs(texts) if pair[0] < len(exemplars)] == []


def test_exemplars_give_no_fact_away():
    """No exemplar asks about the entity of a fact (letters aside) and answers with one of its answers."""
    for (instruction, response), relation in product(EXEMPLARS, load_relations()):
        for fact in relation.facts:
            if len(fact.entity) > 1 and fact.entity.casefold() in instruction.casefold():
                answers = fact.members or (fact.value, *fact.synonyms)

                assert not (mentions(instruction, [fact.entity]) and mentions(response, answers)), fact
