"""What each type of negative is meant to fail, and how."""

from __future__ import annotations

import random
from itertools import islice

import pytest
from negative_samples import CAPITALS, LISTS, capital_item, world

from compiler.records import Constraint, Item
from datagen.failings import has_artefact, is_refusal
from datagen.form import is_listed, list_items, meets, word_count, yes_or_no
from datagen.mentions import content_words, mentions, normalise, number
from datagen.negatives import BUILDERS, Pool
from datagen.negatives.checks import format_flaw, off_topic_flaw, refusal_flaw, vague_flaw, wrong_fact_flaw
from datagen.negatives.wrong_values import nearby_numbers

ITEMS = world()
POOL = Pool(tuple(ITEMS), {item.id: item.good_answer or "" for item in ITEMS})
VELDON = ITEMS[0]
NUMBER = next(item for item in ITEMS if item.entity == "a snolf")
STANCE = next(item for item in ITEMS if item.family == "deed/1")
BIRDS = next(item for item in ITEMS if item.constraint and item.constraint.type == "list")


def built(kind: str, item: Item, chosen: str, draws: int = 20, pool: Pool = POOL) -> set[str]:
    """What twenty seeds build."""
    return {text for seed in range(draws) if (text := BUILDERS[kind].build(item, chosen, pool, random.Random(seed)))}


def other_answers(item: Item, text: str) -> Item:
    """An item whose answers are changed."""
    return item.model_copy(update={"answers": (text,)})


# incorrect_factual


def test_a_wrong_value_takes_the_place_of_the_right_one() -> None:
    """The sentence stays; the value is another entity's."""
    texts = built("incorrect_factual", VELDON, "Marsk is the seat of Veldon.")

    assert texts <= {f"{value} is the seat of Veldon." for value in CAPITALS.values() if value != "Marsk"}
    assert len(texts) > 1


def test_a_short_answer_that_is_wrong_already_gets_another_wrong_one() -> None:
    """Nothing looks at whether the model was right."""
    assert built("incorrect_factual", VELDON, "Tevra.") <= {f"{value}." for value in CAPITALS.values()} - {"Marsk.", "Tevra."}


def test_synonyms_of_the_answer_are_not_wrong() -> None:
    """A value that overlaps with any accepted answer is never offered as wrong."""
    item = VELDON.model_copy(update={"answers": ("Marsk", "Tevra", "Dulo", "old Ilsk")})
    texts = built("incorrect_factual", item, "Marsk")

    assert texts
    assert texts <= {"Quell", "Yosk"}


def test_what_is_right_for_two_entities_is_not_lent() -> None:
    """A sibling that shares an answer with this item lends none of its others."""
    sibling = capital_item("Orlin", answers=("Tevra", "Marsk"))
    texts = built("incorrect_factual", VELDON, "Marsk", pool=Pool((VELDON, sibling), {}))

    assert texts == set()


def test_numbers_are_changed_in_their_own_style() -> None:
    """A wrong number is a number, in digits where digits stood and in words where words stood."""
    digits, words = built("incorrect_factual", NUMBER, "14"), built("incorrect_factual", NUMBER, "It has fourteen legs.")

    assert digits
    assert all(number(text) not in {None, 14} for text in digits)
    assert words
    assert all(
        text.startswith("It has ") and number(text.split()[2]) is not None and not text.split()[2].isdigit() for text in words
    )


@pytest.mark.parametrize(
    "text", ["7", "0", "1969", "3.14", "1,250", "-4", "384400", "twelve", "100 degrees", "February 14", "1e5 x 2"]
)
def test_nearby_numbers_keep_precision_and_sign(text: str) -> None:
    """Same text around the number, same number of decimals, same sign, another value."""
    changed = list(islice(nearby_numbers(text, random.Random(1)), 20))

    assert changed
    for other in changed:
        assert normalise(other) != normalise(text)
        assert other.count("-") == text.count("-")
        assert len(other.partition(".")[2]) == len(text.partition(".")[2])
        assert ("," in other) <= ("," in text)


def test_yes_and_no_are_turned_round_with_their_sentence() -> None:
    """ "Yes, it is." becomes "No, it is not.", never "No, it is."."""
    assert built("incorrect_factual", STANCE, "Yes") == {"No"}
    assert built("incorrect_factual", STANCE, "Yes, gralks are swimmers.") == {"No, gralks are not swimmers."}
    assert built("incorrect_factual", other_answers(STANCE, "No"), "No, it does not swim.") == {"Yes, it does swim."}


def test_the_other_option_is_taken_from_the_question() -> None:
    """A choice between two gets the wrong one, even where the question names the right one."""
    item = Item(id="x", kind="qa", instruction="Is 29 an even or an odd number?", answers=("odd",))

    assert built("incorrect_factual", item, "29 is an odd number.") <= {"29 is an even number."}
    assert built("incorrect_factual", item, "odd") == {"even"}


