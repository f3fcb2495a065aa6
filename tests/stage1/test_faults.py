"""Fault injection, the short version: a toy plan killed at every rename and write there is. `bench/faults.py` does it to real runs."""

from __future__ import annotations

import os
import resource
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from toy import DIAMOND, Recorder, ToyWorker, contents, make_plan, run

from stage1.provenance import provenance
from stage1.store import Store

PLAN = make_plan(DIAMOND)
PAIR = make_plan({"first": [], "second": ["first"]})
MOMENTS = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "shutil.rmtree")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def in_a_process(work: Callable[[], Any]) -> int:
    """Do it in a forked process; minus the signal that killed it, or its exit code."""
    provenance()  # asks git once, here
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def run_until(root: Path, moment: int) -> None:
    """Run the plan; at its n-th change of the disk, before it happens, die of kill -9."""
    seen = 0

    def hook(event: str, details: tuple[Any, ...]) -> None:
        nonlocal seen
        writes = event == "open" and isinstance(details[2], int) and details[2] & WRITING
        if (event in MOMENTS or writes) and str(details[0]).startswith(str(root)):
            seen += 1
            if seen == moment:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    run(root, PAIR, ToyWorker())


def test_kill_9_at_every_rename_and_write(tmp_path: Path) -> None:
    """Wherever it dies: only whole artifacts are visible, the next run ends with the bytes of an undisturbed one, nothing is left."""
    run(tmp_path / "undisturbed", PAIR, ToyWorker())
    wanted = contents(tmp_path / "undisturbed")
    moment = killed = 0
    while True:
        moment += 1
        root = tmp_path / str(moment)
        if in_a_process(lambda root=root, moment=moment: run_until(root, moment)) == 0:
            break
        killed += 1
        assert contents(root).items() <= wanted.items()
        assert run(root, PAIR, ToyWorker()).ok
        assert contents(root) == wanted
        assert not any((root / "unfinished").iterdir())

    assert killed >= 20


def test_a_flipped_byte_in_any_file_is_found_named_and_made_again(tmp_path: Path) -> None:
    """Every file that a later step reads, manifests included: the damage is told and the result is as if it had not been."""
    run(tmp_path, PLAN, ToyWorker())
    wanted, last = contents(tmp_path), PLAN.step("bottom").fingerprint
    for step_id in ("top", "left"):
        folder = tmp_path / "artifacts" / PLAN.step(step_id).fingerprint
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            content = bytearray(path.read_bytes())
            content[len(content) // 2] ^= 1
            path.write_bytes(content)
            for reader in (last, *([PLAN.step(name).fingerprint for name in ("left", "right")] if step_id == "top" else [])):
                Store(tmp_path).set_aside(reader)
            recorder = Recorder()

            assert run(tmp_path, PLAN, ToyWorker(), recorder).ok

            assert [told[1].id for told in recorder.named("artifact_damaged")] == [step_id]
            assert path.name in recorder.named("artifact_damaged")[0][2]
            assert contents(tmp_path) == wanted


def test_runs_at_once_share_the_work(tmp_path: Path) -> None:
    """Three runs of one plan at the same time make every step once between them."""

    class SlowWorker(ToyWorker):
        def work(self, step, inputs, draft):
            time.sleep(0.05)
            super().work(step, inputs, draft)
            with (tmp_path / "made").open("a") as made:
                made.write(f"{step.id}\n")

    children = []
    provenance()
    for _ in range(3):
        child = os.fork()
        if child == 0:
            os._exit(0 if run(tmp_path, PLAN, SlowWorker()).ok else 1)
        children.append(child)

    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0]
    assert sorted((tmp_path / "made").read_text().split()) == sorted(DIAMOND)


def test_files_that_may_not_grow_end_the_run_with_a_way_out(tmp_path: Path) -> None:
    """A quota, here a limit on the size of files: one clear reason, nothing partial, and the same command goes on."""

    class LargeWorker(ToyWorker):
        def work(self, step, inputs, draft):
            super().work(step, inputs, draft)
            if step.id == "right":
                (draft.folder / "large").write_bytes(b"x" * 300_000)

    def limited() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        outcome = run(tmp_path, PLAN, LargeWorker())
        os._exit(7 if outcome.stopped and "stage1 gc" in outcome.stopped and len(outcome.failed) == 1 else 1)

    assert in_a_process(limited) == 7
    assert PLAN.step("right").fingerprint not in contents(tmp_path)
    assert run(tmp_path, PLAN, LargeWorker()).ok


def test_a_store_that_cannot_be_written_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where a folder is needed and a file stands, the command ends with one line that names it, and exit 3."""
    from stage1.commands.run import RunOptions, run_spec

    (tmp_path / "runs").write_text("not a folder")

    code = run_spec(Path(__file__).with_name("nano.yaml"), [], RunOptions(tmp_path / "runs"))

    assert code == 3
    assert str(tmp_path / "runs") in capsys.readouterr().err


def test_the_store_on_a_read_only_file_system(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The reason is named, no traceback, exit 3."""
    from stage1.commands.run import RunOptions, run_spec

    read_only = Path("/proc/stage1")

    code = run_spec(Path(__file__).with_name("nano.yaml"), [], RunOptions(read_only))

    assert code == 3
    assert "/proc/stage1" in capsys.readouterr().err
