"""What `bench/faults.py` does to runs of the nano experiment, and what must hold afterwards."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fault_lab import Attempt, Ended, contents, flip_a_byte, fresh, kill_at_moment, left_behind, small_disk

Counts = dict[str, Any]


class Lab:
    """The undisturbed run, and what is asked of every disturbed one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.draw = random.Random()
        self.undisturbed: dict[str, dict[str, str]] = {}
        self.seconds = 0.0

    def begin(self) -> None:
        """Run undisturbed once."""
        home = fresh(self.folder / "undisturbed")
        done = Attempt(home, home / "runs").ended()
        _ended_with(done, 0, "steps run")
        assert done
        self.undisturbed, self.seconds = contents(home / "runs"), done.seconds

    def finish(self, home: Path, store: Path, uri: str | None = None) -> Ended:
        """Give the same command once more, undisturbed, and demand the bytes of the undisturbed run."""
        done = Attempt(home, store, uri).ended()
        if done is None or done.code != 0:
            raise AssertionError(f"the run did not go on: {done}")
        if contents(store) != self.undisturbed:
            raise AssertionError(f"results differ from the undisturbed run in {store}")
        if left_behind(store):
            raise AssertionError(f"left behind: {left_behind(store)}")
        return done


def kill_9(lab: Lab, count: int) -> Counts:
    """Killed at random moments until the count is reached; each experiment is finished now and then, and compared."""
    killed = finished = 0
    while killed < count:
        home = fresh(lab.folder / "kill")
        while killed < count:
            attempt = Attempt(home, home / "runs")
            time.sleep(lab.draw.uniform(0.05, max(2.0, lab.seconds / 8)))
            attempt.kill(signal.SIGKILL)
            ended = attempt.ended()
            contents(home / "runs")
            if ended is not None and ended.code == 0:
                break
            killed += 1
        lab.finish(home, home / "runs")
        finished += 1
    return {"kill_9_at_random_moments": killed, "experiments_finished_after": finished}


def at_moments(lab: Lab, count: int) -> Counts:
    """Killed just before a rename, a removal, a new folder, or the opening of a file for writing."""
    killed = finished = 0
    while killed < count:
        home = fresh(lab.folder / "moments")
        while killed < count:
            attempt = Attempt(home, home / "runs", before=kill_at_moment(home / "runs", lab.draw.randrange(1, 60)))
            ended = attempt.ended()
            contents(home / "runs")
            if ended is not None and ended.code == 0:
                break
            _ended_with(ended, -signal.SIGKILL, "")
            killed += 1
        lab.finish(home, home / "runs")
        finished += 1
    return {"kill_9_at_renames_and_writes": killed, "experiments_finished_after": finished}


def signals(lab: Lab, count: int) -> Counts:
    """Ctrl-C and SIGTERM at random moments, that many of each: one line, the shell's exit code, no traceback."""
    told = {130: 0, 143: 0}
    home = fresh(lab.folder / "signals")
    while min(told.values()) < count:
        number, code = (signal.SIGINT, 130) if told[130] <= told[143] else (signal.SIGTERM, 143)
        attempt = Attempt(home, home / "runs")
        time.sleep(lab.draw.uniform(0.5, max(2.0, lab.seconds / 8)))
        attempt.kill(number)
        ended = attempt.ended()
        if ended is not None and ended.code == 0:
            lab.finish(home, home / "runs")
            home = fresh(home)
            continue
        if ended is None or ended.code != code or "Traceback" in ended.said or "interrupted" not in ended.said:
            raise AssertionError(f"signal {number} ended with {ended}")
        told[code] += 1
    lab.finish(home, home / "runs")
    return {"ctrl_c": told[130], "sigterm": told[143]}


