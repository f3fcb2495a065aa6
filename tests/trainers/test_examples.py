"""What is trained on, and what is said about what is not."""

import pytest
from small_data import demonstrations, dpo_examples, pairs, recipe
from tiny_models import make_model, wrap

from trainers.errors import TrainingError
from trainers.examples import Examples, forward_tokens, prepare
from trainers.recipe import Recipe

BASE = wrap(make_model())


def prepared(examples, **changes):
    """With the recipe of the kind of examples given."""
    objective = "dpo" if examples.pairs else "sft"
    return prepare(examples, BASE.tokenizer, Recipe(**recipe(objective, **changes)))


def test_splits_stay_apart():
    """Validation rows are encoded, but never among those trained on."""
    found = prepared(Examples(demonstrations=demonstrations(10, 3)))

    assert [example.id for example in found.train] == [f"i{number}" for number in range(10)]
    assert [example.id for example in found.validation] == ["i10", "i11", "i12"]


def test_too_long_is_dropped_and_counted():
    """Nothing is cut: an example over max_length is left out whole; one of exactly max_length stays."""
    whole = prepared(Examples(demonstrations=demonstrations(10, 3)))
    lengths = sorted(forward_tokens([example]) for example in whole.train)

    found = prepared(Examples(demonstrations=demonstrations(10, 3)), max_length=lengths[4])

    assert [forward_tokens([example]) for example in found.train if forward_tokens([example]) > lengths[4]] == []
    assert len(found.train) + found.dropped_too_long == 10
    assert lengths[4] in [forward_tokens([example]) for example in found.train]
    assert found.dropped_too_long > 0


def test_a_pair_goes_when_either_side_is_too_long():
    """Both sides of every pair that stays fit."""
    found = prepared(dpo_examples(BASE), max_length=40)

    assert found.dropped_too_long > 0
    assert all(max(len(example.chosen), len(example.rejected)) <= 40 for example in found.train)


@pytest.mark.parametrize("rows", [[], demonstrations(0, 3)], ids=["none", "validation only"])
def test_nothing_to_train_on(rows):
    """An empty data set is an error that says so."""
    with pytest.raises(TrainingError, match="there are no demonstrations to train on"):
        prepare(Examples(demonstrations=rows), BASE.tokenizer, Recipe(**recipe("sft")))


def test_everything_too_long():
    """If all examples are too long, the message has the count and the limit."""
    with pytest.raises(TrainingError, match="all 10 demonstrations are longer than max_length 9 tokens: raise max_length"):
        prepared(Examples(demonstrations=demonstrations(10, 3)), max_length=9)


def test_pairs_need_their_reference():
    """A pair without reference log-probabilities is named: it would otherwise train against nothing."""
    whole = dpo_examples(BASE)

    with pytest.raises(TrainingError, match="pair p9 has no reference log-probabilities"):
        prepared(Examples(pairs=whole.pairs, reference=whole.reference[:9]))


def test_reference_of_other_tokens():
    """Reference log-probabilities that were computed for another text are refused."""
    whole = dpo_examples(BASE)
    changed = [pair.model_copy(update={"chosen": "Something else entirely."}) for pair in pairs()]

    with pytest.raises(TrainingError, match="pair p0 are of other tokens"):
        prepared(Examples(pairs=changed, reference=whole.reference))


def test_unknown_recipe_key():
    """A typo in a recipe is an error here too."""
    with pytest.raises(ValueError, match="betaa"):
        Recipe(**recipe("dpo", betaa=0.5))