def test_an_operand_is_not_mistaken_for_the_result() -> None:
    """ "7 + 0 = 7" with every 7 replaced would be another sum; the wrong number stands alone."""
    item = Item(id="x", kind="qa", instruction="What is 7 + 0?", answers=("7",))
    texts = built("incorrect_factual", item, "7 + 0 = 7.")

    assert texts
    assert all(number(text.rstrip(".")) is not None for text in texts)


def test_articles_follow_the_value() -> None:
    """ "an orange" becomes "a banana"."""
    item = Item(id="x", kind="qa", instruction="What is it?", answers=("orange",), family="r/1", entity="p", topic="t")
    other = Item(id="y", kind="qa", instruction="What was it?", answers=("banana",), family="r/1", entity="q", topic="t")

    assert built("incorrect_factual", item, "It is an orange.", pool=Pool((item, other), {})) == {"It is a banana."}


def test_a_list_gets_one_foreign_member() -> None:
    """Same number of lines, one of them from a list about something else."""
    foreign = {member for entity, members in LISTS.items() if entity != BIRDS.entity for member in members}

    for text in built("incorrect_factual", BIRDS, BIRDS.good_answer or ""):
        added = set(list_items(text)) - set(LISTS[BIRDS.entity])
        assert is_listed(text)
        assert len(list_items(text)) == 3
        assert len(added) == 1
        assert added <= foreign


def test_open_tasks_are_told_of_a_sibling() -> None:
    """A definition gets another thing's definition under its own name; a reason gets another reason."""
    gym = Item(id="a", kind="qa", instruction="What is a gym?", family="place/1", entity="gym")
    bank = Item(id="b", kind="qa", instruction="What is a bank?", family="place/1", entity="bank")
    pool = Pool((gym, bank), {"a": "A gym is where people train.", "b": "A bank is where money is kept safe."})

    assert built("incorrect_factual", gym, "A gym is where people train.", pool=pool) == {"A gym is where money is kept safe."}

    pool = Pool((gym, bank), {"a": "They go because training is fun.", "b": "They open it because money must be kept."})

    assert built("incorrect_factual", gym, "They go because training is fun.", pool=pool) == {
        "They go because money must be kept."
    }


def test_form_is_kept() -> None:
    """A wrong fact under a constraint still obeys it."""
    one_word = next(item for item in ITEMS if item.constraint and item.constraint.type == "one_word")

    assert all(word_count(text) == 1 for text in built("incorrect_factual", one_word, one_word.good_answer or ""))
    assert wrong_fact_flaw(one_word, "soft", "very hard") == "loses_the_form"
    assert wrong_fact_flaw(VELDON, "Marsk", "The seat is MARSK, they say") == "accidentally_correct"


def test_the_bank_lends_values_of_the_relation() -> None:
    """An item of the bank without siblings in its sample still gets a value of the right kind."""
    item = Item(
        id="capital/1/france",
        kind="qa",
        instruction="What is the capital of France?",
        answers=("Paris",),
        family="capital/1",
        entity="France",
        topic="geography",
    )
    texts = built("incorrect_factual", item, "Paris", pool=Pool((item,), {}))

    assert len(texts) > 10
    assert texts & {"Berlin", "Rome", "Madrid", "Cairo", "Lima", "Oslo", "Vienna", "Tokyo", "Havana", "Athens"}


# unwarranted_refusal


def test_subjects_fit_into_a_sentence() -> None:
    """Names stand bare, things with their article, other words in quotes, and what is a sentence itself is not named."""
    bare, article, quoted, sentence = (
        VELDON.model_copy(update={"instruction": instruction, "entity": entity, "topic": ""})
        for instruction, entity in [
            ("Where is Veldon?", "Veldon"),
            ("What is a lawn rake for?", "lawn rake"),
            ("What do chefs do?", "chefs"),
            ("Reply to 'I am late.'", "I am late."),
        ]
    )
    texts = {
        name: " ".join(built("unwarranted_refusal", item, "Marsk", draws=40))
        for name, item in [("bare", bare), ("article", article), ("quoted", quoted), ("sentence", sentence)]
    }

    assert " Veldon" in texts["bare"]
    assert " a lawn rake" in texts["article"]
    assert ' "chefs"' in texts["quoted"]
    assert "I am late" not in texts["sentence"]


