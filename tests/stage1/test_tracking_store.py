"""The local tracking store, made whole or not at all, whoever is killed; and the process beside the run that writes it."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from mlflow import MlflowClient

from compiler.plan import ArmSteps, Plan
from compiler.records import Answer, Item, ItemScore
from evaluators.analysis.samples import sample_analysis
from stage1.commands.compiling import compile_file
from stage1.store import Store
from stage1.tracking import TrackerBeside
from stage1.tracking.arm_runs import ArmRuns
from stage1.tracking.connection import Connection
from stage1.tracking.tracker import MlflowTracker

NANO = Path(__file__).with_name("nano.yaml")
ROWS = [(step, name, step / 10) for step in range(1, 7) for name in ("train/loss", "train/grad_norm")]
CONNECT = """
import os, signal, sys
def die(event, details):
    if event == "os.rename" and str(details[1]).endswith("mlflow.db"):
        os.kill(os.getpid(), signal.SIGKILL)
if sys.argv[2] == "die":
    sys.addaudithook(die)
from stage1.tracking.connection import Connection
connection = Connection(f"sqlite:///{sys.argv[1]}", "x", print)
print(connection.safely(lambda: connection.client), connection.experiment)
"""

BESIDE = """
import multiprocessing, sys, time
from pathlib import Path
from stage1.commands.compiling import compile_file
from stage1.runner import Outcome
from stage1.store import Store
from stage1.tracking import TrackerBeside
folder, plan = Path(sys.argv[1]), compile_file(Path(sys.argv[2]), []).plan
state = folder / "tracking.json"
beside = TrackerBeside(plan, Store(folder), f"sqlite:///{folder / 'mlflow.db'}", state, print, on_this_machine=True)
beside.run_started(plan, plan.steps)
print(multiprocessing.active_children()[0].pid, flush=True)
if sys.argv[3] == "fail":
    raise SystemExit(3)
