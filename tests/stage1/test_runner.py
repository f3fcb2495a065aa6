"""The runner: reuse, failure, damage and selection, with a worker that writes small files."""

from __future__ import annotations

import errno
import shutil
from io import StringIO
from pathlib import Path

import pytest
import torch
from rich.console import Console
from toy import DIAMOND, Recorder, ToyWorker, make_plan, run

from compiler.plan import ArmSteps
from stage1.console import ConsoleObserver
from stage1.runner import select
from stage1.store import Store


def test_every_step_is_made_once_after_its_inputs(tmp_path: Path) -> None:
    """A shared input is made once and the last step sees everything."""
    plan, worker = make_plan(DIAMOND), ToyWorker()

    outcome = run(tmp_path, plan, worker)

    assert worker.made in (["top", "left", "right", "bottom"], ["top", "right", "left", "bottom"])
    assert outcome.ok
    assert Store(tmp_path).open(plan.steps[-1].fingerprint).read_json("value.json") == "bottom(left(top()),right(top()))"


def test_a_second_run_makes_nothing(tmp_path: Path) -> None:
    """What is complete is reused."""
    plan, worker = make_plan(DIAMOND), ToyWorker()
    run(tmp_path, plan, ToyWorker())

    outcome = run(tmp_path, plan, worker)

    assert worker.made == []
    assert outcome.reused == list(DIAMOND)


def test_a_failure_blocks_only_what_hangs_on_it(tmp_path: Path) -> None:
    """Other branches go on, the failure is one line, its traceback is in a log."""
    plan, worker, recorder = make_plan(DIAMOND), ToyWorker(failing=("left",)), Recorder()

    outcome = run(tmp_path, plan, worker, recorder)

    assert worker.made == ["top", "right"]
    assert outcome.failed == {"left": "left cannot be made: no"}
    assert outcome.blocked == ["bottom"]
    assert not outcome.ok
    failed = next(event for event in recorder.events if event[0] == "step_failed")
    assert "ValueError" in failed[3].read_text()


def test_the_summary_says_which_arms_are_missing_and_what_to_do(tmp_path: Path) -> None:
    """Every arm whose score was not made, whether it failed itself or hung on one that did; not those that are complete."""
    steps = {"base": [], "sft": [], "sft_dpo": ["sft"], "analyze": ["base", "sft", "sft_dpo"]}
    arms = [ArmSteps(arm=arm, seed=None, train=None, respond=arm, prefer=None, score=arm) for arm in ("base", "sft", "sft_dpo")]
    said = Console(file=StringIO(), width=400)

    run(tmp_path, make_plan(steps, tuple(arms)), ToyWorker(failing=("sft",)), ConsoleObserver(said))

    last = said.file.getvalue().splitlines()[-1]
    assert last.startswith(
        "no verdicts: sft, sft_dpo are not complete. Mend that and run again, or take them and the claims on them out"
    )


def test_a_damaged_input_is_set_aside_and_made_again(tmp_path: Path) -> None:
    """A flipped byte costs one step, not the run."""
    plan = make_plan(DIAMOND)
    run(tmp_path, plan, ToyWorker(failing=("bottom",)))
    left = plan.step("left")
    (tmp_path / "artifacts" / left.fingerprint / "value.json").write_text('"something else"')
    worker, recorder = ToyWorker(), Recorder()

    outcome = run(tmp_path, plan, worker, recorder)

    assert outcome.ok
    assert worker.made == ["left", "bottom"]
    assert Store(tmp_path).open(plan.steps[-1].fingerprint).read_json("value.json") == "bottom(left(top()),right(top()))"
    assert any(event[0] == "artifact_damaged" for event in recorder.events)
    assert len(list((tmp_path / "damaged").iterdir())) == 1


def test_only_selects_an_arm_and_all_it_needs() -> None:
    """`--only right` needs top and right, nothing else; an unknown arm is refused."""
    arm = ArmSteps(arm="right", seed=None, train=None, respond="right", prefer="right", score="right")
    plan = make_plan(DIAMOND, (arm,))

    assert [step.id for step in select(plan, ["right"])] == ["top", "right"]
    assert [step.id for step in select(plan, [])] == list(DIAMOND)
    with pytest.raises(KeyError, match="wrong"):
        select(plan, ["wrong"])


def test_an_arm_is_announced_when_its_score_is_there(tmp_path: Path) -> None:
    """Observers hear of an arm once, also when everything was reused."""
    arm = ArmSteps(arm="right", seed=2, train=None, respond="right", prefer="right", score="right")
    plan = make_plan(DIAMOND, (arm,))

    for _ in range(2):
        recorder = Recorder()
        run(tmp_path, plan, ToyWorker(), recorder)

        assert [event for event in recorder.events if event[0] == "arm_ready"] == [("arm_ready", "right", 2)]


