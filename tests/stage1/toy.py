"""A plan of small files for tests of the conductor: quick to make, and comparable byte by byte."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compiler.plan import ArmSteps, Plan, Step, fingerprint
from stage1.executors import Reports
from stage1.executors.local import LocalExecutor
from stage1.runner import Outcome, Runner
from stage1.store import Artifact, Draft, Store

DIAMOND = {"top": [], "left": ["top"], "right": ["top"], "bottom": ["left", "right"]}


def make_plan(
    edges: Mapping[str, list[str]],
    arms: tuple[ArmSteps, ...] = (),
    after: Mapping[str, list[str]] | None = None,
    gate: str = "warn",
) -> Plan:
    """A plan with one step per name, its inputs as given."""
    steps: dict[str, Step] = {}
    for name, sources in edges.items():
        inputs = {source: source for source in sources}
        identity = {"name": name, "inputs": {source: steps[source].fingerprint for source in sources}}
        steps[name] = Step(
            id=name, kind="score", version=1, settings={}, inputs=inputs, fingerprint=fingerprint(identity), arm=None, seed=None,
            after=tuple((after or {}).get(name, ())),
        )  # fmt: skip
    return Plan(
        experiment="toy", spec={"evaluation": {"gate": gate}}, spec_fingerprint="s", fingerprint="p", steps=tuple(steps.values()),
        arms=arms, analyze=list(steps)[-1],
    )  # fmt: skip


class ToyWorker:
    """Writes the concatenation of its inputs; raises where it is told to."""

    def __init__(self, failing: tuple[str, ...] = (), error: BaseException | None = None) -> None:
        self.made: list[str] = []
        self.failing = failing
        self.error = error

    def prepare(self, step: Step) -> None:
        """Nothing to load."""

    def work(self, step: Step, inputs: Mapping[str, Artifact], draft: Draft) -> None:
        if step.id in self.failing:
            raise self.error or ValueError(f"{step.id} cannot be made:\n  no")
        self.made.append(step.id)
        parts = [artifact.read_json("value.json") for artifact in inputs.values()]
        draft.write_json("value.json", f"{step.id}({','.join(parts)})")
        (draft.folder / "inner").mkdir()
        (draft.folder / "inner" / "more.txt").write_text(step.id * 100)


@dataclass(frozen=True)
class MakeToyWorker:
    """A toy worker that takes a moment and notes where it is; kills itself on one step, and has GPUs that do not work."""

    notes: Path
    dies_on: str = ""
    times: int = 0
    seconds: float = 0.3
    loading: float = 0.0
    """Seconds that it takes to get ready."""
    slow: tuple[str, ...] = ()
    """Steps that take 4 seconds longer."""
    broken: tuple[str, ...] = ()
    """GPUs on which every step, or `step@gpu` on which that step, ends by an error of CUDA."""

    def __call__(self, reports: Reports) -> ToyWorker:
        """The worker of one seat."""
        told = self

        class Worker(ToyWorker):
            def prepare(self, step):
                told.note("prepared")
                time.sleep(told.loading)

            def work(self, step, inputs, draft):
                told.note(step.id)
                reports.progress(step, 1, 2)
                time.sleep(told.seconds + 4.0 * (step.id in told.slow))
                gpu = os.environ.get("CUDA_VISIBLE_DEVICES")
                if {gpu, f"{step.id}@{gpu}"} & set(told.broken):
                    raise RuntimeError("CUDA error: unspecified launch failure")
                super().work(step, inputs, draft)

        return Worker()

    def note(self, what: str) -> None:
        """Write down that this process does it, and die where that is wanted."""
        (self.notes / f"{what}.{time.monotonic_ns()}").write_text(f"{os.getpid()} {self.whereabouts()}")
        here = f"{what}@{os.environ.get('CUDA_VISIBLE_DEVICES')}"
        mark = self.notes / f"died.{here}"
        before = mark.stat().st_size if mark.exists() else 0
        if self.dies_on in {what, here} and before < self.times:
            mark.write_text("x" * (before + 1))
            os.kill(os.getpid(), signal.SIGKILL)

    def whereabouts(self) -> str:
        """Its GPUs, whether torch was loaded, and its share of a GPU."""
        gpus, share = os.environ.get("CUDA_VISIBLE_DEVICES", "-"), os.environ.get("STAGE1_GPU_SHARE", "-")
        return f"{gpus} {'torch' in sys.modules} {share}"

    def noted(self, at: int, step: str = "*") -> list[str]:
        """A word of every note of steps, or of `prepared`, in their order: 0 the process, from 1 on its whereabouts."""
        found = [
            note for note in self.notes.glob(f"{step}.*") if step != "*" or note.name.split(".")[0] not in ("prepared", "died")
        ]
        notes = sorted(found, key=lambda note: int(note.suffix[1:]))
        return [note.read_text().split(" ")[at] for note in notes]


class Recorder:
    """Keeps the events it is told."""

    def __init__(self) -> None:
        self.events: list[tuple[Any, ...]] = []

    def __getattr__(self, event: str) -> Any:
        return lambda *details: self.events.append((event, *details))

    def named(self, event: str) -> list[tuple[Any, ...]]:
        """All events of that name."""
        return [told for told in self.events if told[0] == event]


def run(
    tmp_path: Path, plan: Plan, worker: ToyWorker, *observers: Recorder, only: tuple[str, ...] = (), **settings: Any
) -> Outcome:
    """Carry out a plan in a store below `tmp_path`."""
    store = Store(tmp_path)
    return Runner(plan, store, LocalExecutor(store, lambda reports: worker), observers, tmp_path / "logs", **settings).run(only)


def contents(root: Path) -> dict[str, dict[str, bytes]]:
    """Fingerprint -> file -> bytes of what is visible in a store, manifests aside."""
    return {
        folder.name: {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "manifest.json"}
        for folder in (root / "artifacts").glob("*")
    }  # fmt: skip
