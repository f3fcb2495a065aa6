"""What a careful reader of the facts would object to: held-out questions in the corpus, and questions asked twice."""

import re

from datagen.bank import load_bank
from datagen.bank.relations import corpus_phrasings, load_relations, statements, to_item

FACTS = [(relation, fact) for relation in load_relations() for fact in relation.facts]


def words(text):
    """The text as lower-case words between single spaces, so that one text can be looked up inside another."""
    return " " + " ".join(re.findall(r"\w+", text.casefold())) + " "


def corpus_texts():
    """Every way in which the corpus may put a fact: the phrasings that are not the bank's, answered, and the statements."""
    for relation, fact in FACTS:
        for phrasing in corpus_phrasings(relation, fact):
            item = to_item(relation, phrasing, fact)
            yield f"{item.instruction} {item.good_answer}"
        yield from statements(relation, fact)


def test_no_bank_instruction_hides_inside_a_text_of_the_corpus():
    """Not even as part of a longer text, with case and punctuation left aside: "Which is X?" in "Someone asks: which is X"."""
    corpus = "\n".join(map(words, corpus_texts()))

    assert [item.instruction for item in load_bank() if words(item.instruction) in corpus] == []


def test_no_question_is_asked_twice_in_the_same_words():
    """Among all phrasings of all facts, not only the bank's: two relations must not share a question."""
    seen = {}
    for relation, fact in FACTS:
        for phrasing in relation.phrasings:
            item = to_item(relation, phrasing, fact)
            assert seen.setdefault(words(item.instruction), item.id) == item.id
