"""One of a thing is told as one, wherever a person reads a count."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from nano import NANO, plan_of
from rich.console import Console

from compiler.assessment import assess
from evaluators.statistics.crossed import NO_SEED_VARIANCE, crossed_test
from evaluators.statistics.outcome import Refusal
from stage1.commands.compiling import compile_file
from stage1.commands.diff import show_difference
from stage1.commands.gc import collect
from stage1.console import ConsoleObserver
from stage1.report.data import NotRunYet, gather
from stage1.runner import Outcome
from stage1.store import Store


def test_a_run_of_one_step() -> None:
    """The last line of a run."""
    shown = io.StringIO()

    ConsoleObserver(Console(file=shown)).run_finished(Outcome(ran=["a"], reused=["b", "c"]))

    assert shown.getvalue().startswith("1 step run, 2 reused")


def test_garbage_of_one_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What gc finds and removes."""
    (tmp_path / "specs").mkdir()
    shutil.copy(NANO, tmp_path / "specs")
    (tmp_path / "runs" / "artifacts" / "a").mkdir(parents=True)

    collect(tmp_path / "specs", tmp_path / "runs", delete=False)
    assert "in 1 folder is needed by no spec" in capsys.readouterr().out
    collect(tmp_path / "specs", tmp_path / "runs", delete=True)
    told = capsys.readouterr().out
    assert "in 1 folder was needed by no spec" in told
    assert "; 1 folder and 1 idle lock removed" in told


def test_one_step_that_is_missing_or_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A report before its last step, and a difference."""
    plan, store = plan_of(), Store(tmp_path)
    for step in plan.steps[:-1]:
        if not store.has(step.fingerprint):
            with store.writing(step, {}, {}):
                pass
    with pytest.raises(NotRunYet, match=r"^1 of \d+ steps has not been run .*; `stage1 run` makes it$"):
        gather(plan, store)

    other = tmp_path / "other.yaml"
    other.write_text(NANO.read_text().replace("seed: 3", "seed: 4"))
    show_difference(NANO, other, as_json=False, store_root=tmp_path)
    assert "\n0 steps are the same in both" in capsys.readouterr().out


def test_one_example_pair_and_item() -> None:
    """The review of a design of one of each, and the reason why it has no test."""
    found = compile_file(
        NANO, ["data.instructions.train=1", "data.preferences.pairs=1", "data.instructions.heldout=1", "seeds=[1]"]
    )
    assert found.design is not None
    told = " ".join(str(answer) for answer in assess(found.design, found.findings).answers)
    assert "1 example, 1 pair, 1 seed" in told

    refused = crossed_test(np.ones((2, 1)), np.zeros((2, 1)), NO_SEED_VARIANCE)
    assert isinstance(refused, Refusal)
    assert refused.reason.startswith("1 item is too few for a t-test")
