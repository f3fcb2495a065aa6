"""Seats on this machine: several processes carry out a plan, each with GPUs of its own, and none outlives the run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from toy import DIAMOND, Recorder, ToyWorker, contents, make_plan, run

from compiler.plan import Plan
from stage1.executors import Reports
from stage1.executors.processes import ProcessExecutor
from stage1.executors.seats import Seats
from stage1.gpus import Gpu, chosen, visible_gpus
from stage1.runner import Outcome, Runner
from stage1.store import Store

PLAN = make_plan(DIAMOND)
WIDE = make_plan({name: [] for name in "abcdef"})
TWO = Seats(device=2, gpus=0, memory=0, pure=0)


@dataclass(frozen=True)
class MakeWorker:
    """A toy worker that takes a moment, notes its process and what it was told, and kills itself on one step."""

    notes: Path
    dies_on: str = ""
    times: int = 0
    seconds: float = 0.3

    def __call__(self, reports: Reports) -> ToyWorker:
        told = self

        class Worker(ToyWorker):
            def work(self, step, inputs, draft):
                gpus = os.environ.get("CUDA_VISIBLE_DEVICES", "-")
                loaded, share = "torch" in sys.modules, os.environ.get("STAGE1_GPU_SHARE", "-")
                (told.notes / f"{step.id}.{time.monotonic_ns()}").write_text(f"{os.getpid()} {gpus} {loaded} {share}")
                if step.id == told.dies_on and len(list(told.notes.glob(f"{step.id}.*"))) <= told.times:
                    os.kill(os.getpid(), signal.SIGKILL)
                reports.progress(step, 1, 2)
                time.sleep(told.seconds)
                super().work(step, inputs, draft)

        return Worker()

    def noted(self, at: int, step: str = "*") -> list[str]:
        """A word of every note: 0 the process, 1 its GPUs, 2 whether torch was loaded, 3 its share of a GPU."""
        return [note.read_text().split()[at] for note in self.notes.glob(f"{step}.*")]


def run_in_processes(
    root: Path, make_worker: MakeWorker, *observers: Recorder, plan: Plan = PLAN, seats: Seats = TWO, gpus: Sequence[str] = ()
) -> Outcome:
    """Carry out a toy plan."""
    make_worker.notes.mkdir(parents=True, exist_ok=True)
    store = Store(root)
    return Runner(plan, store, ProcessExecutor(store, make_worker, seats, gpus), observers, root / "logs").run()


def test_two_processes_make_the_same_artifacts_as_one(tmp_path: Path) -> None:
    """Both branches run at once, in processes of their own; what they tell comes back; every byte is that of a local run."""
    run(tmp_path / "local", PLAN, ToyWorker())
    recorder, workers = Recorder(), MakeWorker(tmp_path / "notes")

    outcome = run_in_processes(tmp_path / "seats", workers, recorder)

    assert outcome.ok
    assert contents(tmp_path / "seats") == contents(tmp_path / "local")
    assert len(set(workers.noted(0))) == 2
    assert str(os.getpid()) not in workers.noted(0)
    assert len(recorder.named("step_started")) == len(recorder.named("step_finished")) == 4
    assert recorder.named("step_progress")
    assert not any(map(psutil.pid_exists, map(int, workers.noted(0))))


def test_a_seat_that_dies_costs_its_step_a_second_try(tmp_path: Path) -> None:
    """Killed in mid-step once: another process makes the step, and the result is the same."""
    run(tmp_path / "local", PLAN, ToyWorker())
    recorder, workers = Recorder(), MakeWorker(tmp_path / "notes", dies_on="left", times=1)

    outcome = run_in_processes(tmp_path / "seats", workers, recorder)

    assert outcome.ok
    assert len(set(workers.noted(0, "left"))) == 2
    assert "SIGKILL" in recorder.named("step_waits")[0][2]
    assert contents(tmp_path / "seats") == contents(tmp_path / "local")


def test_a_step_that_kills_every_seat_fails(tmp_path: Path) -> None:
    """After three dead processes the step counts as failed; the other branch is made."""
    outcome = run_in_processes(tmp_path / "seats", MakeWorker(tmp_path / "notes", dies_on="left", times=99))

    assert "3 times" in outcome.failed["left"]
    assert outcome.blocked == ["bottom"]
    assert sorted(outcome.ran) == ["right", "top"]


@pytest.mark.parametrize(
    ("seats", "gpus", "expected"),
    [
        (Seats(device=2, gpus=1, memory=0, pure=0), ["4", "7"], {"4", "7"}),
        (Seats(device=4, gpus=0.5, memory=0, pure=0), ["0", "1"], {"0", "1"}),
        (Seats(device=2, gpus=2, memory=0, pure=0), ["0", "1", "2", "3"], {"0,1", "2,3"}),
        (Seats(device=2, gpus=0, memory=0, pure=0), [], {"-"}),
    ],
)
def test_each_seat_sees_its_own_gpus_before_torch_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seats: Seats, gpus: list[str], expected: set[str]
) -> None:
    """One GPU a seat, several seats on one GPU, or several GPUs a seat: evenly spread, and never somebody else's."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    workers = MakeWorker(tmp_path / "notes", seconds=1.0)

    outcome = run_in_processes(tmp_path / "seats", workers, plan=WIDE, seats=seats, gpus=gpus)

    assert outcome.ok
    assert set(workers.noted(1)) == expected
    per_gpu = {gpu: {p for p, g in zip(workers.noted(0), workers.noted(1), strict=True) if g == gpu} for gpu in expected}
    assert {len(processes) for processes in per_gpu.values()} == {seats.device // len(expected)}
    assert set(workers.noted(2)) == {"False"}
    assert set(workers.noted(3)) == {str(seats.gpus) if 0 < seats.gpus < 1 else "-"}


def test_steps_without_a_model_sit_where_there_is_no_gpu(tmp_path: Path) -> None:
    """They keep no GPU from the steps that need one."""
    steps = [step.model_copy(update={"settings": {"model": {}} if step.id in "abc" else {}}) for step in WIDE.steps]
    plan = WIDE.model_copy(update={"steps": tuple(steps)})
    workers = MakeWorker(tmp_path / "notes")

    outcome = run_in_processes(tmp_path / "s", workers, plan=plan, seats=Seats(1, 1.0, 0, pure=1), gpus=["3"])

    assert outcome.ok
    told = {note.name.split(".")[0]: note.read_text().split(" ")[1] for note in workers.notes.iterdir()}
    assert told == {"a": "3", "b": "3", "c": "3", "d": "", "e": "", "f": ""}


SCRIPT = """
import sys
from pathlib import Path
from test_processes import MakeWorker, WIDE, run_in_processes
if __name__ == "__main__":
    run_in_processes(Path(sys.argv[1]), MakeWorker(Path(sys.argv[2]), seconds=60.0), plan=WIDE)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_no_seat_outlives_its_run(tmp_path: Path, number: signal.Signals) -> None:
    """Whether the run is killed or interrupted: its processes end, though they are in the middle of a step."""
    (tmp_path / "script.py").write_text(SCRIPT)
    paths = os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).parents[2])])
    notes = tmp_path / "notes"
    process = subprocess.Popen(
        [sys.executable, str(tmp_path / "script.py"), str(tmp_path / "seats"), str(notes)],
        env=os.environ | {"PYTHONPATH": paths}, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    seats = _waited_for(notes, 2)

    process.send_signal(number)
    process.wait(30)

    _, alive = psutil.wait_procs(seats, timeout=30)
    assert not alive


def _waited_for(notes: Path, count: int) -> list[psutil.Process]:
    for _ in range(600):
        told = [note.read_text() for note in notes.glob("*")] if notes.is_dir() else []
        if len(told) == count and all(told):
            return [psutil.Process(int(note.split()[0])) for note in told]
        time.sleep(0.1)
    raise AssertionError("the seats did not open")


def test_which_gpus_are_seen_follows_cuda() -> None:
    """Numbers and names in their order; what comes after a name that cannot be one is hidden, as CUDA has it."""
    assert chosen("0,1") == ["0", "1"]
    assert chosen("3, GPU-12ab") == ["3", "GPU-12ab"]
    assert chosen("2,-1,3") == ["2"]
    assert chosen("") == []
    assert all(isinstance(gpu, Gpu) for gpu in visible_gpus())
    assert visible_gpus({"CUDA_VISIBLE_DEVICES": ""}) == ()
