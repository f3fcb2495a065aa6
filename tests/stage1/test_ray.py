"""`--executor ray` on a real cluster of two nodes on this machine: the same artifacts, whoever dies, by folder or by URL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from toy import DIAMOND, MakeToyWorker, Recorder, ToyWorker, contents, make_plan, run

from stage1.executors import ExecutorError
from stage1.runner import Outcome, Runner
from stage1.store import Store, open_store
from stage1.store.place import CACHE

pytest.importorskip("stage1.executors.on_ray")  # before ray, whose import reads the environment that this prepares
import ray

from stage1.executors.on_ray import RayExecutor, connect
from stage1.executors.seats import Seats

PLAN = make_plan(DIAMOND)
SEATS = Seats(device=2, gpus=0, memory=0, pure=0)


class MakeWorker(MakeToyWorker):
    """Its whereabouts are its node."""

    def whereabouts(self) -> str:
        """The node's id."""
        return str(ray.get_runtime_context().get_node_id())


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, s3_server: str) -> Iterator[Path]:
    """Two nodes of one CPU each, with access to S3; the folder in which they keep what they read, which is not the driver's."""
    from ray.cluster_utils import Cluster

    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    made.add_node(num_cpus=1)
    tests = str(Path(__file__).parent)  # the toy worker is a module of these tests
    cache = tmp_path_factory.mktemp("nodes")
    ray.init(made.address, log_to_driver=False, runtime_env={"env_vars": {"PYTHONPATH": tests, CACHE: str(cache)}})
    yield cache
    ray.shutdown()
    made.shutdown()


def run_on_ray(root: Path, make_worker: MakeWorker, *observers: Recorder, url: str | None = None) -> Outcome:
    """Carry the toy plan out on the cluster."""
    store = open_store(root, url)
    store.keep_plan("toy", {})
    make_worker.notes.mkdir()
    return Runner(PLAN, store, RayExecutor(store, make_worker, SEATS), observers, root / "logs").run()


@pytest.mark.usefixtures("cluster")
def test_the_same_artifacts_as_in_one_process(tmp_path: Path) -> None:
    """Steps are spread over both nodes, what they tell comes back, and every byte is that of a local run."""
    run(tmp_path / "local", PLAN, ToyWorker())
    recorder, workers = Recorder(), MakeWorker(tmp_path / "notes", seconds=0.5)

    outcome = run_on_ray(tmp_path / "ray", workers, recorder)

    assert outcome.ok
    assert contents(tmp_path / "ray") == contents(tmp_path / "local")
    assert len(set(workers.noted(1))) == 2
    assert len(recorder.named("step_started")) == len(recorder.named("step_finished")) == 4
    assert recorder.named("step_progress")


def test_nodes_that_share_no_folder_work_through_a_url(tmp_path: Path, cluster: Path, s3_url: str) -> None:
    """The nodes fill a cache of their own, the driver fetches what it is told of, and every byte is that of a local run."""
    run(tmp_path / "local", PLAN, ToyWorker())

    workers = MakeWorker(tmp_path / "notes", seconds=0.5)

    outcome = run_on_ray(tmp_path / "driver", workers, url=s3_url)

    wanted = contents(tmp_path / "local")
    assert outcome.ok
    assert contents(tmp_path / "driver") == wanted
    assert contents(cluster) == wanted
    assert len(set(workers.noted(1))) == 2


@pytest.mark.usefixtures("cluster")
def test_a_worker_that_dies_costs_its_step_a_second_try(tmp_path: Path) -> None:
    """Killed in mid-step once: the step runs again, by another process, and the result is the same."""
    run(tmp_path / "local", PLAN, ToyWorker())
    recorder, workers = Recorder(), MakeWorker(tmp_path / "notes", dies_on="left", times=1)

    outcome = run_on_ray(tmp_path / "ray", workers, recorder)

    assert outcome.ok
    assert len(set(workers.noted(0, "left"))) == 2
    assert "died" in recorder.named("step_waits")[0][2]
    assert contents(tmp_path / "ray") == contents(tmp_path / "local")


@pytest.mark.usefixtures("cluster")
def test_a_step_that_kills_every_worker_fails(tmp_path: Path) -> None:
    """After three dead workers the step counts as failed; the other branch is made."""
    outcome = run_on_ray(tmp_path / "ray", MakeWorker(tmp_path / "notes", dies_on="left", times=99))

    assert "3 times" in outcome.failed["left"]
    assert outcome.blocked == ["bottom"]
    assert sorted(outcome.ran) == ["right", "top"]


@pytest.mark.usefixtures("cluster")
def test_a_store_that_the_nodes_do_not_see_is_refused(tmp_path: Path) -> None:
    """Before anything runs, and with the way out."""
    store = Store(tmp_path / "nowhere")
    make_worker = MakeWorker(tmp_path / "notes")

    with pytest.raises(ExecutorError, match="--store"):
        Runner(PLAN, store, RayExecutor(store, make_worker, SEATS), [], tmp_path / "logs").run()


def test_no_cluster_is_one_clear_line() -> None:
    """An address at which nothing answers is refused with what to do."""
    if ray.is_initialized():
        ray.shutdown()

    with pytest.raises(ExecutorError, match=r"no Ray cluster at 127\.0\.0\.1:9"):
        connect("127.0.0.1:9")
