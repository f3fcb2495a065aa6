"""The stored agreement is of this very scorer: figures in a report can be no older than the code that made its scores."""

import re

from evaluators.criteria.measured import labelled_rounds, measure, read_first_meetings, read_measured, scorer_fingerprint
from stage1.criteria import main


def test_the_stored_figures_are_those_of_this_code():
    """Any change of a criterion, a phrase list or a label makes `just criteria --write` due."""
    assert read_measured() == measure(), "the scorer or its labels changed: run `just criteria --write`"
    assert read_measured().scorer == scorer_fingerprint()


def test_first_meetings_are_of_rounds_that_exist():
    """What is recorded about a round is about labels that are there, and is a kappa."""
    first = read_first_meetings()

    assert first.keys() <= labelled_rounds().keys()
    assert all(-1 <= kappa <= 1 for round_ in first.values() for kappa in round_.values())


def test_errors_are_counted_by_their_direction():
    """What was passed or failed wrongly adds up to what was not agreed, where nobody says null."""
    for each in measure().criteria:
        assert each.passed_wrongly + each.failed_wrongly <= each.n - each.agreed
        assert each.passes + each.fails <= each.n


def test_the_command_prints_a_line_per_criterion(capsys):
    """`just criteria` tells kappa of every criterion, and the bar is held."""
    assert main(["--rounds"]) == 0

    printed = capsys.readouterr().out
    for each in measure().criteria:
        assert re.search(rf"^{each.criterion} +{each.n} +{each.agreed} ", printed, re.MULTILINE)
