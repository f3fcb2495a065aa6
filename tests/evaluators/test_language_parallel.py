"""The same question answered about something else, and what only looks like it."""

import pytest

from evaluators.language.parallel import speaks_of_another

FRANCE, ANT, HAMLET = "What is the capital of France?", "How many legs does a spider have?", "Who wrote Hamlet?"


@pytest.mark.parametrize(
    ("sentence", "question"),
    [
        ("The capital of Spain is Madrid.", FRANCE),
        ("Madrid is the capital of Spain.", FRANCE),
        ("An ant has six legs.", ANT),
        ("Cervantes wrote Don Quixote.", HAMLET),
        ("9 times 7 is 63.", "What is 12 times 8?"),
        ("The boiling point of alcohol is 78 degrees.", "What is the boiling point of water?"),
    ],
)
def test_another_thing_in_the_same_place(sentence, question):
    """The question's own words frame something that it does not ask about."""
    assert speaks_of_another(sentence, question, frozenset())


@pytest.mark.parametrize(
    ("sentence", "question"),
    [
        ("The capital of France is Lyon.", FRANCE),
        ("Lyon is the capital.", FRANCE),
        ("The capital of that country is Lyon.", FRANCE),
        ("The capital of the country is Lyon.", FRANCE),
        ("The capital city is Lyon.", FRANCE),
        ("Spiders have six legs.", ANT),
        ("It has six legs.", ANT),
        ("There are six legs on a spider.", ANT),
        ("Marlowe wrote Hamlet.", HAMLET),
        ("Marlowe wrote this play.", HAMLET),
        ("Marlowe", HAMLET),
    ],
)
def test_a_wrong_answer_is_still_about_what_was_asked(sentence, question):
    """Naming it, a pronoun, "this ...", or saying nothing of another thing keep a sentence on the question."""
    assert not speaks_of_another(sentence, question, frozenset())


def test_a_reference_answer_may_stand_there():
    """What the references name is no other thing."""
    assert not speaks_of_another("The capital of Gaul is Lyon.", FRANCE, frozenset({"gaul"}))
