"""A person's labels: read strictly, compared criterion by criterion, every mistake with its line."""

import pytest

from evaluators.labels import MalformedLabels, Scored, answer_key, compare

SCORED = [
    Scored("a", "base", None, "Paris", {"coherent": True, "factually_correct": None}),
    Scored("a", "sft", 1, "Lyon", {"coherent": True, "factually_correct": False}),
    Scored("b", "sft", 1, "Four, I think", {"coherent": False, "factually_correct": True}),
    Scored("b", "sft", 2, "Four, I think", {"coherent": False, "factually_correct": True}),
]


def _problems(text: str) -> tuple[str, ...]:
    with pytest.raises(MalformedLabels) as caught:
        compare(text.splitlines(keepends=True), "labels.csv", SCORED)
    return caught.value.problems


def test_agreement_and_disputes_per_criterion():
    """True, false and null are held against the scorer's; an empty cell is no label."""
    text = "item_id,arm,seed,coherent,factually_correct\na,base,,yes,n/a\na,sft,1,no,0\nb,sft,1,FALSE,\n"

    coherent, factual = sorted(compare(text.splitlines(), "labels.csv", SCORED), key=lambda each: each.criterion)

    assert (coherent.n, coherent.agreed) == (3, 2)
    assert coherent.kappa == pytest.approx(0.4)
    assert [(each.item_id, each.person, each.scorer, each.response) for each in coherent.disputes] == [
        ("a", False, True, "Lyon")
    ]
    assert (factual.n, factual.agreed) == (2, 2)


def test_an_answer_is_known_by_its_key_whoever_gave_it():
    """The key of a labelling sheet stands for all arms and seeds that gave this answer."""
    text = f'item_id,answer,note,coherent\nb,{answer_key("b", "Four, I think")},"read, twice\nby two",no\n'

    (found,) = compare(text.splitlines(keepends=True), "labels.csv", SCORED)

    assert (found.n, found.agreed) == (1, 1)


def test_every_mistake_is_named_with_its_line():
    """Wrong words, unknown answers, missing cells and contradictions, all at once."""
    text = 'item_id,arm,seed,coherent\na,base,,"yes\n?"\na,none,,yes\nb,sft,7,yes\na,base\nb,sft,1,no\nb,sft,2,yes\n'

    assert _problems(text) == (
        "labels.csv:2: `coherent` says 'yes\\n?'; true or false is expected, null where it does not apply",
        "labels.csv:4: the run has no answer of arm 'none' to item 'a'",
        "labels.csv:5: the run has no answer of arm 'sft' with seed 7 to item 'b'",
        "labels.csv:6: 2 cells, but the header has 4",
        "labels.csv:8: this answer has other labels on line 7",
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "the header must name `item_id`"),
        ("item_id,coherent\na,yes\n", "and `answer` or `arm`"),
        ("item_id,arm,seed,verdict\na,base,,yes\n", "no column is a criterion of this run"),
        ("item_id,arm,factually_correct,coherrent\na,base,,yes\n", "no criterion of this run; did you mean `coherent`?"),
        ("item_id,arm,coherent\na,base,\n", "fill in the columns of the criteria"),
        ("item_id,arm,coherent,coherent\na,base,yes,no\n", "the column `coherent` is there twice"),
        ("item_id,arm,coherent\n", "there is no label in this file"),
        ('item_id,arm,coherent\na,base,"yes\n', "not CSV"),
    ],
)
def test_a_file_that_holds_no_labels_is_refused(text, told):
    """The message says what is expected instead."""
    problems = _problems(text)

    assert len(problems) == 1
    assert told in problems[0]
    assert problems[0].startswith("labels.csv:")


@pytest.mark.parametrize("mark", [";", "\t"])
def test_what_a_spreadsheet_saves_for_commas_is_read(mark):
    """Semicolons and tabs separate cells where the header has no comma; commas in cells stay."""
    text = "item_id,arm,seed,note,coherent\nb,sft,1,x,no\n".replace(",", mark).replace("x", "one, two")

    (found,) = compare(text.splitlines(keepends=True), "labels.csv", SCORED)

    assert (found.criterion, found.n, found.agreed) == ("coherent", 1, 1)


def test_labels_of_one_answer_on_several_lines_add_up():
    """One line labels one criterion, another line another: both count, and once."""
    text = "item_id,arm,seed,coherent,factually_correct\nb,sft,1,no,\nb,sft,2,,yes\nb,sft,1,no,\n"

    assert sorted((each.criterion, each.n) for each in compare(text.splitlines(keepends=True), "labels.csv", SCORED)) == [
        ("coherent", 1),
        ("factually_correct", 1),
    ]


def test_many_mistakes_are_counted():
    """A column of wrong words is told by its first lines and a count, and is there as a whole for whoever asks."""
    text = "item_id,arm,coherent\n" + "a,base,maybe\n" * 50

    with pytest.raises(MalformedLabels) as caught:
        compare(text.splitlines(keepends=True), "labels.csv", SCORED)

    assert len(caught.value.problems) == 50
    assert str(caught.value).splitlines()[-1] == "and 30 more lines of this kind"
