"""A criterion of one's own that cannot be loaded is found before its experiment costs anything."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from stage1.cli import app

SPEC = """
experiment: demo
data: {instructions: {source: items.jsonl, train: 1, validation: 0, heldout: 1}}
evaluation: {criteria: [coherent], own_criteria: {short: mine.py, terse: other.py}}
recipes: {sft: {objective: sft}}
arms: {base: {}, sft: {from: base, train: sft}}
"""
ITEMS = '{"kind": "qa", "instruction": "Name a river."}\n{"kind": "qa", "instruction": "Name a town."}\n'
RIGHT = """
from evaluators.criteria import Criterion
CRITERION = Criterion(name="NAME", definition="d", sees=(), blind_to=(), judge=lambda view: True)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a spec of two criteria, both sound."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "spec.yaml").write_text(SPEC)
    (tmp_path / "items.jsonl").write_text(ITEMS)
    (tmp_path / "mine.py").write_text(RIGHT.replace("NAME", "short"))
    (tmp_path / "other.py").write_text(RIGHT.replace("NAME", "terse"))
    return tmp_path


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("CRITERION = 5\n", "criterion `short`: mine.py: CRITERION is of type int, not a Criterion; a criterion looks like"),
        ("\nimport no_such_module\n", "criterion `short`: mine.py:2: ModuleNotFoundError: No module named 'no_such_module'; a"),
        ("", "criterion `short`: mine.py: no criterion is named 'short'; it defines neither CRITERION nor CRITERIA; a"),
    ],
)
def test_a_criterion_that_cannot_be_loaded_ends_the_run_before_its_first_step(folder: Path, text: str, told: str) -> None:
    """Exit 1, a line with file, cause and what is wanted; nothing is made, and what was noted of earlier runs stays."""
    (folder / "mine.py").write_text(text)

    done = CliRunner().invoke(app, ["run", "spec.yaml"])

    assert done.exit_code == 1, done.output
    assert f"error: {told}" in done.output
    assert "Traceback" not in done.output
    assert not (folder / "runs" / "artifacts").exists()
    assert not (folder / "runs" / "demo").exists()


def test_every_criterion_that_cannot_be_loaded_is_told(folder: Path) -> None:
    """All mistakes at once, a line each."""
    for name in ("mine.py", "other.py"):
        (folder / name).write_text("CRITERION = None\n")

    done = CliRunner().invoke(app, ["run", "spec.yaml"])

    assert [line.split("; ")[0] for line in done.output.splitlines() if line.startswith("error: criterion")] == [
        "error: criterion `short`: mine.py: CRITERION is of type NoneType, not a Criterion",
        "error: criterion `terse`: other.py: CRITERION is of type NoneType, not a Criterion",
    ]


def test_planning_runs_no_criterion(folder: Path) -> None:
    """What shows only when the file is executed is for `run` to find."""
    (folder / "mine.py").write_text("from pathlib import Path\nPath('ran').touch()\nCRITERION = 5\n")

    done = CliRunner().invoke(app, ["plan", "spec.yaml"])

    assert done.exit_code == 0, done.output
    assert not (folder / "ran").exists()
