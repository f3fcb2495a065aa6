"""Every diagnostic code is explained, and its examples do what they say."""

from __future__ import annotations

import re
from textwrap import dedent

import pytest

from compiler.assessment import assess
from compiler.catalogue import CATALOGUE, explain, nearest

RAISED = [code for code in CATALOGUE.values() if code.wrong]
"""All codes but those of mistakes that cannot be made."""
UNREADABLE = {"S303"}
"""Codes whose file is wrong, so that the right spec is one without it."""


@pytest.mark.parametrize("code", RAISED, ids=lambda code: code.code)
def test_the_wrong_example_triggers_the_code(code, compiled):
    """The wrong example triggers its code, and no other error."""
    found = compiled(dedent(code.wrong), *code.flags, files=code.files)

    assert code.code in {d.code for d in found.diagnostics}
    assert {d.code for d in found.diagnostics if d.severity == "error"} <= {code.code}


@pytest.mark.parametrize("code", RAISED, ids=lambda code: code.code)
def test_the_right_example_is_a_plan(code, compiled):
    """The right example compiles, without the code that it explains."""
    files = {} if code.code in UNREADABLE else code.files
    found = compiled(dedent(code.right), *code.right_flags, files=files)

    assert found.ok
    assert code.code not in {d.code for d in found.diagnostics}


@pytest.mark.parametrize("code", RAISED, ids=lambda code: code.code)
def test_a_warning_is_called_one(code, compiled):
    """Titles say `(warning)` where the finding never keeps a spec from being planned, and only there."""
    found = compiled(dedent(code.wrong), *code.flags, files=code.files)
    publication = compiled(
        dedent(code.wrong).replace("experiment: demo", "experiment: demo\nlevel: publication"), *code.flags, files=code.files
    )
    is_error = any(d.code == code.code and d.severity == "error" for d in (*found.diagnostics, *publication.diagnostics))

    assert ("(warning)" in code.title) == (not is_error)


def test_codes_in_the_code_and_in_the_catalogue_are_the_same(root):
    """No check invents a code that `explain` does not know, and no code is explained that nothing emits."""
    sources = [path for path in (root / "compiler").rglob("*.py") if "codes" not in path.parts]
    emitted = {code for path in sources for code in re.findall(r'"([SM]\d{3})"', path.read_text())}

    assert emitted == set(CATALOGUE)


def test_a_mistake_that_cannot_be_made_is_explained_all_the_same(root, compiled):
    """No model judges, so nothing raises M021; the review names it as not applicable, and `explain` says why."""
    found = compiled((root / "specs" / "quickstart.yaml").read_text())

    assert [code.code for code in CATALOGUE.values() if not code.wrong] == ["M021"]
    assert assess(found.design, found.findings).not_applicable == ("M021 no model judges: all criteria are rules",)
    assert "no model judges" in explain("M021")


def test_explain_says_what_a_code_means():
    """An explanation has the title, both examples, and is found however the code is typed."""
    text = explain(" s104 ")

    assert text is not None
    assert text.startswith("S104: an unknown key\n\n")
    assert "Wrong:\n    experiment: demo\n" in text
    assert "Right:\n    experiment: demo\n" in text


def test_explain_shows_flags_and_files():
    """Where an example needs a flag or a file, both are shown."""
    assert "Wrong, with --set seeds:" in explain("S401")
    assert 'mine.jsonl:\n    {"id": "a"' in explain("S304")


def test_an_unknown_code_is_none_and_has_a_neighbour():
    """There is no explanation of a code that does not exist; the closest one is known."""
    assert explain("S999x") is None
    assert nearest("s10 4") == "S104"