time.sleep(300)
"""


def connect(path: Path, how: str) -> subprocess.CompletedProcess[str]:
    """Open the store in a process of its own."""
    return subprocess.run([sys.executable, "-c", CONNECT, str(path), how], capture_output=True, text=True, check=False)


def test_a_database_killed_in_the_making_does_not_stay(tmp_path: Path) -> None:
    """After a kill -9 while its tables are made there is no database, and the next run makes a sound one."""
    path = tmp_path / "mlflow.db"

    killed = connect(path, "die")

    assert killed.returncode == -signal.SIGKILL
    assert not path.exists()
    assert connect(path, "live").stdout.split() == ["True", "1"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_told_by_its_exit_code(number: int) -> None:
    """128 and the signal's number, also where a library has put a plain KeyboardInterrupt in the place of ours."""
    from stage1.interruption import exit_code, stopping_on_signals

    outside = signal.signal(number, signal.default_int_handler)  # a test run in the background may ignore signals
    try:
        with stopping_on_signals(), pytest.raises(KeyboardInterrupt) as stop:
            os.kill(os.getpid(), number)
    finally:
        signal.signal(number, outside)

    assert exit_code(stop.value) == 128 + number
    assert exit_code(KeyboardInterrupt()) == 128 + number


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tracking database without a run; to make one takes seconds."""
    path = tmp_path_factory.mktemp("tracking") / "mlflow.db"
    assert Connection(f"sqlite:///{path}", "nano", print).client
    return path


@pytest.fixture
def folder(empty: Path, tmp_path: Path) -> Path:
    """A folder with an empty tracking database of its own."""
    shutil.copy(empty, tmp_path)
    return tmp_path


def arm_runs(folder: Path) -> tuple[ArmRuns, Connection, ArmSteps]:
    """What a run of the nano experiment knows when it begins, and one of its trained arms."""
    plan = compile_file(NANO, []).plan
    assert isinstance(plan, Plan)
    connection = Connection(f"sqlite:///{folder / 'mlflow.db'}", plan.experiment, print)
    return ArmRuns(plan, Store(folder), connection), connection, next(entry for entry in plan.arms if entry.train)


def points(connection: Connection, run_id: str) -> list[tuple[int, str, float]]:
    """All points of the curves, doubled ones twice."""
    names = {name for _, name, _ in ROWS}
    return sorted((p.step, name, p.value) for name in names for p in connection.client.get_metric_history(run_id, name))


def test_a_training_that_goes_on_doubles_no_point(folder: Path) -> None:
    """After an interruption the curves so far are told again: the same MLflow run goes on, each point in it once."""
    killed, _, arm = arm_runs(folder)
    begun = killed.open(arm)
    killed.send(begun, ROWS[:7])

    resumed, connection, arm = arm_runs(folder)
    resumed.send(resumed.open(arm), ROWS[:9])
    resumed.send(resumed.open(arm), ROWS)

    assert resumed.open(arm) == begun
    assert points(connection, begun) == sorted(ROWS)


def test_points_whose_receipt_was_lost_are_not_sent_twice(folder: Path) -> None:
    """A server that goes away between keeping a batch and answering: what it has is asked before anything is sent again."""
    runs, connection, arm = arm_runs(folder)
    run_id, keep = runs.open(arm), connection.client.log_batch

    def keep_and_go(*args: object, **kwargs: object) -> None:
        keep(*args, **kwargs)
        raise ConnectionError("gone")

    connection.client.log_batch = keep_and_go
    assert not connection.safely(lambda: runs.send(run_id, ROWS[:6]))
    assert connection.safely(lambda: runs.send(run_id, ROWS), now=True)

    assert points(connection, run_id) == sorted(ROWS)


@pytest.mark.parametrize(("end", "code"), [("fail", 3), ("kill", -signal.SIGKILL)])
def test_the_tracker_ends_with_its_run(tmp_path: Path, end: str, code: int) -> None:
    """However a run ends without waiting for its tracker, by an error or by kill -9, nothing of it stays behind."""
    command = [sys.executable, "-c", BESIDE, str(tmp_path), str(NANO), end]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout
        tracker = int(run.stdout.readline())
        if end == "kill":
            run.kill()
        assert run.wait() == code

    deadline = time.monotonic() + 30
    while psutil.pid_exists(tracker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not psutil.pid_exists(tracker)


@pytest.fixture
def beside(folder: Path) -> Iterator[tuple[TrackerBeside, psutil.Process, list[str]]]:
    """A tracker beside this process, its process, and what it has warned of."""
    plan = compile_file(NANO, []).plan
    assert isinstance(plan, Plan)
    warned: list[str] = []
    uri, state = f"sqlite:///{folder / 'mlflow.db'}", folder / "tracking.json"
    tracker = TrackerBeside(plan, Store(folder), uri, state, warned.append, on_this_machine=False)
    [pid] = [child.pid for child in multiprocessing.active_children() if child.name == "stage1-tracker"]
    process = psutil.Process(pid)
    yield tracker, process, warned
    with contextlib.suppress(psutil.NoSuchProcess):
        process.kill()


def test_no_step_waits_for_a_tracking_store(beside: tuple[TrackerBeside, psutil.Process, list[str]], folder: Path) -> None:
    """While nothing is recorded, for whatever reason, more than any pipe holds can be told; later all of it is there."""
    tracker, process, warned = beside
    _, connection, arm = arm_runs(folder)
    plan = compile_file(NANO, []).plan
    assert isinstance(plan, Plan)
    assert arm.train
    step, rows = plan.step(arm.train), [(step, "train/loss", step / 10) for step in range(1, 10_001)]

    process.suspend()
    tracker.step_started(step)
    for start in range(0, len(rows), 1000):
        tracker.step_curves(step, rows[start : start + 1000])
    process.resume()
    tracker.close()

    assert warned == []
    (run,) = connection.client.search_runs(["1"])
    assert len(connection.client.get_metric_history(run.info.run_id, "train/loss")) == len(rows)


def test_signals_for_the_run_do_not_end_its_tracker(
    beside: tuple[TrackerBeside, psutil.Process, list[str]], folder: Path
) -> None:
    """Ctrl-C reaches every process of a terminal: the tracker stays until the run has said what became of it."""
    tracker, process, _ = beside
    _, connection, arm = arm_runs(folder)
    plan = compile_file(NANO, []).plan
    assert isinstance(plan, Plan)
    assert arm.train
    tracker.step_started(plan.step(arm.train))
    while not connection.client.search_runs(["1"]):
        time.sleep(0.1)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        process.send_signal(number)

    tracker.interrupted()

    assert process.wait(30) in (None, 0)
    assert [run.info.status for run in connection.client.search_runs(["1"])] == ["KILLED"]


def test_a_tracker_that_dies_costs_the_run_nothing(beside: tuple[TrackerBeside, psutil.Process, list[str]]) -> None:
    """What is told to it goes nowhere, and at the end one line says so."""
    tracker, process, warned = beside
    process.kill()

    tracker.arm_ready("base", None)
    tracker.close()

    assert len(warned) == 1
    assert "the same command adds what is missing" in warned[0]


def finished_arm(folder: Path, overrides: list[str], warned: list[str]) -> tuple[MlflowTracker, Plan, ArmSteps]:
    """A tracker that has recorded the base arm of a plan whose artifacts are there."""
    plan = compile_file(NANO, overrides).plan
    assert isinstance(plan, Plan)
    arm = next(entry for entry in plan.arms if entry.train is None)
    store = Store(folder)
    item = Item(id="i1", kind="qa", instruction="Name a river.")
    records = {
        "instructions": {"heldout.jsonl": [item]},
        arm.respond: {
            "answers.jsonl": [Answer(item_id="i1", split="heldout", response="The Rhine\nEND", tokens=4, hit_token_limit=False)]
        },
        arm.score: {"scores.jsonl": [ItemScore(item_id="i1", criteria={"on_topic": True, "factually_correct": None})]},
    }
    for step_id, files in records.items():
        step = plan.step(step_id)
        if not store.has(step.fingerprint):
            with store.writing(step, {}, {}) as draft:
                for name, rows in files.items():
                    draft.write(name, rows)
    uri, state = f"sqlite:///{folder / 'mlflow.db'}", folder / "tracking.json"
    return MlflowTracker(plan, store, uri, state, warned.append, on_this_machine=False), plan, arm


def recorded(folder: Path) -> tuple[Any, Any, list[Any]]:
    """A client, the base arm's only run, and the rows of its answers."""
    client = MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")
    (run,) = client.search_runs(["1"], "tags.`stage1.score` != ''")
    table = json.loads(Path(client.download_artifacts(run.info.run_id, "answers.json")).read_text())
    return client, run, [dict(zip(table["columns"], row, strict=True)) for row in table["data"]]


