"""The runner: reuse, failure, damage and selection, with a worker that writes small files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from compiler.plan import ArmSteps, Plan, Step, fingerprint
from stage1.executors.local import LocalExecutor
from stage1.runner import Runner, select
from stage1.store import Artifact, Draft, Store


def make_plan(edges: Mapping[str, list[str]], arms: tuple[ArmSteps, ...] = ()) -> Plan:
    """A plan with one step per name, its inputs as given."""
    steps: dict[str, Step] = {}
    for name, sources in edges.items():
        inputs = {source: source for source in sources}
        identity = {"name": name, "inputs": {source: steps[source].fingerprint for source in sources}}
        steps[name] = Step(
            id=name, kind="score", version=1, settings={}, inputs=inputs, fingerprint=fingerprint(identity), arm=None, seed=None
        )
    return Plan(
        experiment="toy", spec={"evaluation": {"gate": "warn"}}, spec_fingerprint="s", fingerprint="p", steps=tuple(steps.values()), arms=arms,
        analyze=list(steps)[-1],
    )  # fmt: skip


DIAMOND = {"top": [], "left": ["top"], "right": ["top"], "bottom": ["left", "right"]}


class ToyWorker:
    """Writes the concatenation of its inputs; fails where it is told to."""

    def __init__(self, failing: tuple[str, ...] = ()) -> None:
        self.made: list[str] = []
        self.failing = failing

    def work(self, step: Step, inputs: Mapping[str, Artifact], draft: Draft) -> None:
        if step.id in self.failing:
            raise ValueError(f"{step.id} cannot be made:\n  no")
        self.made.append(step.id)
        parts = [artifact.read_json("value.json") for artifact in inputs.values()]
        draft.write_json("value.json", f"{step.id}({','.join(parts)})")


class Recorder:
    """Keeps the events it is told."""

    def __init__(self) -> None:
        self.events: list[tuple[Any, ...]] = []

    def __getattr__(self, event: str) -> Any:
        return lambda *details: self.events.append((event, *details))


def run(tmp_path: Path, plan: Plan, worker: ToyWorker, *observers: Recorder, only: tuple[str, ...] = ()) -> Any:
    """Carry out a plan in a store below `tmp_path`."""
    store = Store(tmp_path)
    return Runner(plan, store, LocalExecutor(store, lambda reports: worker), observers, tmp_path / "logs").run(only)


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
