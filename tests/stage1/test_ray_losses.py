"""A Ray cluster that loses what a run works with: a node, or a GPU (a resource in Ray's books, which needs no device)."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from toy import MakeToyWorker, Recorder, ToyWorker, contents, make_plan, run

from compiler.plan import Plan, Step
from stage1.attempt import Result
from stage1.executors import ExecutorError
from stage1.runner import Outcome, Runner
from stage1.store import Store

pytest.importorskip("stage1.executors.on_ray")  # before ray, whose import reads the environment that this prepares
import ray

from stage1.executors import on_ray
from stage1.executors.on_ray import Mailbox, RayExecutor
from stage1.executors.seats import Seats

WIDE = make_plan({name: [] for name in "abcdef"})


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A node of one CPU, the driver's, that soon notices that another one is lost."""
    from ray.cluster_utils import Cluster

    soon = {"health_check_initial_delay_ms": 0, "health_check_period_ms": 500, "health_check_failure_threshold": 3}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    head = {"num_cpus": 1, "include_dashboard": False, "ray_client_server_port": port, "_system_config": soon}
    made = Cluster(initialize_head=True, head_node_args=head)
    tests = str(Path(__file__).parent)  # the toy worker is a module of these tests
    ray.init(made.address, log_to_driver=False, runtime_env={"env_vars": {"PYTHONPATH": tests}})
    yield made
    ray.shutdown()
    made.shutdown()


@pytest.fixture
def further_node(cluster: Any) -> Iterator[Callable[..., Any]]:
    """Adds a node that is gone after the test."""
    added: list[Any] = []

    def add(**settings: Any) -> Any:
        added.append(cluster.add_node(**settings))
        cluster.wait_for_nodes()
        return added[-1]

    yield add
    for node in added:
        if node in cluster.worker_nodes:
            cluster.remove_node(node)


class MakeWorker(MakeToyWorker):
    """Its whereabouts are its node."""

    def whereabouts(self) -> str:
        """The node's id."""
        return str(ray.get_runtime_context().get_node_id())


class Impatient(RayExecutor):
    """Fails where a run would hang."""

    def start(self, plan: Plan, to_do: Sequence[Step], reports: Any) -> None:
        """From here on a minute may pass."""
        self.until = time.monotonic() + 60.0
        super().start(plan, to_do, reports)

    def wait(self) -> Sequence[Result]:
        """Unless it is too late."""
        assert time.monotonic() < self.until, "the run hangs"
        return super().wait()


class RemovesANode(Recorder):
    """Takes a node out of the cluster once that is wanted."""

    def __init__(self, cluster: Any, node: Any, wanted: Callable[[], bool]) -> None:
        super().__init__()
        self._cluster, self._node, self._wanted = cluster, node, wanted
        self.removed = False

    def step_progress(self, *details: Any) -> None:
        """Whether it is wanted now."""
        if not self.removed and self._wanted():
            self.removed = True
            self._cluster.remove_node(self._node, allow_graceful=False)


def run_on_ray(root: Path, workers: MakeToyWorker, seats: Seats, *observers: Recorder, plan: Plan = WIDE) -> Outcome:
    """Carry a toy plan out on the cluster."""
    store = Store(root)
    store.keep_plan("toy", {})
    workers.notes.mkdir()
    return Runner(plan, store, Impatient(store, workers, seats), observers, root / "logs").run()


def test_a_run_survives_the_loss_of_a_node(tmp_path: Path, cluster: Any, further_node: Callable[..., Any]) -> None:
    """Its seats come back nowhere, yet all steps are made, by the seats that are left."""
    run(tmp_path / "local", WIDE, ToyWorker())
    node, workers = further_node(num_cpus=4), MakeWorker(tmp_path / "notes", seconds=1.0)
    observer = RemovesANode(cluster, node, lambda: node.node_id in workers.noted(1))

    outcome = run_on_ray(tmp_path / "ray", workers, Seats(device=5, gpus=0, memory=0, pure=0), observer)

    assert observer.removed
    assert outcome.ok
    assert contents(tmp_path / "ray") == contents(tmp_path / "local")


def test_seats_that_are_lost_while_free_cost_a_step_one_try(
    tmp_path: Path, cluster: Any, further_node: Callable[..., Any]
) -> None:
    """However many there are: after one has been found dead, the others are given a step only if they live."""
    plan = make_plan({"a": [], "b": ["a"], "c": ["b"], "d": ["b"]})
    node, workers = further_node(num_cpus=4), MakeWorker(tmp_path / "notes", seconds=1.0, slow=("a",))
    observer = RemovesANode(cluster, node, lambda: bool(workers.noted(0, "b")))

    outcome = run_on_ray(tmp_path / "ray", workers, Seats(device=5, gpus=0, memory=0, pure=0), observer, plan=plan)

    assert observer.removed
    assert sorted(outcome.ran) == ["a", "b", "c", "d"]
    waited = [step.id for _, step, _ in observer.named("step_waits")]
    assert len(waited) == len(set(waited))


