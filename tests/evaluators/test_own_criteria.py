"""Criteria of one's own: the interface of the nine, ordinal scores, failures recorded and not fatal."""

import pytest

from compiler.records import Answer, Item
from evaluators.own_criteria import NoCriterion, read_criterion
from evaluators.scoring import score_items

TEXT = """
from evaluators.criteria import Criterion

def _judge(view):
    if "broken" in view.response:
        raise KeyError("no such thing")
    return {{"yes": True, "no": False, "none": None, "half": 0.5, "full": 1, "odd": 7, "text": "good", "nan": float("nan")}}[
        view.content.split()[0]
    ]

CRITERION = Criterion(name="{name}", definition="d", sees=(), blind_to=(), judge=_judge)
"""


def _score(response: str):
    item = Item(id="a", kind="qa", instruction="Say.")
    answer = Answer(item_id="a", split="heldout", response=response, tokens=1, hit_token_limit=False)
    own = {"own.mine": read_criterion(TEXT.format(name="mine"), "mine.py", "mine")}
    (score,) = score_items([item], [answer], criteria=["coherent"], own=own)
    return score


@pytest.mark.parametrize(("said", "score"), [("yes", True), ("no", False), ("none", None), ("half", 0.5), ("full", 1.0)])
def test_every_kind_of_score_is_kept_beside_the_nine(said, score):
    """True, false, null and numbers from 0 to 1, as they were given."""
    found = _score(f"{said} it is")

    assert found.criteria.keys() == {"coherent", "own.mine"}
    assert found.criteria["own.mine"] is score or found.criteria["own.mine"] == score
    assert isinstance(found.criteria["own.mine"], type(score))
    assert found.failures == {}
    assert type(found).model_validate_json(found.model_dump_json()) == found


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("broken", "KeyError: 'no such thing'"),
        ("odd", "7 is no score"),
        ("text", "'good' is no score"),
        ("nan", "nan is no score"),
    ],
)
def test_a_criterion_that_fails_on_an_answer_is_a_recorded_failure(said, why):
    """The run goes on: null, with the reason, and the other criteria are judged."""
    found = _score(f"{said} it is")

    assert found.criteria["own.mine"] is None
    assert why in found.failures["own.mine"]
    assert found.criteria["coherent"] is not None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("def judge(:\n", r"mine\.py:1: not Python"),
        ("\nimport math\nmath.no_such\n", r"mine\.py:3: AttributeError"),
        ("import sys\nsys.exit(3)\n", r"mine\.py:2: SystemExit: 3"),
        ("", r"mine\.py: no criterion is named 'mine'; it defines neither CRITERION nor CRITERIA"),
        ("CRITERION = 3\n", r"mine\.py: CRITERION is of type int, not a Criterion"),
        ("CRITERION = lambda view: True\n", r"mine\.py: CRITERION is of type function, not a Criterion"),
        ("CRITERIA = 3\n", r"mine\.py: CRITERIA is of type int, not a list or tuple of Criterion"),
        ("CRITERIA = [None]\n", r"mine\.py: CRITERIA\[0\] is of type NoneType, not a Criterion"),
        (TEXT.format(name="other"), r"mine\.py: no criterion is named 'mine'; there is other"),
    ],
)
def test_a_file_without_the_criterion_is_refused(text, told):
    """The message names file and line and what is there instead."""
    with pytest.raises(NoCriterion, match=told):
        read_criterion(text, "mine.py", "mine")


def test_one_file_may_hold_several():
    """`CRITERIA` lists them; each is found by its name."""
    text = TEXT.format(name="mine") + "\nimport dataclasses\nCRITERIA = (dataclasses.replace(CRITERION, name='twin'),)\n"

    assert read_criterion(text, "mine.py", "twin").name == "twin"
    assert read_criterion(text, "mine.py", "mine").name == "mine"


@pytest.mark.parametrize("first", ["", "from __future__ import annotations\n"])
def test_a_file_may_define_classes_of_its_own(first):
    """The file is a module like any other: a dataclass in it finds what its annotations mean."""
    own = "import dataclasses\n@dataclasses.dataclass\nclass Limit:\n    words: int = 20\n"

    assert read_criterion(first + own + TEXT.format(name="mine"), "mine.py", "mine").name == "mine"
