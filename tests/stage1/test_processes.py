"""Seats on this machine: several processes carry out a plan, each with GPUs of its own, and none outlives the run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest
from toy import DIAMOND, MakeToyWorker, Recorder, ToyWorker, contents, make_plan, run

from compiler.language.spec import Runtime
from compiler.plan import Plan
from stage1.executors.opening import Opening
from stage1.executors.processes import ProcessExecutor
from stage1.executors.seats import Seats
from stage1.failures import GpuGone, lost_device
from stage1.gpus import Gpu, chosen, visible_gpus
from stage1.runner import Outcome, Runner
from stage1.steps.worker import StepWorker
from stage1.store import Store

PLAN = make_plan(DIAMOND)
WIDE = make_plan({name: [] for name in "abcdef"})
TWO = Seats(device=2, gpus=0, memory=0, pure=0)


def run_in_processes(
    root: Path,
    make_worker: MakeToyWorker,
    *observers: Recorder,
    plan: Plan = PLAN,
    seats: Seats = TWO,
    gpus: Sequence[str] = (),
    opening: float = 0.0,
) -> Outcome:
    """Carry out a toy plan; seats are taken to open at once, unless something else is said."""
    make_worker.notes.mkdir(parents=True, exist_ok=True)
    store = Store(root)
    executor = ProcessExecutor(store, make_worker, seats, gpus, Opening({True: opening, False: opening}))
    return Runner(plan, store, executor, observers, root / "logs").run()


def test_two_processes_make_the_same_artifacts_as_one(tmp_path: Path) -> None:
    """Both branches run at once, in processes of their own; what they tell comes back; every byte is that of a local run."""
    run(tmp_path / "local", PLAN, ToyWorker())
    recorder, workers = Recorder(), MakeToyWorker(tmp_path / "notes", seconds=2.0)

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
    recorder, workers = Recorder(), MakeToyWorker(tmp_path / "notes", dies_on="left", times=1)

    outcome = run_in_processes(tmp_path / "seats", workers, recorder)

    assert outcome.ok
    assert len(set(workers.noted(0, "left"))) == 2
    assert "SIGKILL" in recorder.named("step_waits")[0][2]
    assert contents(tmp_path / "seats") == contents(tmp_path / "local")


def test_a_step_that_kills_every_seat_fails(tmp_path: Path) -> None:
    """After three dead processes the step counts as failed; the other branch is made."""
    outcome = run_in_processes(tmp_path / "seats", MakeToyWorker(tmp_path / "notes", dies_on="left", times=99))

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
    workers = MakeToyWorker(tmp_path / "notes", seconds=1.0)

    outcome = run_in_processes(tmp_path / "seats", workers, plan=WIDE, seats=seats, gpus=gpus)

    assert outcome.ok
    assert set(workers.noted(1)) == expected
    per_gpu = {gpu: {p for p, g in zip(workers.noted(0), workers.noted(1), strict=True) if g == gpu} for gpu in expected}
    assert {len(processes) for processes in per_gpu.values()} == {seats.device // len(expected)}
    assert set(workers.noted(2)) == {"False"}
    assert set(workers.noted(3)) == {str(seats.gpus) if 0 < seats.gpus < 1 else "-"}


def with_models(plan: Plan, names: str) -> Plan:
    """The plan with steps of which these use a model."""
    steps = [step.model_copy(update={"settings": {"model": {}} if step.id in names else {}}) for step in plan.steps]
    return plan.model_copy(update={"steps": tuple(steps)})


GPUS = Seats(device=2, gpus=1, memory=0, pure=0)
SHARED = Seats(device=4, gpus=0.5, memory=0, pure=0)


def test_a_further_seat_is_opened_where_waiting_takes_longer(tmp_path: Path) -> None:
    """Steps of a moment wait for the seats that are there, one on each GPU; a step behind one that takes long does not."""
    waiting = MakeToyWorker(tmp_path / "waiting", loading=3.0)
    opening = MakeToyWorker(tmp_path / "opening", slow=("a", "b"))

    for workers, seconds in ((waiting, 60.0), (opening, 0.2)):
        place = tmp_path / f"store-{seconds}"
        assert run_in_processes(place, workers, plan=WIDE, seats=SHARED, gpus=["0", "1"], opening=seconds).ok

    assert len(set(waiting.noted(0))) == 2
    assert set(waiting.noted(1)) == {"0", "1"}
    assert set(opening.noted(0, "c")).isdisjoint({*opening.noted(0, "a"), *opening.noted(0, "b")})


@pytest.mark.parametrize(
    ("seats", "gpus", "ready"),
    [
        (Seats(device=2, gpus=1, memory=0, pure=1), "01", ["0", "1"]),
        (Seats(device=4, gpus=0.5, memory=0, pure=1), "01", ["0", "1"]),
        (Seats(device=2, gpus=1, memory=0, pure=1), "0123", ["0", "1"]),
    ],
)
def test_every_gpu_that_may_be_used_is_made_ready_as_soon_as_there_is_work(
    tmp_path: Path, seats: Seats, gpus: str, ready: list[str]
) -> None:
    """Though one step comes after the other, and the first needs none: the second GPU has loaded when its first step comes."""
    chain = with_models(make_plan({"a": [], "b": ["a"], "c": ["b"], "d": ["c"], "e": ["c"]}), "bcde")
    workers = MakeToyWorker(tmp_path / "notes", seconds=1.0)

    assert run_in_processes(tmp_path / "s", workers, plan=chain, seats=seats, gpus=gpus, opening=60.0).ok

    assert sorted(gpu for gpu in workers.noted(1, "prepared") if gpu) == ready
    assert sorted([*workers.noted(1, "d"), *workers.noted(1, "e")]) == ready
    assert len(set(workers.noted(0))) == 3


def test_no_gpu_is_made_ready_for_steps_that_are_complete(tmp_path: Path) -> None:
    """Where one step is left, one GPU will do."""
    workers, plan = MakeToyWorker(tmp_path / "notes", seconds=1.0), with_models(WIDE, "abcdef")
    run(tmp_path / "s", plan, ToyWorker(failing=("b",)))

    assert run_in_processes(tmp_path / "s", workers, plan=plan, seats=GPUS, gpus=["0", "1"], opening=60.0).ran == ["b"]

    assert workers.noted(1, "prepared") == ["0"]


def test_a_seat_that_dies_without_a_step_costs_none(tmp_path: Path) -> None:
    """While it gets ready, and though nothing was asked of it: no step is tried twice for that, another is opened if needed."""
    recorder, workers = Recorder(), MakeToyWorker(tmp_path / "notes", seconds=1.5, dies_on="prepared@1", times=1)
    plan = make_plan({"a": [], "b": ["a"], "left": ["b"], "right": ["b"]})

    outcome = run_in_processes(tmp_path / "s", workers, recorder, plan=plan, seats=GPUS, gpus=["0", "1"], opening=60.0)

    assert sorted(outcome.ran) == ["a", "b", "left", "right"]
    assert recorder.named("step_waits") == []
    assert sorted(workers.noted(1, "prepared")) == ["0", "1", "1"]


def test_steps_without_a_model_sit_where_there_is_no_gpu(tmp_path: Path) -> None:
    """They keep no GPU from the steps that need one."""
    plan, workers = with_models(WIDE, "abc"), MakeToyWorker(tmp_path / "notes")

    outcome = run_in_processes(tmp_path / "s", workers, plan=plan, seats=Seats(1, 1.0, 0, pure=1), gpus=["3"])

    assert outcome.ok
    told = {note.name.split(".")[0]: note.read_text().split(" ")[1] for note in workers.notes.glob("[a-f].*")}
    assert told == {"a": "3", "b": "3", "c": "3", "d": "", "e": "", "f": ""}


def test_a_gpu_that_stopped_working_is_left_out_and_the_run_goes_on(tmp_path: Path) -> None:
    """Steps that lose it are made on the other GPU; after the second it is not asked again, and a line says so."""
    run(tmp_path / "local", WIDE, ToyWorker())
    recorder, workers = Recorder(), MakeToyWorker(tmp_path / "notes", broken=("1",))

    outcome = run_in_processes(tmp_path / "seats", workers, recorder, plan=WIDE, seats=GPUS, gpus=["0", "1"])

    assert outcome.ok
    assert contents(tmp_path / "seats") == contents(tmp_path / "local")
    assert workers.noted(1).count("1") == 2
    assert all("GPU 1 stopped working: CUDA error" in waits[2] for waits in recorder.named("step_waits"))
    assert ["GPU 1 is left out" in noted[2] for noted in recorder.named("step_noted")] == [True]


def test_a_step_that_breaks_every_gpu_fails_alone(tmp_path: Path) -> None:
    """An assertion on the device is the step's own fault: it has its three tries, on all GPUs, and none of them is left out."""
    workers = MakeToyWorker(tmp_path / "notes", broken=("b@0", "b@1"))

    outcome = run_in_processes(tmp_path / "seats", workers, plan=WIDE, seats=GPUS, gpus=["0", "1"])

    assert list(outcome.failed) == ["b"]
    assert "stopped working: CUDA error" in outcome.failed["b"]
    assert "Traceback" in outcome.logs["b"].read_text()
    assert sorted(outcome.ran) == ["a", "c", "d", "e", "f"]
    assert set(workers.noted(1, "b")) == {"0", "1"}
    assert len(set(workers.noted(0, "b"))) == 3