def test_an_arm_that_two_plans_share_is_recorded_once(folder: Path) -> None:
    """Recorded again under another plan, whose run it then is: no row of the answers, no point and no dataset is doubled."""
    for overrides in ([], ["recipes.dpo.beta=0.3"], []):
        tracker, plan, arm = finished_arm(folder, overrides, [])
        tracker.arm_ready(arm.arm, arm.seed)
        client, run, rows = recorded(folder)

        assert rows == [
            {
                "instruction": "Name a river.", "response": "The Rhine\nEND",
                "on_topic": "pass", "factually_correct": "n/a", "kind": "qa", "item": "i1",
            }
        ]  # fmt: skip
        assert run.data.tags["stage1.plan"] == plan.fingerprint
        assert len(client.get_metric_history(run.info.run_id, "eval/on_topic")) == 1
        assert len(run.inputs.dataset_inputs) == 1


def test_processes_that_share_an_arm_double_nothing(folder: Path) -> None:
    """All have the run open and know it as it was before one was done; it stays as the first made it, whatever becomes of others."""
    (first, _, arm), (second, _, _), (third, _, _) = (finished_arm(folder, [], []) for _ in range(3))
    for tracker in (first, second, third):
        tracker._runs.send(tracker._runs.open(arm), [])

    first.arm_ready(arm.arm, arm.seed)
    third.interrupted()
    second.arm_ready(arm.arm, arm.seed)

    client, run, rows = recorded(folder)
    assert run.info.status == "FINISHED"
    assert len(rows) == 1
    assert len(client.get_metric_history(run.info.run_id, "eval/on_topic")) == 1


def test_a_run_that_is_not_evaluated_is_not_left_running(folder: Path) -> None:
    """An arm whose answers cannot be had FAILED with the reason; one that was trained for another arm alone waits, KILLED."""
    tracker, _, _ = finished_arm(folder, [], [])
    for seed in (1, 2):
        tracker.step_started(f"train/sft/seed-{seed}")
        tracker.step_finished(f"train/sft/seed-{seed}")

    tracker.step_failed("respond/sft/seed-1", "no room")
    tracker.close()

    runs = MlflowClient(tracker.uri).search_runs(["1"], order_by=["params.seed"])
    assert [(run.info.status, run.data.tags["stage1.error"]) for run in runs] == [
        ("FAILED", "no room"), ("KILLED", "not evaluated in this run"),
    ]  # fmt: skip


def test_what_another_process_is_recording_is_looked_at_again(folder: Path) -> None:
    """It may die over it: an arm counts as recorded once it is, and the end of the run waits a little for that."""
    warned: list[str] = []
    tracker, plan, arm = finished_arm(folder, [], warned)
    with Store(folder).claim(f"tracking-{plan.step(arm.score).fingerprint}") as mine:
        assert mine
        tracker.arm_ready(arm.arm, arm.seed)
    assert not (folder / "tracking.json").exists()

    tracker.close()

    _, run, _ = recorded(folder)
    assert run.info.status == "FINISHED"
    assert warned == []