def full_disk(lab: Lab, _: int) -> Counts:
    """A store on a disk that is too small, then large enough; then one that is read-only for a while."""
    size = sum(path.stat().st_size for path in (lab.folder / "undisturbed" / "runs").rglob("*") if path.is_file()) / 2**20
    ended_full = 0
    for share in (0.05, 0.4, 0.8):
        home = fresh(lab.folder / "full")
        with small_disk(home / "disk", max(0.1, size * share)) as remount:
            done = Attempt(home, home / "disk" / "runs").ended()
            _ended_with(done, 3, "disk is full")
            contents(home / "disk" / "runs")
            remount("size=512m")
            lab.finish(home, home / "disk" / "runs")
            ended_full += 1
            remount("ro")
            _ended_with(Attempt(home, home / "disk" / "runs").ended(), 3, "ead-only")
            remount("rw")
            lab.finish(home, home / "disk" / "runs")
    return {"full_disk_tmpfs": ended_full, "read_only_folder": ended_full}


def _ended_with(done: Ended | None, code: int, words: str) -> None:
    if done is None or done.code != code or words not in done.said or "Traceback" in done.said:
        raise AssertionError(f"expected exit {code} and {words!r}, got {done}")


def flips(lab: Lab, _: int) -> Counts:
    """One byte changed in every file of one artifact of every kind, a file at a time over all kinds, manifests included."""
    home = fresh(lab.folder / "flips")
    shutil.copytree(lab.folder / "undisturbed", home, dirs_exist_ok=True)
    store = home / "runs"
    by_kind: dict[str, list[Path]] = {}
    for manifest in sorted(store.glob("artifacts/*/manifest.json")):
        by_kind.setdefault(json.loads(manifest.read_text())["kind"], []).append(manifest.parent)
    flipped = 0
    files = {kind: _files(lab.draw.choice(folders)) for kind, folders in by_kind.items()}
    for turn in range(max(map(len, files.values()))):
        damaged = [names[turn] for names in files.values() if turn < len(names)]
        for path in damaged:
            flip_a_byte(path, lab.draw)
        done = lab.finish(home, store)
        found = done.said.count("damaged ")
        if found < len(damaged):
            raise AssertionError(f"{found} of {len(damaged)} damages were told: {done.said}")
        flipped += len(damaged)
    return {"bytes_flipped": flipped, "kinds_of_artifact": len(by_kind), "found_named_and_made_again": flipped}


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.stat().st_size)


def together(lab: Lab, _: int) -> Counts:
    """Several runs of one spec at once share the work; killing one of them leaves it to the others."""
    double_work = rounds = 0
    for runs, kill in ((2, False), (3, True)):
        home = fresh(lab.folder / "together")
        attempts = [Attempt(home, home / "runs") for _ in range(runs)]
        if kill:
            time.sleep(lab.seconds / 3)
            attempts.pop().kill(signal.SIGKILL)
        told = [attempt.ended() for attempt in attempts]
        if any(done is None or done.code != 0 for done in told):
            raise AssertionError(f"a run beside another failed: {told}")
        if not kill:
            double_work += sum(_steps_run(done) for done in told if done) - len(lab.undisturbed)
        lab.finish(home, home / "runs")
        rounds += 1
    return {"rounds_of_runs_at_once": rounds, "steps_done_twice": double_work}


def _steps_run(done: Ended) -> int:
    line = next(line for line in done.said.splitlines() if " steps run, " in line)
    return int(line.split(" steps run")[0])


def tracking_server(lab: Lab, _: int) -> Counts:
    """An MLflow server killed while arms train; restarted during the run, or only after it. It ends up with everything."""
    rounds = 0
    for restart_during in (True, False):
        home = fresh(lab.folder / "tracking")
        port = _free_port()
        uri = f"http://127.0.0.1:{port}"
        server = _server(home, port)
        attempt = Attempt(home, home / "runs", uri)
        time.sleep(lab.seconds * 0.5)
        _stop_server(server)
        if restart_during:
            time.sleep(3.0)
            server = _server(home, port)
        done = attempt.ended()
        if done is None or done.code != 0 or "going on without it" not in done.said or "Traceback" in done.said:
            raise AssertionError(f"a lost server: {done}")
        if not restart_during:
            server = _server(home, port)
        lab.finish(home, home / "runs", uri)
        _holds_everything(uri, home / "runs")
        _stop_server(server)
        rounds += 1
    return {"tracking_server_killed_and_restarted": rounds}


