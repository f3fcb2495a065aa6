"""A whole experiment, small and real: reuse, partial reruns, kill -9, the records in MLflow."""

from __future__ import annotations

import base64
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlparse

import pytest

from stage1.store.shared import SharedStore

NANO = Path(__file__).with_name("nano.yaml")
SECRET = "hf_" + "s3cr3tS3cr3t" * 3
PASSWORD = "p4ssw0rd-of-the-server"
COMMAND = [sys.executable, "-m", "stage1"]
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"} | {
    "NO_COLOR": "1",
    "HF_TOKEN": SECRET,
}


def stage1(cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    done = subprocess.run([*COMMAND, *arguments], cwd=cwd, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done


def contents(cwd: Path) -> dict[str, dict[str, str]]:
    """Fingerprint -> file -> hash, of every complete artifact: what a run produced, without when and where."""
    manifests = [json.loads(path.read_text()) for path in cwd.glob("runs/artifacts/*/manifest.json")]
    return {m["fingerprint"]: {name: entry["sha256"] for name, entry in m["files"].items()} for m in manifests}


def planned(cwd: Path) -> list[dict[str, Any]]:
    """The steps of the plan that was run last in a folder."""
    steps: list[dict[str, Any]] = json.loads((cwd / "runs" / "nano" / "plan.json").read_text())["steps"]
    return steps


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the nano experiment has run undisturbed."""
    folder = tmp_path_factory.mktemp("finished")
    stage1(folder, "run", str(NANO))
    return folder


def test_a_run_leaves_verdicts_a_report_and_a_plan(finished: Path) -> None:
    """Every step of the plan is complete, the report names the claim, nothing unfinished remains."""
    assert set(contents(finished)) == {step["fingerprint"] for step in planned(finished)}
    assert "SFT teaches the END marker" in (finished / "runs" / "nano" / "report.html").read_text()
    assert list((finished / "runs" / "unfinished").iterdir()) == []


def test_the_first_dpo_loss_is_ln_2_in_every_arm(finished: Path) -> None:
    """Policy and reference agree before the first update, from the base model and from the SFT checkpoint alike."""
    trained = [step for step in planned(finished) if step["kind"] == "train" and "pairs" in step["inputs"]]

    assert len(trained) == 4
    for step in trained:
        summary = json.loads((finished / "runs" / "artifacts" / step["fingerprint"] / "summary.json").read_text())
        assert summary["first_loss"] == pytest.approx(0.6931471805599453, abs=1e-5)


def test_two_worker_processes_make_the_same(finished: Path, tmp_path: Path) -> None:
    """`--workers 2`: the base arm, made by two processes at once, is byte for byte the one made by one."""
    done = stage1(tmp_path, "run", str(NANO), "--only", "base", "--workers", "2")

    made = contents(tmp_path)
    assert f"{len(made)} steps run, 0 reused" in done.stderr
    assert made.items() <= contents(finished).items()


def test_a_second_run_makes_nothing(finished: Path) -> None:
    """The same command again reuses every step and leaves every artifact as it was."""
    before = {path: path.stat().st_mtime_ns for path in finished.glob("runs/artifacts/**/*")}

    done = stage1(finished, "run", str(NANO))

    steps = len(list((finished / "runs" / "artifacts").iterdir()))
    assert f"{steps} reused, 0 to do" in done.stderr
    assert {path: path.stat().st_mtime_ns for path in finished.glob("runs/artifacts/**/*")} == before


def test_a_report_needs_nothing_but_the_url(finished: Path, tmp_path: Path) -> None:
    """A machine with nothing of its own reports a run from a store at a URL, number by number as the one that ran it."""
    url = f"file://{tmp_path}/shared"
    store = SharedStore(finished / "runs", url)
    sent = [store.publish(step["fingerprint"]) for step in planned(finished)]

    there = stage1(tmp_path, "report", str(NANO), "--format", "json", "--store", url)
    here = stage1(finished, "report", str(NANO), "--format", "json")

    assert all(sent)
    assert json.loads(there.stdout) == json.loads(here.stdout)


def test_a_changed_beta_reruns_only_what_hangs_on_it(finished: Path) -> None:
    """`plan` names the change and the steps; `run` makes exactly those."""
    override = ["--set", "recipes.dpo.beta=0.3"]
    outlook = json.loads(stage1(finished, "plan", str(NANO), *override, "--format", "json").stdout)["outlook"]
    to_run = {step["id"]: step["why"] for step in outlook["steps"] if step["action"] == "run"}
    before = {path.name for path in finished.glob("runs/artifacts/*")}

    stage1(finished, "run", str(NANO), *override)

    made = [path for path in finished.glob("runs/artifacts/*") if path.name not in before]
    assert {json.loads((path / "manifest.json").read_text())["step"] for path in made} == set(to_run)
    assert all("dpo" in step or step == "analyze" for step in to_run)
    assert "recipes.dpo.beta 0.1 -> 0.3" in to_run["train/sft_dpo/seed-1"]


def test_kill_9_at_any_moment_then_the_same_command(finished: Path, tmp_path: Path) -> None:
    """Killed again and again, at random moments and inside trainings, the run ends with the very bytes of an undisturbed one."""
    command = ["run", str(NANO), "--set", "runtime.keep_every_steps=1"]
    draw = random.Random(11)
    for _ in range(2):
        _killed(tmp_path, command, when=_after(draw.uniform(3.0, 12.0)))
    for _ in range(4):  # a training may be over before the signal arrives
        _killed(tmp_path, command, when=lambda: bool(_kept(tmp_path)))
        if _kept(tmp_path):
            break
    trainings = {state.parent for state in _kept(tmp_path)}

    done = stage1(tmp_path, *command)

    assert done.stderr.count("goes on after step") == len(trainings) > 0
    assert list((tmp_path / "runs" / "scratch").iterdir()) == []
    disturbed, undisturbed = contents(tmp_path), contents(finished)
    assert set(disturbed) == {step["fingerprint"] for step in planned(tmp_path)}
    assert all(files == undisturbed[fingerprint] for fingerprint, files in disturbed.items())
    assert "steps run" in done.stderr
    assert list((tmp_path / "runs" / "unfinished").iterdir()) == []


def _after(seconds: float) -> Callable[[], bool]:
    end = time.monotonic() + seconds
    return lambda: time.monotonic() >= end


def _kept(cwd: Path) -> set[Path]:
    """States of trainings that are not complete."""
    states = cwd.glob("runs/scratch/*/step-*")
    return {state for state in states if not (cwd / "runs" / "artifacts" / state.parent.name / "manifest.json").is_file()}


def _killed(cwd: Path, command: list[str], *, when: Callable[[], bool]) -> None:
    """Start the command, and end it with -9 at a moment, or let it end by itself before."""
    process = subprocess.Popen(
        [*COMMAND, *command], cwd=cwd, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while process.poll() is None and not when():
        time.sleep(0.002)
    process.kill()
    process.wait()


def test_mlflow_holds_one_flat_finished_run_per_arm_and_seed(finished: Path) -> None:
    """Seven runs: base, and three arms with two seeds; each with its arm, its seed, criteria, answers and, if trained, curves."""
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=f"sqlite:///{finished / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("nano")
    plan = json.loads((finished / "runs" / "nano" / "plan.json").read_text())["fingerprint"]
    runs = client.search_runs([experiment.experiment_id], f"tags.`stage1.plan` = '{plan}' and tags.`stage1.score` != ''")

    assert sorted((run.data.params["arm"], run.data.params["seed"]) for run in runs) == [
        ("base", "none"), ("dpo_only", "1"), ("dpo_only", "2"), ("sft", "1"), ("sft", "2"), ("sft_dpo", "1"), ("sft_dpo", "2"),
    ]  # fmt: skip
    for run in runs:
        files = {file.path for file in client.list_artifacts(run.info.run_id)}
        assert run.info.status == "FINISHED"
        assert "mlflow.parentRunId" not in run.data.tags
        assert "eval/addresses_instruction" in run.data.metrics
        assert "answers.json" in files
        assert run.inputs.dataset_inputs
        if run.data.params["arm"] != "base":
            train = finished / "runs" / "artifacts" / run.data.tags["stage1.train"] / "curves.jsonl"
            wanted = [
                (row["step"], row["value"])
                for row in map(json.loads, train.read_text().splitlines())
                if row["name"] == "train/loss"
            ]
            assert [(point.step, point.value) for point in client.get_metric_history(run.info.run_id, "train/loss")] == wanted
            assert {data.dataset.name.split("/")[0] for data in run.inputs.dataset_inputs} >= {"instructions"}
        low, rate, high = (run.data.metrics[f"{part}/addresses_instruction"] for part in ("eval-low", "eval", "eval-high"))
        assert low <= rate <= high


def test_every_trained_arm_is_a_logged_model_that_can_be_registered(finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Six adapters with weights in safetensors, a card, a signature, nothing pickled; one of them is put into the registry."""
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=f"sqlite:///{finished / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("nano")
    models = client.search_logged_models([experiment.experiment_id])

    assert {(model.tags["arm"], model.tags["seed"]) for model in models} == {
        (arm, seed) for arm in ("sft", "sft_dpo", "dpo_only") for seed in ("1", "2")
    }
    for model in models:
        folder = Path(urlparse(model.artifact_location).path)
        names = {path.name for path in folder.rglob("*")}
        assert {"adapter_model.safetensors", "adapter_config.json", "README.md", "MLmodel"} <= names
        assert not [name for name in names if name.endswith((".pkl", ".pt", ".bin", ".pickle"))]
        assert "95% interval" in (folder / "README.md").read_text()
        assert "instruction" in (folder / "MLmodel").read_text()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{finished / 'mlflow.db'}")  # where the registry looks models up
    client.create_registered_model("nano-sft")
    version = client.create_model_version("nano-sft", f"models:/{models[0].model_id}", model_id=models[0].model_id)
    assert version.status == "READY"


def test_the_summary_run_says_what_was_found(finished: Path) -> None:
    """One run holds the verdicts as tags, the report and the rates; the experiment's description says the same."""
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=f"sqlite:///{finished / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("nano")
    plan = json.loads((finished / "runs" / "nano" / "plan.json").read_text())["fingerprint"]

    runs = client.search_runs([experiment.experiment_id], f"tags.`stage1.plan` = '{plan}' and tags.`stage1.role` = 'summary'")

    assert len(runs) == 1
    assert runs[0].data.tags["verdict.sft_teaches_the_marker"] in runs[0].info.run_name
    assert {file.path for file in client.list_artifacts(runs[0].info.run_id)} >= {"report.html", "summary.md"}
    assert "SFT teaches the END marker" in experiment.tags["mlflow.note.content"]


def test_nothing_secret_is_recorded(finished: Path) -> None:
    """No value of the environment that runs were given is in the database, the manifests or the logs."""
    places = [
        finished / "mlflow.db",
        *finished.glob("mlflow.db-wal"),
        *finished.glob("runs/**/*.json"),
        *finished.glob("runs/**/*.log"),
    ]

    assert all(SECRET.encode() not in path.read_bytes() for path in places)
    assert all(os.environ["PATH"].encode() not in path.read_bytes() for path in places)


def test_a_lost_tracking_store_costs_no_result_and_gets_what_it_missed(finished: Path, tmp_path: Path) -> None:
    """While it cannot be used the run warns once and ends with its verdicts; the same command later records every arm, once."""
    from mlflow import MlflowClient

    place = tmp_path / "server"
    place.write_text("in the way")
    (tmp_path / "runs").mkdir()
    (finished / "runs" / "artifacts").rename(tmp_path / "runs" / "artifacts")
    environment = ENVIRONMENT | {"MLFLOW_TRACKING_URI": f"sqlite:///{place / 'mlflow.db'}"}
    command = [*COMMAND, "run", str(NANO)]
    try:
        lost = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        page = (tmp_path / "runs" / "nano" / "report.html").is_file()
        place.unlink()
        back = [
            subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
            for _ in range(2)
        ]
    finally:
        (tmp_path / "runs" / "artifacts").rename(finished / "runs" / "artifacts")

    assert lost.returncode == 0, lost.stderr
    assert lost.stderr.count("cannot be used") == 1
    assert "8 runs are not recorded" in lost.stderr  # the arms, and the summary
    assert page
    assert [done.returncode for done in back] == [0, 0]
    client = MlflowClient(tracking_uri=environment["MLFLOW_TRACKING_URI"])
    runs = client.search_runs([client.get_experiment_by_name("nano").experiment_id], "tags.`stage1.score` != ''")
    assert len(runs) == 7
    assert all(run.info.status == "FINISHED" for run in runs)


class Closed(BaseHTTPRequestHandler):
    """A tracking server that lets nobody in, and remembers who tried."""

    seen: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.seen.append(self.headers.get("Authorization", ""))
        self.send_response(401)
        self.end_headers()

    do_POST = do_GET  # noqa: N815

    def log_message(self, *args: Any) -> None:
        """Silent."""


def test_a_password_for_the_tracking_server_is_used_and_written_nowhere(finished: Path, tmp_path: Path) -> None:
    """What stands in `tracking.uri` before the host reaches the server, but no file of the run, no message and no plan."""
    (tmp_path / "runs").mkdir()
    (finished / "runs" / "artifacts").rename(tmp_path / "runs" / "artifacts")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Closed)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = ["--set", f"tracking.uri=http://somebody:{PASSWORD}@127.0.0.1:{server.server_port}"]
    try:
        run = stage1(tmp_path, "run", str(NANO), *address)
    finally:
        (tmp_path / "runs" / "artifacts").rename(finished / "runs" / "artifacts")
        server.shutdown()
    plan = stage1(tmp_path, "plan", str(NANO), *address, "--format", "json", "--out", "plan.json")

    assert base64.b64encode(f"somebody:{PASSWORD}".encode()).decode() in "".join(Closed.seen)
    assert "cannot be used" in run.stderr
    told = [run.stdout, run.stderr, plan.stdout, plan.stderr]
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert all(PASSWORD not in text for text in told)
    assert len(written) > 3
    assert all(PASSWORD.encode() not in content for content in written)
