"""Specification of relation files: how they are read, filled in and refused."""

import pytest

from compiler.records import Constraint
from datagen.bank.constraints import mentions, satisfies
from datagen.bank.facts import Fact
from datagen.bank.relations import bank_phrasing, corpus_phrasings, load_relations, statements, to_item
from datagen.bank.schema import InvalidRelation, read_relation
from datagen.bank.wording import fill, with_article

CAPITAL = """
relation: capital
topic: geography
phrasings:
  - {kind: qa, text: "What is the capital of {entity}?"}
  - {kind: response, text: "Name the capital of {entity} in one word.", constraint: {type: one_word}}
statements: ["{value} is the capital of {entity}."]
facts:
  France: Paris
  Myanmar: [Naypyidaw, Nay Pyi Taw]
  Mexico: Mexico City
"""
LISTS = """
relation: examples
topic: things
phrasings:
  - {kind: response, text: "List {n} {entity}.", constraint: {type: list, n: 3}}
statements: ["Some {entity} are {members}."]
members:
  colours: [red, blue, green, yellow, black]
"""


def test_a_fact_becomes_an_item():
    """An item carries text, answers, constraint, good answer, family, entity, topic and an id made of family and entity."""
    relation = read_relation(CAPITAL, "capital.yaml")
    item = to_item(relation, relation.phrasings[1], relation.facts[0])

    assert item.model_dump() == {
        "id": "capital/2/france", "kind": "response", "instruction": "Name the capital of France in one word.", "answers": ("Paris",),
        "constraint": {"type": "one_word", "n": None, "text": None}, "good_answer": "Paris", "family": "capital/2", "entity": "France",
        "topic": "geography",
    }  # fmt: skip


def test_synonyms_are_answers_where_their_form_fits():
    """A synonym of two words answers the open question, not the one that wants one word."""
    relation = read_relation(CAPITAL, "capital.yaml")

    assert to_item(relation, relation.phrasings[0], relation.facts[1]).answers == ("Naypyidaw", "Nay Pyi Taw")
    assert to_item(relation, relation.phrasings[1], relation.facts[1]).answers == ("Naypyidaw",)


def test_a_phrasing_is_kept_from_facts_that_do_not_fit_it():
    """Nobody is asked in one word for a capital of two words, neither in the bank nor in the corpus."""
    relation = read_relation(CAPITAL, "capital.yaml")
    mexico = relation.facts[2]

    assert bank_phrasing(relation, mexico).family == "capital/1"
    assert corpus_phrasings(relation, mexico) == ()


def test_a_list_task_has_numbered_members_and_no_reference_answers():
    """The good answer is the first n members as numbered lines; statements name all of them."""
    relation = read_relation(LISTS, "examples.yaml")
    item = to_item(relation, relation.phrasings[0], relation.facts[0])

    assert (item.instruction, item.answers, item.good_answer) == ("List 3 colours.", None, "1. red\n2. blue\n3. green")
    assert statements(relation, relation.facts[0]) == ("Some colours are red, blue, green, yellow and black.",)


def test_an_open_task_has_a_good_answer_and_no_reference_answers():
    """What has many right answers is not graded against one."""
    relation = read_relation(CAPITAL.replace("topic:", "open: true\ntopic:"), "capital.yaml")
    item = to_item(relation, relation.phrasings[0], relation.facts[0])

    assert (item.answers, item.good_answer) == (None, "Paris")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("{kind: qa,", "{kind: quiz,", "capital.yaml: phrasings.0.kind: Input should be 'completion', 'qa', 'generation' or 'response'"),
        ("topic: geography", "topik: geography", "capital.yaml: topic: Field required"),
        ("facts:", "fcats:", "capital.yaml: fcats: Extra inputs are not permitted"),
        ("of {entity}?", "of {country}?", "capital.yaml: phrasing capital/1: text uses {country}; known here: an_entity, entity"),
        ("of {entity}?", "of France?", "capital.yaml: phrasing capital/1: text does not mention {entity}"),
        ("What is the capital of", "Is {value} the capital of", "capital.yaml: phrasing capital/1: text uses {value}"),
        ("{value} is the capital of {entity}.", "{members} is", "capital.yaml: statement '{members} is' uses {members}"),
        ("{type: one_word}", "{type: list}", "capital.yaml: phrasing capital/2: constraint list needs n, at least 1"),
        ("{type: one_word}", "{type: contains}", "capital.yaml: phrasing capital/2: constraint contains needs a text"),
        ("{type: one_word}", "{type: number}", "capital.yaml: phrasing capital/2: its good answer satisfies its constraint for no fact"),
        ("{type: one_word}", "{type: one_word}, good: Yes", "capital.yaml: fact 'France': the good answer of capital/2 holds no reference"),
        ("  France: Paris", "  France: Paris\n  france: Paris", "capital.yaml: entities 'France' and 'france' have the same id 'france'"),
        ("  France: Paris", "  France: Paris\n  France: Paris", "found duplicate key"),
        ("  France: Paris", "  France: ' Paris'", "capital.yaml: fact 'France': empty text, or space at an end"),
        ("  France: Paris", "  France: true", "capital.yaml: facts.France."),
        ("  France: Paris", "  true: Paris", "capital.yaml: facts.1.[key]"),
        ("facts:", "facts: [", "capital.yaml: "),
    ],
)  # fmt: skip
def test_refuses_mistakes_and_names_their_place(old, new, message):
    """Whatever breaks the format is an error that says where, whether of YAML, of the schema or of sense."""
    assert old in CAPITAL

    with pytest.raises(InvalidRelation) as caught:
        read_relation(CAPITAL.replace(old, new), "capital.yaml")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (", black]", "]", "examples.yaml: fact 'colours': needs at least 5 distinct members"),
        ("black]", "red]", "examples.yaml: fact 'colours': needs at least 5 distinct members"),
        (", constraint: {type: list, n: 3}", "", "examples.yaml: phrasing examples/1: a list task needs the constraint"),
        ("n: 3}", "n: 9}", "examples.yaml: fact 'colours': fits no phrasing's constraint"),
        ("members:\n", "facts: {a: b}\nmembers:\n", "give either `facts` or `members`"),
    ],
)
def test_refuses_list_tasks_that_cannot_be_answered(old, new, message):
    """A list task has enough distinct members, and always says how many it wants."""
    with pytest.raises(InvalidRelation) as caught:
        read_relation(LISTS.replace(old, new), "examples.yaml")
    assert message in str(caught.value)