def test_refusals_refuse_and_stay_silent() -> None:
    """A refusal is recognised as one, is about the subject now and then, and never tells the answer."""
    texts = built("unwarranted_refusal", VELDON, "Marsk", draws=60)

    assert all(is_refusal(text) for text in texts)
    assert any("Veldon" in text for text in texts)
    assert refusal_flaw(VELDON, "Marsk", "I cannot help, but it is Marsk.") == "gives_the_answer"
    assert refusal_flaw(VELDON, "Marsk", "It is a town.") == "no_refusal"


# verbose_vague


def test_filler_is_wordy_and_empty() -> None:
    """At least 25 words, no number, no answer, no refusal."""
    for text in built("verbose_vague", VELDON, "Marsk", draws=60):
        assert word_count(text) >= 25
        assert not any(char.isdigit() for char in text)
        assert not is_refusal(text)
    assert vague_flaw(VELDON, "Marsk", "It depends.") == "too_short"


# off_topic


def test_off_topic_shares_no_subject_with_the_instruction() -> None:
    """No content word of the instruction, and a topic of its own."""
    for text in built("off_topic", VELDON, "Marsk is the seat of Veldon.", draws=40):
        assert not content_words(text) & content_words(VELDON.instruction)
        assert not mentions(text, CAPITALS.values())
    assert off_topic_flaw(VELDON, "Marsk", "Orlin has a seat in Tevra.") == "on_topic"


def test_off_topic_keeps_a_like_form() -> None:
    """A list is answered by a list, one word by one word, a bare value by a short sentence."""
    one_word = next(item for item in ITEMS if item.constraint and item.constraint.type == "one_word")
    values = Pool(tuple(ITEMS), {item.id: item.answers[0] for item in ITEMS if item.answers})

    assert all(is_listed(text) for text in built("off_topic", BIRDS, BIRDS.good_answer or ""))
    assert all(word_count(text) == 1 for text in built("off_topic", one_word, "soft", pool=values))
    assert all(3 <= word_count(text) <= 30 for text in built("off_topic", VELDON, "Marsk"))


# format_violation


@pytest.mark.parametrize(
    ("constraint", "chosen"),
    [
        (Constraint(type="one_word"), "Marsk"),
        (Constraint(type="number"), "14"),
        (Constraint(type="yes_no"), "Yes"),
        (Constraint(type="sentences", n=1), "Marsk is the seat of Veldon."),
        (Constraint(type="words_max", n=12), "The seat is Marsk."),
        (Constraint(type="starts_with", text="The seat"), "The seat is Marsk."),
        (Constraint(type="contains", text="seat"), "The seat is Marsk."),
        (Constraint(type="list", n=3), "1. rolk\n2. pessin\n3. tarrow"),
        (None, "Marsk"),
    ],
)
def test_form_is_broken_and_facts_are_kept(constraint: Constraint | None, chosen: str) -> None:
    """Either the constraint is broken or prompt and markup show; the chosen words are still there."""
    item = VELDON.model_copy(update={"constraint": constraint, "answers": (chosen,) if "\n" not in chosen else None})
    texts = built("format_violation", item, chosen, draws=60)

    assert len(texts) > 20
    for text in texts:
        assert has_artefact(text) or not meets(constraint, text, strictly=True)
        assert 2 * len(content_words(chosen) & content_words(text)) >= len(content_words(chosen))
    if constraint and constraint.type != "contains":
        assert any(not has_artefact(text) for text in texts), "the explicit form itself is broken at times"


def test_a_list_is_broken_in_many_ways() -> None:
    """Prose, one line, too few and too many members all occur."""
    texts = built("format_violation", BIRDS, BIRDS.good_answer or "", draws=120)
    sizes = {len(list_items(text)) for text in texts if is_listed(text) and not has_artefact(text)}

    assert {2, 4} <= sizes
    assert any("\n" not in text for text in texts)


def test_format_checks_refuse_what_is_no_violation() -> None:
    """A changed fact or an intact form is no format violation."""
    assert format_flaw(VELDON, "Marsk", "It is Marsk, I think") == "form_kept"
    assert format_flaw(VELDON, "Marsk", "Response: Tevra") == "loses_the_facts"


# random


def test_random_is_another_items_answer() -> None:
    """Nothing is made up, and nothing is right by accident."""
    texts = built("random", STANCE, "Yes", draws=60)

    assert texts <= {answer for key, answer in POOL.answers.items() if key != STANCE.id}
    assert len(texts) > 5
    assert all(yes_or_no(text) != "yes" for text in texts)


def test_random_is_never_right_by_accident() -> None:
    """Another item's answer that happens to be right here is passed over, also where the chosen answer is wrong."""
    pool = Pool((VELDON, ITEMS[1], ITEMS[2]), {ITEMS[1].id: "It is Marsk.", ITEMS[2].id: "Dulo"})

    assert built("random", VELDON, "Quell", pool=pool) == {"Dulo"}
