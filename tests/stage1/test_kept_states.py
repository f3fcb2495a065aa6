"""A training that was stopped on one machine goes on on another: its kept states travel through the URL of the store."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from toy import make_plan

from stage1.store.remote import Remote
from stage1.store.shared import SharedStore
from stage1.store.states import KeptStates

STEP = make_plan({"train": []}).steps[0]
STATES = f"states/{STEP.fingerprint}"


class Stopped(Exception):
    """The step was not finished."""


def keep(folder: Path, name: str, text: str) -> None:
    """A state as a training keeps it: whole when it is renamed into place, in the place of the one before."""
    beside = folder / "unfinished-1"
    (beside / "inner").mkdir(parents=True)
    (beside / "values.json").write_text(text)
    (beside / "inner" / "tensors").write_text(text * 1000)
    beside.rename(folder / name)


def work(url: str, machine: Path, state: str | None, ends: type[BaseException] | None, *, sent: bool = False) -> dict[str, str]:
    """Begin the step on a machine; the states it finds. Keeps one, waits until it is sent, and ends as told."""
    store = SharedStore(machine, url)
    found: dict[str, str] = {}
    try:
        with store.claim(STEP.fingerprint) as mine, store.writing(STEP, {}, {}) as draft:
            assert mine
            found = {entry.name: (entry / "values.json").read_text() for entry in draft.scratch().iterdir()}
            if state:
                keep(draft.scratch(), state, f"{machine.name} {state}")
            deadline = time.monotonic() + 20
            while sent and not arrived(url, state) and time.monotonic() < deadline:
                time.sleep(0.01)
            if ends:
                raise ends
            draft.write_json("value.json", 1)
    except (Stopped, KeyboardInterrupt):
        pass
    return found


def arrived(url: str, state: str | None) -> bool:
    """Whether a state is at the URL."""
    try:
        return bool(json.loads(Remote(url).read(f"{STATES}.json"))["name"] == state)
    except KeyError:
        return False


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(KeptStates, "LOOK_EVERY", 0.02)
    monkeypatch.setattr(KeptStates, "COST", 0)


def test_another_machine_goes_on_and_then_they_are_forgotten(url: str, tmp_path: Path) -> None:
    """Only the newest is there; it is found whole by whoever tries next; nothing of it is left when the step is complete."""
    work(url, tmp_path / "a", "step-1", Stopped, sent=True)
    assert work(url, tmp_path / "b", "step-2", Stopped, sent=True) == {"step-1": "a step-1"}
    assert len(Remote(url).names(STATES)) == 2

    assert work(url, tmp_path / "c", None, None) == {"step-2": "b step-2"}

    assert Remote(url).names("states") in ([], [STEP.fingerprint])
    assert Remote(url).names(STATES) == []
    assert not list((tmp_path / "c" / "unfinished").iterdir())


def test_an_interruption_sends_what_is_not_there_yet(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is told to stop has a moment left."""
    monkeypatch.setattr(KeptStates, "LOOK_EVERY", 1000.0)

    work(url, tmp_path / "a", "step-1", KeyboardInterrupt)

    assert work(url, tmp_path / "b", None, None) == {"step-1": "a step-1"}


def test_a_newer_state_of_its_own_is_preferred(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is fetched never takes the place of later work."""
    work(url, tmp_path / "a", "step-1", Stopped, sent=True)
    monkeypatch.setattr(KeptStates, "LOOK_EVERY", 1000.0)
    work(url, tmp_path / "b", "step-5", Stopped)

    assert "step-5" in work(url, tmp_path / "b", None, None)


@pytest.mark.parametrize("damage", ["flip", "missing", "mark", "../evil", "inner/../../../evil"])
def test_a_state_that_cannot_be_used_costs_time_alone(url: str, tmp_path: Path, damage: str) -> None:
    """Damaged, incomplete, or naming files elsewhere: the step begins anew, and nothing else happens."""
    work(url, tmp_path / "a", "step-1", Stopped, sent=True)
    remote = Remote(url)
    first = f"{STATES}/{remote.names(STATES)[0]}"
    mark = json.loads(remote.read(f"{STATES}.json"))
    if damage == "flip":
        remote.write(first, b"x" + remote.read(first)[1:])
    elif damage == "missing":
        remote.remove(first)
    elif damage == "mark":
        remote.write(f"{STATES}.json", b'{"name": ["step-9"], "files": 3}')
    else:
        mark["files"] = {damage: next(iter(mark["files"].values()))}
        remote.write(f"{STATES}.json", json.dumps(mark).encode())

    assert work(url, tmp_path / "b", None, None) == {}

    assert not list(tmp_path.rglob("evil"))
    assert SharedStore(tmp_path / "c", url).open(STEP.fingerprint).read_json("value.json") == 1
