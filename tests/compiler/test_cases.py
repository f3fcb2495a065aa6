"""The language by examples that a researcher can read: `tests/cases`.

A wrong spec carries what is expected as comments on the faulty lines: `# error[S104]: unknown key ...`. In the head of a file,
`# set:` gives a `--set` flag, and `# file: NAME` with the `# |` lines after it gives a file. A right spec ends with the kinds of
steps of its plan and with some of those steps: what they read (`# step ID: role=ID`), what they are told (`# step ID has KEY = VALUE`).
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from compiler.catalogue import CATALOGUE

CASES = Path(__file__).parents[1] / "cases"
WRONG = sorted((CASES / "wrong").glob("*.yaml"))
RIGHT = sorted((CASES / "right").glob("*.yaml"))

EXPECTED = re.compile(r"\s*# (error|warning)\[([A-Z]\d+)\]: (.*?)(?=\s*# (?:error|warning)\[|$)")


@dataclass
class Case:
    """A case file taken apart."""

    text: str
    flags: list[str] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)
    expected: list[tuple[str, int, str, str, str]] = field(default_factory=list)
    """Source, line, severity, code, message."""


def take_apart(path: Path) -> Case:
    """What a case file says, and what it expects."""
    case = Case(path.read_text())
    file = None
    for number, line in enumerate(case.text.split("\n"), start=1):
        content, place = EXPECTED.sub("", line), ("spec.yaml", number)
        if line.startswith("# set: "):
            case.flags.append(content.removeprefix("# set: "))
            place = (f"--set[{len(case.flags)}]", 1)
        elif line.startswith("# file: "):
            file = content.removeprefix("# file: ")
            case.files[file] = ""
        elif file is not None and line.startswith("# |"):
            case.files[file] += content.removeprefix("# |").removeprefix(" ") + "\n"
            place = (file, case.files[file].count("\n"))
        case.expected += [(*place, *match.groups()) for match in EXPECTED.finditer(line)]
    return case


@pytest.mark.parametrize("path", WRONG, ids=lambda path: path.stem)
def test_wrong_spec_is_told_exactly_so(path, compiled):
    """Exactly the diagnostics that the case file names, each on its line, and a plan only if there is no error among them."""
    case = take_apart(path)

    found = compiled(case.text, *case.flags, files=case.files)

    told = [(d.source, d.span.line, d.severity, d.code, d.message) for d in found.diagnostics]
    assert sorted(told) == sorted(case.expected)
    assert found.ok == all(severity == "warning" for _, _, severity, _, _ in case.expected)


@pytest.mark.parametrize("path", RIGHT, ids=lambda path: path.stem)
def test_right_spec_becomes_the_plan_it_names(path, compiled):
    """No diagnostics at all, and the steps that the case file names, reading and told what it says."""
    case = take_apart(path)

    found = compiled(case.text, *case.flags, files=case.files)

    assert not found.diagnostics
    assert f"# plan: {kinds(found.plan)}" in case.text.split("\n")
    for line in case.text.split("\n"):
        if line.startswith("# step "):
            check_step(found.plan, line.removeprefix("# step "))


def test_the_language_is_told_by_enough_examples(record_property):
    """At least 80 wrong specs, each with a diagnostic on a faulty line, and 20 right ones, each with its plan; most codes appear."""
    wrong = {path.stem: take_apart(path).expected for path in WRONG}
    codes = {code for expected in wrong.values() for _, _, _, code, _ in expected}
    for name, value in (("wrong", len(wrong)), ("right", len(RIGHT)), ("codes", len(codes))):
        record_property(name, value)

    assert len(wrong) >= 80
    assert len(RIGHT) >= 20
    assert not [name for name, expected in wrong.items() if not expected]
    assert not [path.stem for path in RIGHT if "\n# plan: " not in path.read_text()]
    assert len(codes & set(CATALOGUE)) >= 0.9 * len(CATALOGUE), sorted(set(CATALOGUE) - codes)


def kinds(plan) -> str:
    """How many steps of each kind a plan has, as case files write it."""
    return ", ".join(f"{kind} {count}" for kind, count in Counter(step.kind for step in plan.steps).items())


def check_step(plan, says: str) -> None:
    """A line of a case file about one step holds."""
    if " has " in says:
        name, setting = says.split(" has ", maxsplit=1)
        path, value = setting.split(" = ", maxsplit=1)
        found = plan.step(name).settings
        for key in path.split("."):
            found = found[key]
        assert found == YAML(typ="safe", pure=True).load(value)
    else:
        name, inputs = says.split(": ", maxsplit=1)
        assert plan.step(name).inputs == dict(pair.split("=") for pair in inputs.split(", "))