def test_where_no_seat_opens_any_more_the_run_ends_with_a_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cluster: Any, further_node: Callable[..., Any]
) -> None:
    """The only node with GPUs is lost: that is said once the usual time to open a seat is over, not waited for for ever."""
    monkeypatch.setattr(on_ray, "_PATIENCE", 10.0)
    node, workers = further_node(num_cpus=2, num_gpus=2), MakeWorker(tmp_path / "notes", seconds=1.0)
    observer = RemovesANode(cluster, node, lambda: node.node_id in workers.noted(1))

    with pytest.raises(ExecutorError, match=r"no Ray worker started within 10 s; `ray status`"):
        run_on_ray(tmp_path / "ray", workers, Seats(device=2, gpus=1, memory=0, pure=0), observer)

    assert observer.removed


GPUS = Seats(device=2, gpus=1, memory=0, pure=0)


def test_a_gpu_that_stopped_working_is_left_out_and_the_run_goes_on(tmp_path: Path, further_node: Callable[..., Any]) -> None:
    """Steps that lose it are made on the other GPU, whatever Ray gives a new seat; after the second a line says so."""
    run(tmp_path / "local", WIDE, ToyWorker())
    further_node(num_cpus=2, num_gpus=2)
    recorder, workers = Recorder(), MakeToyWorker(tmp_path / "notes", seconds=2.0, broken=("1",))

    outcome = run_on_ray(tmp_path / "ray", workers, GPUS, recorder)

    assert outcome.ok
    assert contents(tmp_path / "ray") == contents(tmp_path / "local")
    assert workers.noted(1).count("1") == 2
    assert all("stopped working: CUDA error" in waits[2] for waits in recorder.named("step_waits"))
    assert ["left out: GPU 1 of" in noted[2] for noted in recorder.named("step_noted")] == [True]


def test_where_no_gpu_is_left_the_run_ends_with_a_way_out(tmp_path: Path, further_node: Callable[..., Any]) -> None:
    """Not with a failure for every step that is left."""
    further_node(num_cpus=2, num_gpus=2)
    workers = MakeToyWorker(tmp_path / "notes", broken=("0", "1"))

    outcome = run_on_ray(tmp_path / "ray", workers, GPUS)

    assert outcome.stopped is not None
    assert "stage1 doctor" in outcome.stopped
    assert outcome.ran == []
    assert len(workers.noted(0)) <= 8  # two steps have three tries each, and two more show that it was not their fault


class WellKnown(Mailbox):
    """Says where it is."""

    def node(self) -> str:
        """The node's id."""
        return str(ray.get_runtime_context().get_node_id())


def nodes_of_mailboxes(count: int) -> set[str]:
    """Where so many of them are."""
    return {str(ray.get(on_ray._mailbox_here().node.remote())) for _ in range(count)}


def test_the_mailbox_is_where_the_driver_is(monkeypatch: pytest.MonkeyPatch, further_node: Callable[..., Any]) -> None:
    """A node that is lost takes no news with it, and a run that lives has its mailbox."""
    monkeypatch.setattr(on_ray, "Mailbox", WellKnown)
    further_node(num_cpus=16)

    assert nodes_of_mailboxes(6) == {ray.get_runtime_context().get_node_id()}


SCRIPT = """
import os, sys
from stage1.executors import on_ray
import test_ray_losses
on_ray.Mailbox = test_ray_losses.WellKnown
import ray
ray.init(sys.argv[1], runtime_env={"env_vars": {"PYTHONPATH": os.environ["PYTHONPATH"]}})
print(*test_ray_losses.nodes_of_mailboxes(4))
"""


def test_the_mailbox_of_a_client_is_where_it_comes_in(cluster: Any, further_node: Callable[..., Any]) -> None:
    """A driver at a ray:// address has a process on the node that it talks to; its mailbox is there."""
    further_node(num_cpus=16)
    paths = os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).parents[2])])
    address = f"ray://127.0.0.1:{cluster.head_node._ray_params.ray_client_server_port}"

    for _ in range(3):  # Ray's server for a client may die while it starts, on a busy machine
        said = subprocess.run(
            [sys.executable, "-c", SCRIPT, address],
            check=False, env=os.environ | {"PYTHONPATH": paths}, capture_output=True, text=True, timeout=90,
        )  # fmt: skip
        if "ConnectionAbortedError" not in said.stderr:
            break

    assert said.stdout.split() == [cluster.head_node.node_id], said.stderr
