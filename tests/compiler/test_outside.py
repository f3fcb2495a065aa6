"""What a spec brings in from outside: identified by content, told of, and nothing else at the same time."""

from dataclasses import asdict, replace

import pytest

from compiler.world import InstalledCriterion

CRITERION = {"mine.py": "CRITERION = None\n"}
ANSWERS = {"answers.jsonl": '{"id": "capital/1/romania", "response": "x"}\n'}
OWN = """
experiment: demo
seeds: [1, 2]
evaluation: {own_criteria: {short: mine.py}, primary: [own.short]}
arms: {base: {}}
"""
ELSEWHERE = """
experiment: demo
arms: {base: {}, other: {responses: answers.jsonl}}
"""


def _step(found, step_id):
    assert found.plan is not None, [each.message for each in found.diagnostics]
    return found.plan.step(step_id)


def test_the_content_of_a_criterion_is_part_of_the_score(compiled):
    """Another content, another fingerprint of the scores; no criterion of one's own, no trace of it."""
    one = _step(compiled(OWN, files=CRITERION), "score/base")
    other = _step(compiled(OWN, files={"mine.py": "CRITERION = 1\n"}), "score/base")
    without = _step(compiled("experiment: demo\narms: {base: {}}\n"), "score/base")

    assert one.fingerprint != other.fingerprint
    assert one.settings["own"]["short"]["file"] == "mine.py"
    assert "own" not in without.settings


def test_a_criterion_of_ones_own_is_an_endpoint(compiled):
    """The analysis looks at `own.NAME`; one that is not declared is an error."""
    analyze = _step(compiled(OWN, files=CRITERION), "analyze")
    wrong = compiled(OWN.replace("own.short]", "own.shorter]"), files=CRITERION)

    assert analyze.settings["criteria"][-1] == "own.short"
    assert analyze.settings["primary"] == ["own.short"]
    assert [each.code for each in wrong.diagnostics if each.severity == "error"] == ["S204"]


def test_the_plan_warns_that_code_is_run(compiled):
    """Every file of criteria is named in a warning."""
    told = [each for each in compiled(OWN, files=CRITERION).diagnostics if each.code == "S311"]

    assert len(told) == 1
    assert "executes `mine.py`" in told[0].message
    assert told[0].severity == "warning"


def test_a_criterion_that_is_not_python_is_told_at_its_line(compiled):
    """Planning compiles the text and runs nothing of it: a mistake that shows then is an error in the criterion's file."""
    found = compiled(OWN, files={"mine.py": "raise SystemExit\nCRITERION = Criterion(\n"})
    (told,) = [each for each in found.diagnostics if each.severity == "error"]

    assert (told.code, told.source, told.span.line) == ("S315", "mine.py", 2)
    assert told.message == "criterion `short` is not Python: '(' was never closed"
    assert found.plan is None
    assert compiled(OWN, files={"mine.py": "raise SystemExit\n"}).plan is not None


def test_answers_made_elsewhere_are_only_scored(compiled):
    """One respond and one score step, no model, no preferences; identified by the file's content."""
    found = compiled(ELSEWHERE, files=ANSWERS)
    respond, score = _step(found, "respond/other"), _step(found, "score/other")
    again = _step(compiled(ELSEWHERE, files={"answers.jsonl": ANSWERS["answers.jsonl"].replace("x", "y")}), "respond/other")

    assert respond.settings.keys() == {"responses", "digest"}
    assert respond.fingerprint != again.fingerprint
    assert score.inputs.keys() == {"instructions", "answers"}
    assert next(entry.prefer for entry in found.plan.arms if entry.arm == "other") is None


def test_an_arm_that_differs_in_its_responses_only_can_be_claimed_about(compiled):
    """`isolates: [responses]` covers the difference between a model here and answers made elsewhere."""
    claim = """
claims:
  better: {says: Better, kind: checkpoint, compare: [other, base], expect: greater, on: [coherent], isolates: [responses]}
"""
    (contrast,) = compiled(ELSEWHERE + claim, files=ANSWERS).contrasts

    assert contrast.leftover == ()
    assert [factor.name for factor in contrast.factors] == ["responses"]


@pytest.mark.parametrize(
    ("spec", "codes"),
    [
        (OWN, {"S310"}),
        (ELSEWHERE, {"S310"}),
        (ELSEWHERE.replace("answers.jsonl}", "answers.jsonl, prompt: raw}"), {"S310", "S312"}),
    ],
)
def test_missing_files_are_told(compiled, spec, codes):
    """An error at the place where the file is named."""
    found = compiled(spec)

    assert {each.code for each in found.diagnostics if each.severity == "error"} == codes
    assert found.plan is None


def test_nothing_starts_from_answers(compiled):
    """An arm cannot be trained from an arm that is a file of answers."""
    spec = ELSEWHERE + "  \nrecipes: {sft: {objective: sft}}\n"
    spec = spec.replace("answers.jsonl}}", "answers.jsonl}, sft: {from: other, train: sft}}")

    found = compiled(spec, files=ANSWERS)

    assert "S312" in {each.code for each in found.diagnostics if each.severity == "error"}


BREVITY = InstalledCriterion("brevity", "my_criteria.length:BREVITY", "my-criteria", "1.2", "0123")
INSTALLED = OWN.replace("short: mine.py", "short: {entry_point: brevity}")


def test_the_package_of_a_criterion_is_part_of_the_score(compiled):
    """Distribution, version, object and source are settings of the score step; another version is another step."""
    one = _step(compiled(INSTALLED, criteria=(BREVITY,)), "score/base")
    other = _step(compiled(INSTALLED, criteria=(replace(BREVITY, version="1.3"),)), "score/base")

    assert one.settings["own"]["short"] == asdict(BREVITY)
    assert one.fingerprint != other.fingerprint


def test_the_plan_warns_that_a_package_is_run(compiled):
    """The warning names what is imported, the distribution and its version."""
    (told,) = [each for each in compiled(INSTALLED, criteria=(BREVITY,)).diagnostics if each.code == "S311"]

    assert "executes `my_criteria.length:BREVITY` of my-criteria 1.2" in told.message


@pytest.mark.parametrize(
    ("there", "message", "help_"),
    [
        ((), "no installed package declares a criterion `brevity`", "install the package"),
        ((replace(BREVITY, entry_point="brevities"),), "no installed package declares", "did you mean `brevities`?"),
        ((replace(BREVITY, entry_point="rhyme"), replace(BREVITY, entry_point="tone")), "no installed", "`rhyme`, `tone`"),
        ((BREVITY, replace(BREVITY, distribution="other")), "is declared by my-criteria and other", "uninstall all but one"),
    ],
)
def test_an_unknown_or_ambiguous_entry_point_is_told(compiled, there, message, help_):
    """One error at the name, with the names that are there and the way out."""
    found = compiled(INSTALLED, criteria=there)
    (told,) = [each for each in found.diagnostics if each.severity == "error"]

    assert told.code == "S313"
    assert message in told.message
    assert help_ in told.help
    assert found.plan is None


@pytest.mark.parametrize(
    ("value", "code"), [("3", "S102"), ("[a.py]", "S102"), ("{entry_point: 3}", "S102"), ("{entry: a}", "S104"), ("{}", "S101")]
)
def test_what_is_neither_a_file_nor_an_entry_point_is_told(compiled, value, code):
    """A wrong type, an unknown key or a missing one, each at its place."""
    found = compiled(OWN.replace("mine.py", value))

    assert code in {each.code for each in found.diagnostics if each.severity == "error"}
    assert found.plan is None