def test_where_no_gpu_is_left_the_run_ends_with_a_way_out(tmp_path: Path) -> None:
    """Not with a failure for every step that is left."""
    workers = MakeToyWorker(tmp_path / "notes", broken=("0", "1"))

    outcome = run_in_processes(tmp_path / "seats", workers, plan=WIDE, seats=GPUS, gpus=["0", "1"])

    assert outcome.stopped is not None
    assert "stage1 doctor" in outcome.stopped
    assert outcome.ran == []
    assert len(workers.noted(0)) <= 4


def test_a_process_that_was_given_a_gpu_does_not_make_do_with_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """A GPU that is gone when a model is to be loaded is a loss, not a run that takes a hundred times as long."""
    monkeypatch.setenv("STAGE1_SEAT_GPUS", "7")
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    worker = StepWorker(str, lambda *_: None, lambda _: [], lambda *_: None, Runtime())

    with pytest.raises(GpuGone, match="GPU 7") as gone:
        worker._models()

    assert lost_device(gone.value)


SCRIPT = """
import signal
import sys
from pathlib import Path
from test_processes import MakeToyWorker, WIDE, run_in_processes
if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell's background job has ignored
    run_in_processes(Path(sys.argv[1]), MakeToyWorker(Path(sys.argv[2]), seconds=60.0), plan=WIDE)
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
        told = [note.read_text() for note in notes.glob("[a-f].*")] if notes.is_dir() else []
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