def test_what_comes_after_waits_and_falls_with_it(tmp_path: Path) -> None:
    """A step that comes after another reads nothing of it, yet begins only once it has succeeded."""
    edges = {"gate": [], "free": [], "gated": []}
    plan, worker = make_plan(edges, after={"gated": ["gate"]}, gate="stop"), ToyWorker()
    assert run(tmp_path / "open", plan, worker).ok
    assert worker.made.index("gate") < worker.made.index("gated")

    outcome = run(tmp_path / "closed", plan, ToyWorker(failing=("gate",)))

    assert outcome.blocked == ["gated"]
    assert outcome.ran == ["free"]


def test_a_failing_arm_does_not_stop_the_others_at_the_gate(tmp_path: Path) -> None:
    """A gate that only warns needs the scores of all untrained arms; if one cannot be had, what waited is made all the same."""
    edges = {
        "told": [],
        "base": [],
        "gate": ["told", "base"],
        "train": [],
        "respond": ["train"],
        "analyze": ["told", "respond"],
    }
    plan, worker = make_plan(edges, after={"train": ["gate"]}), ToyWorker(failing=("told",))

    outcome = run(tmp_path, plan, worker)

    assert worker.made == ["base", "train", "respond"]
    assert outcome.blocked == ["gate", "analyze"]


def test_fail_fast_begins_nothing_more(tmp_path: Path) -> None:
    """With fail-fast the first failure ends the run; what was complete stays."""
    outcome = run(tmp_path, make_plan(DIAMOND), ToyWorker(failing=("left", "right")), fail_fast=True)

    assert outcome.ran == ["top"]
    assert len(outcome.failed) == 1
    assert outcome.stopped is not None
    assert "--fail-fast" in outcome.stopped


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "disk is full"),
        (
            RuntimeError("SafetensorError: Error while serializing: I/O error: No space left on device (os error 28)"),
            "disk is full",
        ),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "quota"),
        (RuntimeError("CUDA error: unspecified launch failure"), "stage1 doctor"),
        (RuntimeError("No CUDA GPUs are available"), "stage1 doctor"),
    ],
)
def test_what_no_step_can_survive_ends_the_run(tmp_path: Path, error: Exception, said: str) -> None:
    """A full disk or a lost device stops everything at once and says what to do, not once per step."""
    outcome = run(tmp_path, make_plan(DIAMOND), ToyWorker(failing=("left", "right"), error=error))

    assert len(outcome.failed) == 1
    assert outcome.stopped is not None
    assert said in outcome.stopped


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79.18 GiB"),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    ],
)
def test_running_out_of_gpu_memory_ends_its_step_alone(tmp_path: Path, error: Exception) -> None:
    """The device works, and other steps may need less."""
    outcome = run(tmp_path, make_plan(DIAMOND), ToyWorker(failing=("left",), error=error))

    assert "memory" in outcome.failed["left"] or "ALLOC_FAILED" in outcome.failed["left"]
    assert outcome.ran == ["top", "right"]
    assert outcome.stopped is None


def test_an_interruption_that_a_library_turned_into_an_exit_is_one(tmp_path: Path) -> None:
    """Lightning answers Ctrl-C with `exit(1)`: the run ends as interrupted, not as failed; any other exit fails its step."""
    exit_after_interrupt, plain_exit = SystemExit(1), SystemExit(5)
    exit_after_interrupt.__context__ = KeyboardInterrupt()

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "a", make_plan(DIAMOND), ToyWorker(failing=("left",), error=exit_after_interrupt))
    outcome = run(tmp_path / "b", make_plan(DIAMOND), ToyWorker(failing=("left",), error=plain_exit))

    assert "code 5" in outcome.failed["left"]
    assert "right" in outcome.ran


def test_an_input_that_is_gone_is_made_again(tmp_path: Path) -> None:
    """Not only what is damaged: what somebody removed comes back, together with what it needs itself."""
    plan = make_plan(DIAMOND)
    run(tmp_path, plan, ToyWorker(failing=("bottom",)))
    for name in ("top", "left"):
        shutil.rmtree(tmp_path / "artifacts" / plan.step(name).fingerprint)
    worker = ToyWorker()

    assert run(tmp_path, plan, worker).ok
    assert worker.made == ["top", "left", "bottom"]


def test_secrets_reach_no_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The value of a secret variable and what looks like a key are masked in failures and their logs."""
    monkeypatch.setenv("HF_TOKEN", "hf_abcdefghijklmnopqrstuvwx")
    error = ValueError(
        "401 for https://user:pass-word@host/ with hf_abcdefghijklmnopqrstuvwx, Authorization: Bearer abcdefgh1234"
    )

    outcome = run(tmp_path, make_plan(DIAMOND), ToyWorker(failing=("top",), error=error))

    told = outcome.failed["top"] + outcome.logs["top"].read_text()
    for secret in ("abcdefghijklmnop", "pass-word", "abcdefgh1234"):
        assert secret not in told
