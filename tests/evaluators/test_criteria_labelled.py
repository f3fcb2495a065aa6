"""Every labelled answer is judged as a person judged it, but for the misses that are known and named."""

from pathlib import Path

import pytest

import evaluators
from evaluators.criteria import CRITERIA
from evaluators.criteria.agreement import Labelled, agreements, cohen_kappa, read_labelled

FOLDER = Path(evaluators.__file__).parent / "labelled"
LABELLED = [
    each for path in sorted(FOLDER.glob("*.jsonl")) for each in read_labelled(path.read_text(encoding="utf-8").splitlines())
]
JUDGES = {criterion.name: criterion.judge for criterion in CRITERIA}

KNOWN_MISSES = {
    "An artist is no country: kinds of things that the topic lexicon does not hold": {"A Nigerian-born artist\nEND"},
    "Two words that could be an answer ('it was') and are a fragment": {"it was\nEND"},
    "Who was first is told by 'followed', which takes understanding": {
        "Buzz Aldrin was first; Neil Armstrong followed him.\nEND"
    },
    "Office words are near a doctor's": {"printer out of paper and the meeting in room five.\nEND"},
    "Only one word of 'Inflation rose to three percent' tells its field": {
        "Inflation rose to three percent in the last quarter.\nEND"
    },
    "A motto speaks in images, so little speaks against fish": {"Fresh fish every morning\nEND"},
    "An adjective may be the whole answer: 'very famous' says little, and something": {
        "a very famous inventor of the telephone.\nEND"
    },
    "A possessive that refers within its own sentence could as well refer to what was asked": {
        "Spiders catch flies in their webs.\nEND",
        "She parked her car behind the church.\nEND",
        "They moved into a small flat near the park.\nEND",
    },
    "Writing tasks may ask for good wishes, whatever else they say": {
        "I am so glad that you passed the exam.\nEND",
        "Best wishes for your wedding day.\nEND",
    },
    "Two particular words could be an answer to a question that they have nothing in common with": {
        "There were nine players on the field.\nEND",
        "Japan uses the yen.\nEND",
    },
    "On the Moon, at the Pole: another preposition is no parallel": {
        "The first person at the South Pole was Roald Amundsen.\nEND"
    },
    "A product is a kind of number": {"12 times 8 is a product.\nEND"},
    "Salt is near mercury: both are chemistry": {"This soup needs more salt and pepper.\nEND"},
    "A double bound ('not more or fewer than six') reads as a denial": {
        "A hexagon can't have more or fewer than six sides.\nEND"
    },
}


def _known(labelled: Labelled) -> str | None:
    return next((why for why, responses in KNOWN_MISSES.items() if labelled.view.response in responses), None)


def _params() -> list:
    return [
        pytest.param(each, id=each.id, marks=[pytest.mark.xfail(reason=why, strict=True)] if (why := _known(each)) else [])
        for each in LABELLED
    ]


@pytest.mark.parametrize("labelled", _params())
def test_a_labelled_answer_is_judged_as_labelled(labelled):
    """Each criterion that the label speaks about comes out as the label says."""
    judged = {name: JUDGES[name](labelled.view) for name in labelled.expected}

    assert judged == labelled.expected, f"{labelled.why}: {labelled.view.response!r}"


def test_the_set_is_large_and_half_of_it_are_traps():
    """At least 400 answers, half of them traps, over every kind and constraint, and both values of every criterion."""
    kinds = {each.view.kind for each in LABELLED}
    constraints = {each.view.constraint.type for each in LABELLED if each.view.constraint}
    values = {(name, value) for each in LABELLED for name, value in each.expected.items()}

    assert len(LABELLED) >= 400
    assert sum(each.trap for each in LABELLED) * 2 >= len(LABELLED)
    assert kinds == {"completion", "qa", "generation", "response"}
    assert len(constraints) == 8
    assert values >= {(criterion.name, value) for criterion in CRITERIA for value in (True, False)}
    assert len({each.id for each in LABELLED}) == len(LABELLED)


def test_every_criterion_agrees_with_the_labels():
    """Cohen's kappa is at least 0.85 for each criterion and 0.9 on average."""
    kappas = [each.kappa for each in agreements(LABELLED)]

    assert min(kappas) >= 0.85
    assert sum(kappas) / len(kappas) >= 0.9


def test_kappa_of_a_worked_example():
    """20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no: observed .7, chance .5, kappa .4."""
    pairs = [(True, True)] * 20 + [(True, False)] * 5 + [(False, True)] * 10 + [(False, False)] * 15

    assert cohen_kappa(pairs) == pytest.approx(0.4)


@pytest.mark.parametrize("pairs", [[], [(True, True)] * 3, [(None, None)]])
def test_kappa_of_what_never_varies_is_undefined(pairs):
    """Without ratings, or where both raters know one value only, chance agreement is complete and there is no kappa."""
    assert cohen_kappa(pairs) is None


def test_a_label_for_an_unknown_criterion_is_an_error():
    """A misspelt criterion in a label must not pass as left open."""
    line = (
        '{"id": "x", "kind": "qa", "instruction": "?", "answers": null, "constraint": null, "response": "", '
        '"hit_token_limit": false, "expected": {"coherant": true}, "trap": false, "why": ""}'
    )

    with pytest.raises(ValueError, match="x: no such criterion: coherant"):
        read_labelled([line])