def test_a_run_that_was_interrupted_and_finished_has_no_error(folder: Path) -> None:
    """While it waits it is KILLED, with the reason; finished, nothing of that is left."""
    tracker, _, arm = finished_arm(folder, [], [])
    tracker._runs.open(arm)
    tracker.interrupted()
    client = MlflowClient(tracker.uri)
    (killed,) = client.search_runs(["1"])
    assert (killed.info.status, killed.data.tags["stage1.error"]) == ("KILLED", "interrupted")

    again, _, _ = finished_arm(folder, [], [])
    again.arm_ready(arm.arm, arm.seed)

    _, run, _ = recorded(folder)
    assert run.info.run_id == killed.info.run_id
    assert run.info.status == "FINISHED"
    assert "stage1.error" not in run.data.tags


def test_a_finished_run_stays_finished(folder: Path) -> None:
    """Under another plan too: while it is open, when that run of the plan is interrupted, and when it is recorded again."""
    tracker, _, arm = finished_arm(folder, [], [])
    tracker.arm_ready(arm.arm, arm.seed)
    _, before, _ = recorded(folder)

    stopped, _, arm = finished_arm(folder, ["recipes.dpo.beta=0.3"], [])
    stopped._runs.open(arm)
    _, opened, _ = recorded(folder)
    stopped.interrupted()
    _, interrupted, _ = recorded(folder)
    again, plan, arm = finished_arm(folder, ["recipes.dpo.beta=0.3"], [])
    again.arm_ready(arm.arm, arm.seed)
    _, run, _ = recorded(folder)

    assert before.info.status == "FINISHED"
    assert opened.info.status == "FINISHED"
    assert (interrupted.info.status, interrupted.data.tags.get("stage1.error")) == ("FINISHED", None)
    assert (run.info.status, run.info.end_time) == ("FINISHED", before.info.end_time)
    assert run.data.tags["stage1.plan"] == plan.fingerprint


def test_a_finished_run_stays_finished_when_its_training_is_made_again(folder: Path) -> None:
    """An artifact was lost: the new training that fails, or is stopped, takes nothing from what is recorded."""
    runs, connection, arm = arm_runs(folder)
    run_id = runs.open(arm)
    runs.send(run_id, ROWS)
    connection.client.set_terminated(run_id, "FINISHED")

    for end in ("step_failed", "interrupted", "close"):
        tracker, _, _ = finished_arm(folder, [], [])
        assert arm.train
        tracker.step_started(arm.train)
        tracker.step_curves(arm.train, ROWS[:3])
        getattr(tracker, end)(*([arm.train, "no room"] if end == "step_failed" else []))

        run = connection.client.get_run(run_id)
        assert (run.info.status, run.data.tags.get("stage1.error")) == ("FINISHED", None)
    assert points(connection, run_id) == sorted(ROWS)


def test_an_artifact_that_is_being_made_again_is_not_the_tracking_stores_fault(folder: Path) -> None:
    """No warning that the store cannot be used; at the end the arm counts as not recorded yet."""
    warned: list[str] = []
    tracker, plan, arm = finished_arm(folder, [], warned)
    Store(folder).set_aside(plan.step(arm.score).fingerprint)

    tracker.arm_ready(arm.arm, arm.seed)
    assert warned == []
    tracker.close()

    assert warned == ["tracking: 1 runs are not recorded; the same command adds them later"]


def test_a_summary_that_a_lost_server_missed_is_added_when_it_is_back(tmp_path: Path, empty: Path) -> None:
    """As the arms are: the run's end is one more chance."""
    warned: list[str] = []
    place = tmp_path / "server"
    place.write_text("in the way")
    plan = compile_file(NANO, []).plan
    assert isinstance(plan, Plan)
    uri = f"sqlite:///{place / 'mlflow.db'}"
    tracker = MlflowTracker(plan, Store(tmp_path), uri, tmp_path / "tracking.json", warned.append, on_this_machine=False)
    (tmp_path / "report.html").write_text("<p>all of it</p>")

    tracker.summarize(sample_analysis(), tmp_path / "report.html")
    place.unlink()
    place.mkdir()
    shutil.copy(empty, place)
    tracker.close()

    assert ["cannot be used" in warning for warning in warned] == [True, False]
    (run,) = MlflowClient(uri).search_runs(["1"])
    verdicts = {claim.claim: claim.verdict for claim in sample_analysis().claims}
    assert {name.removeprefix("verdict."): v for name, v in run.data.tags.items() if name.startswith("verdict.")} == verdicts
    first_line = MlflowClient(uri).get_experiment("1").tags["mlflow.note.content"].partition("\n")[0]
    assert all(name in first_line and f"**{verdict}**" in first_line for name, verdict in verdicts.items())