def test_words_that_yaml_is_known_to_misread_stay_words():
    """Norway's code is NO, nitrogen's symbol is N, and 12:30 is a time of day."""
    relation = read_relation(CAPITAL.replace("France: Paris", "Norway: NO\n  y: off\n  noon: 12:30"), "capital.yaml")

    assert [fact.value for fact in relation.facts[:3]] == ["NO", "off", "12:30"]


def test_bank_phrasings_do_not_move_when_facts_are_added():
    """A fact's phrasing depends on relation and entity alone."""
    relation = read_relation(CAPITAL, "capital.yaml")
    longer = read_relation(CAPITAL.replace("  France: Paris", "  Chad: N'Djamena\n  France: Paris"), "capital.yaml")

    assert bank_phrasing(relation, relation.facts[0]).family == bank_phrasing(longer, longer.facts[1]).family


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{value} is a city.", "Cold is a city."),
        ("{value}", "cold"),
        ("it is {not}so", "it is so"),
        ("{an_entity} and {an_value}", "an owl and a cold"),
    ],
)
def test_templates_mind_their_english(template, expected):
    """Sentences start with a capital, bare answers stay as they are, articles follow the sound."""
    assert fill(template, Fact("owl", "cold")) == expected


def test_not_follows_no():
    """`{not}` turns a statement round where the value is no."""
    assert fill("A whale is {not}a fish.", Fact("whale", "No")) == "A whale is not a fish."


@pytest.mark.parametrize(
    "phrase",
    ["an hour", "an honest man", "a unicorn", "a university", "a European", "a ewe", "a one-way street", "an owl", "an uncle",
     "an uninvited guest", "an umbrella", "a user", "a hero", "an heir", "an octagon", "a cat"],
)  # fmt: skip
def test_articles_follow_the_sound(phrase):
    """The article is chosen by how the word is spoken, not by its first letter."""
    assert with_article(phrase.split(" ", 1)[1]) == phrase


@pytest.mark.parametrize(
    ("constraint", "good", "bad"),
    [
        (Constraint(type="one_word"), "mother-in-law", "New Delhi"),
        (Constraint(type="yes_no"), "Yes", "Perhaps"),
        (Constraint(type="number"), "-1,000.5", "about 7"),
        (Constraint(type="list", n=2), "1. a\n2. b", "1. a\n2. b\n3. c"),
        (Constraint(type="sentences", n=2), "It is 3.5 m. Good!", "It is one sentence."),
        (Constraint(type="sentences", n=1), "One.", "No end"),
        (Constraint(type="words_max", n=2), "two words", "now three words"),
        (Constraint(type="contains", text="Cat"), "A cat.", "A dog."),
        (Constraint(type="starts_with", text="In all"), "In all years.", "All in all."),
    ],
)
def test_constraints_tell_form_from_form(constraint, good, bad):
    """Every type of constraint accepts what it asks for and nothing else."""
    assert satisfies(good, constraint)
    assert not satisfies(bad, constraint)


def test_mentions_sees_whole_words_only():
    """An answer inside another word is not given."""
    assert mentions("The answer is (PARIS).", ["Paris"])
    assert not mentions("A parish is not it.", ["Paris"])


def test_every_phrasing_of_every_fact_makes_a_sound_item():
    """The instructions left to the corpus have good answers of the right form, too, that hold a reference answer."""
    for relation in load_relations():
        for fact in relation.facts:
            for phrasing in corpus_phrasings(relation, fact):
                item = to_item(relation, phrasing, fact)

                assert satisfies(item.good_answer, item.constraint), item
                assert item.answers is None or mentions(item.good_answer, item.answers), item
