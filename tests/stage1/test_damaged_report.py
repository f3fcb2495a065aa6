"""A report on artifacts that are not what was written: what is wrong, and the command that mends it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from nano import NANO, plan_of
from typer.testing import CliRunner

from stage1.cli import app
from stage1.store import Store


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda file: file.write_text("other"), "value.json is not what was written: its hash differs"),
        (Path.unlink, "value.json is missing"),
        (lambda file: (file.parent / "manifest.json").write_text("{"), "manifest.json is not what was written"),
    ],
)
def test_a_damaged_artifact_comes_with_the_command_that_makes_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: Callable[[Path], None], said: str
) -> None:
    """A flipped, missing or broken file is named, and the command is that of the spec and the settings asked for, to be pasted."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(NANO, "nano.yaml")
    plan, store = plan_of("recipes.dpo.beta=0.3", "description=two words"), Store(Path("runs"))
    for step in plan.steps:
        if not store.has(step.fingerprint):
            with store.writing(step, {}, {}) as draft:
                draft.write_json("value.json", step.id)
    damage(Path("runs/artifacts") / plan.steps[1].fingerprint / "value.json")

    done = CliRunner().invoke(
        app, ["report", "nano.yaml", "--set", "recipes.dpo.beta=0.3", "--set", "description=two words", "--format", "md"]
    )

    assert done.exit_code == 3
    last = done.stderr.splitlines()[-1]
    assert f"{said}; `stage1 run nano.yaml --set recipes.dpo.beta=0.3 --set 'description=two words'` makes it again" in last
