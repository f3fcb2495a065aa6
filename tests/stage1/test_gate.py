"""The gate before training: whether the untrained arms leave room, told or enforced, and what waits for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from compiler.plan import Step
from compiler.records import Item, ItemScore
from stage1.scheduling import Schedule
from stage1.steps import gate
from stage1.steps.job import GATE, Job
from stage1.store import Artifact, Store

ITEMS = tuple(Item(id=f"i{i}", kind="qa", instruction=f"Name thing {i}.") for i in range(100))


def artifact(store: Store, name: str, files: dict[str, Any]) -> Artifact:
    """A complete artifact with these records."""
    step = Step(id=name, kind="score", version=1, settings={}, inputs={}, fingerprint=name)
    with store.writing(step, {}, {}) as draft:
        for file, records in files.items():
            draft.write(file, records)
    return store.open(name)


def opened(folder: Path, policy: str, passed: int) -> dict[str, Any]:
    """What the gate leaves when the base arm passed this many of 100 items."""
    store = Store(folder)
    scores = [ItemScore(item_id=item.id, criteria={"coherent": i < passed}) for i, item in enumerate(ITEMS)]
    inputs = {
        "instructions": artifact(store, "instructions", {"heldout.jsonl": ITEMS}),
        "score:base": artifact(store, "base", {"scores.jsonl": scores}),
    }
    claim = {"name": "gain", "compare": ["sft", "base"], "expect": "greater", "kind": "recipe", "on": ["coherent"]}
    settings = {"policy": policy, "analysis": {}, "claims": [claim], "arms": {"base": [None]}, "criteria": ["coherent"]}
    step = Step(id="gate", kind="gate", version=1, settings=settings, inputs={}, fingerprint="gate")
    with store.writing(step, {}, {}) as draft:
        gate.run(Job(step, inputs, draft, lambda: pytest.fail("needs no model"), str, None, lambda *_: None, tuple))
    found: dict[str, Any] = store.open("gate").read_json(GATE)
    return found


def test_a_gate_that_stops_says_why_and_leaves_nothing(tmp_path: Path) -> None:
    """The message names claim, rate and what is left; without an artifact the next run asks again."""
    with pytest.raises(
        gate.GateClosed, match=r"claim gain: base already passes coherent in 97\.0%: at most 3\.0 points"
    ) as closed:
        opened(tmp_path, "stop", 97)

    assert "evaluation.gate=warn" in str(closed.value)
    assert not Store(tmp_path).has("gate")


@pytest.mark.parametrize(("passed", "closed"), [(97, True), (60, False)])
def test_a_gate_that_warns_records_the_room(tmp_path: Path, passed: int, closed: bool) -> None:
    """The same numbers, and a line for people where there is too little room."""
    found = opened(tmp_path, "warn", passed)

    assert bool(found["closed"]) == closed
    assert [(room["claim"], room["left"], room["is_enough"]) for room in found["rooms"]] == [
        ("gain", pytest.approx(1 - passed / 100), not closed)
    ]


def test_what_comes_after_a_step_waits_for_it_and_falls_with_it() -> None:
    """`after` orders as an input does, though it is none: when the gate fails, what waited is not tried."""
    first = Step(id="gate", kind="gate", version=1, settings={}, inputs={}, fingerprint="g")
    train = Step(id="train", kind="train", version=1, settings={}, inputs={}, fingerprint="t", after=("gate",))
    respond = Step(id="respond", kind="respond", version=1, settings={}, inputs={"checkpoint": "train"}, fingerprint="r")

    schedule = Schedule([first, train, respond], set(), lambda _: 1.0)
    assert schedule.next() == first
    assert schedule.next() is None
    assert schedule.fail("gate") == ["train", "respond"]

    alone = Schedule([train, respond], set(), lambda _: 1.0)
    assert alone.next() == train