def _server(home: Path, port: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", f"sqlite:///{home}/server.db",
               "--artifacts-destination", str(home / "served"), "--port", str(port), "--workers", "1"]  # fmt: skip
    server = subprocess.Popen(command, cwd=home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    for _ in range(240):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1).close()
        except OSError:
            time.sleep(0.5)
        else:
            return server
    raise AssertionError("the MLflow server did not start")


def _stop_server(server: subprocess.Popen[bytes]) -> None:
    os.killpg(server.pid, signal.SIGKILL)
    server.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _holds_everything(uri: str, store: Path) -> None:
    """A finished run for every arm and seed with all points and answers, each exactly once; one summary with the report."""
    from mlflow import MlflowClient

    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name("nano")
    every = client.search_runs([experiment.experiment_id])
    runs = [run for run in every if run.data.tags.get("arm")]
    plan = json.loads((store / "nano" / "plan.json").read_text())
    if len(runs) != len(plan["arms"]) or any(run.info.status != "FINISHED" for run in every):
        raise AssertionError([(run.info.run_name, run.info.status) for run in every])
    summaries = [run for run in every if run.data.tags.get("stage1.role") == "summary"]
    if len(summaries) != 1 or not {"report.html", "summary.md"} <= _artifacts(client, summaries[0]):
        raise AssertionError(f"{len(summaries)} summary runs, with {[_artifacts(client, run) for run in summaries]}")
    for run in runs:
        _holds_its_points(client, run, store)
        _holds_its_answers(client, run, store)


def _artifacts(client: Any, run: Any) -> set[str]:
    return {file.path for file in client.list_artifacts(run.info.run_id)}


def _holds_its_points(client: Any, run: Any, store: Path) -> None:
    """Of every metric one point a step; of the curves all that the training wrote down; of the scores at least one."""
    told = {name: [point.step for point in client.get_metric_history(run.info.run_id, name)] for name in run.data.metrics}
    twice = [name for name, steps in told.items() if len(set(steps)) != len(steps) and not name.startswith("system/")]
    if twice or not any(name.startswith("eval/") for name in told):
        raise AssertionError(f"{run.info.run_name}: told twice: {twice}, of {sorted(told)}")
    if "stage1.train" in run.data.tags:
        lines = (store / "artifacts" / run.data.tags["stage1.train"] / "curves.jsonl").read_text().splitlines()
        wanted: dict[str, list[int]] = {}
        for row in map(json.loads, lines):
            wanted.setdefault(row["name"], []).append(row["step"])
        short = [name for name, steps in wanted.items() if sorted(told.get(name, [])) != sorted(steps)]
        if short:
            raise AssertionError(f"{run.info.run_name}: {short} are not complete")


def _holds_its_answers(client: Any, run: Any, store: Path) -> None:
    """Each item once."""
    if "answers.json" not in _artifacts(client, run):
        raise AssertionError(f"{run.info.run_name} has no answers")
    with TemporaryDirectory() as folder:
        table = json.loads(Path(client.download_artifacts(run.info.run_id, "answers.json", folder)).read_text())
    items = [row[table["columns"].index("item")] for row in table["data"]]
    if len(set(items)) != len(items) or not items:
        raise AssertionError(f"{run.info.run_name}: {len(items)} answers to {len(set(items))} items")


SCENARIOS: dict[str, Callable[[Lab, int], Counts]] = {
    "tracking_server": tracking_server, "full_disk": full_disk, "kill_9": kill_9, "at_moments": at_moments, "flips": flips,
    "together": together, "signals": signals,
}  # fmt: skip
"""The longest first, so that all laboratories end at about the same time."""
