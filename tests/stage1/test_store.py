"""The store: complete or absent, checked when opened."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from compiler.plan import Step
from compiler.records import Demonstration
from models.prompt_format import Encoded
from stage1.log_prob_cache import LogProbCache
from stage1.store import DamagedArtifact, Store, write_json


def make_step(name: str = "a") -> Step:
    """A step whose fingerprint is its name, eight times."""
    return Step(id=name, kind="score", version=1, settings={"x": 1}, inputs={}, fingerprint=name * 8)


DEMONSTRATION = Demonstration(item_id="1", instruction="Say hi — “ü”", response="Hi\n\u2028there", split="train")
TREE = (Encoded((1,), (2,)),)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    """Records survive the round trip, unusual line separators included."""
    store, step = Store(tmp_path), make_step()

    with store.writing(step, {"host": "here"}, {"role": "f"}) as draft:
        draft.write("rows.jsonl", [DEMONSTRATION])
        draft.write_json("counts.json", {"b": 1, "a": 2})

    artifact = store.open(step.fingerprint)
    assert artifact.read("rows.jsonl", Demonstration) == (DEMONSTRATION,)
    assert artifact.read_json("counts.json") == {"a": 2, "b": 1}
    assert artifact.manifest["inputs"] == {"role": "f"}
    assert store.known() == {step.fingerprint}


def test_a_failing_block_leaves_nothing(tmp_path: Path) -> None:
    """An exception while writing leaves neither an artifact nor unfinished work."""
    store, step = Store(tmp_path), make_step()

    with pytest.raises(RuntimeError), store.writing(step, {}, {}) as draft:
        draft.write("rows.jsonl", [DEMONSTRATION])
        raise RuntimeError

    assert not store.has(step.fingerprint)
    assert list((tmp_path / "unfinished").iterdir()) == []


@pytest.mark.parametrize("damage", ["flip", "truncate", "remove"])
def test_damage_is_found_and_named(tmp_path: Path, damage: str) -> None:
    """A changed, shortened or missing file is found when the artifact is opened, and the message names it."""
    store, step = Store(tmp_path), make_step()
    with store.writing(step, {}, {}) as draft:
        draft.write("rows.jsonl", [DEMONSTRATION])
    path = tmp_path / "artifacts" / step.fingerprint / "rows.jsonl"
    content = bytearray(path.read_bytes())

    if damage == "flip":
        content[3] ^= 1
        path.write_bytes(content)
    elif damage == "truncate":
        path.write_bytes(content[:-1])
    else:
        path.unlink()

    with pytest.raises(DamagedArtifact, match=r"rows\.jsonl"):
        store.open(step.fingerprint)


def test_the_second_writer_of_the_same_artifact_gives_way(tmp_path: Path) -> None:
    """Two writers of one artifact end with one complete artifact and no error."""
    store, step = Store(tmp_path), make_step()

    with store.writing(step, {"who": "first"}, {}) as first, store.writing(step, {"who": "second"}, {}) as second:
        first.write("rows.jsonl", [DEMONSTRATION])
        second.write("rows.jsonl", [DEMONSTRATION])

    assert store.open(step.fingerprint).manifest["provenance"]["who"] == "second"
    assert list((tmp_path / "unfinished").iterdir()) == []


def test_what_is_left_of_an_artifact_is_not_in_the_way(tmp_path: Path) -> None:
    """A folder without its manifest, as a removal that was cut off leaves it, is moved aside, and the artifact made again."""
    store, step = Store(tmp_path), make_step()
    for value in (1, 2):
        with store.writing(step, {}, {}) as draft:
            draft.write_json("value.json", value)
        if value == 1:
            (tmp_path / "artifacts" / step.fingerprint / "manifest.json").unlink()

    assert store.open(step.fingerprint).read_json("value.json") == 2
    assert [path.name for path in (tmp_path / "damaged").glob("*/*")] == ["value.json"]


def test_sweeping_removes_only_what_dead_writers_left(tmp_path: Path) -> None:
    """A draft in work stays, whoever writes it; that of a process killed in mid-write goes."""
    store, step, dead = Store(tmp_path), make_step("a"), make_step("d")
    child = os.fork()
    if child == 0:
        with store.claim(dead.fingerprint), store.writing(dead, {}, {}):
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)

    with store.claim(step.fingerprint) as mine, store.writing(step, {}, {}) as draft:
        assert mine
        assert store.sweep() == 1
        assert draft.folder.is_dir()

    assert list((tmp_path / "unfinished").iterdir()) == []


def test_a_lock_excludes_and_dies_with_its_holder(tmp_path: Path) -> None:
    """While one process holds a step's lock no other gets it; a killed holder holds nothing."""
    store = Store(tmp_path)
    ready, told = os.pipe()
    child = os.fork()
    if child == 0:
        with store.claim("f"):
            os.write(told, b"held")
            signal.pause()
    os.read(ready, 4)

    with store.claim("f") as mine:
        assert not mine
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with store.claim("f") as mine:
        assert mine


def test_files_of_idle_locks_can_go(tmp_path: Path) -> None:
    """Locks that somebody holds stay and exclude; the others leave no file, and can be taken again."""
    store = Store(tmp_path)
    with store.claim("idle"):
        pass
    with store.claim("held"):
        assert store.remove_idle_locks() == 1
        assert [path.name for path in (tmp_path / "locks").iterdir()] == ["held.lock"]
        with Store(tmp_path).claim("held") as mine:
            assert not mine
    with store.claim("idle") as mine:
        assert mine


def test_scratch_outlives_a_failure_and_goes_with_success(tmp_path: Path) -> None:
    """What a step left in its scratch folder is there for the next attempt, and gone once the step is complete."""
    store, step = Store(tmp_path), make_step()
    with pytest.raises(RuntimeError), store.writing(step, {}, {}) as draft:
        (draft.scratch() / "state").write_text("half")
        raise RuntimeError
    store.sweep()

    with store.writing(step, {}, {}) as draft:
        assert (draft.scratch() / "state").read_text() == "half"

    assert not (tmp_path / "scratch" / step.fingerprint).exists()


@pytest.mark.parametrize("place", range(0, 400, 37))
def test_a_flipped_byte_in_a_manifest_is_found(tmp_path: Path, place: int) -> None:
    """The manifest answers for the files, and its own hash for the manifest."""
    store, step = Store(tmp_path), make_step()
    with store.writing(step, {"host": "here"}, {"role": "f"}) as draft:
        draft.write("rows.jsonl", [DEMONSTRATION])
    path = tmp_path / "artifacts" / step.fingerprint / "manifest.json"
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)

    with pytest.raises(DamagedArtifact, match="manifest"):
        store.open(step.fingerprint)


def test_a_manifest_names_every_file_with_its_hash(tmp_path: Path) -> None:
    """Files in sub-folders are listed too."""
    store, step = Store(tmp_path), make_step()

    with store.writing(step, {}, {}) as draft:
        (draft.folder / "checkpoint").mkdir()
        (draft.folder / "checkpoint" / "weights.bin").write_bytes(b"123")

    manifest = json.loads((tmp_path / "artifacts" / step.fingerprint / "manifest.json").read_text())
    assert manifest["files"]["checkpoint/weights.bin"]["bytes"] == 3


@pytest.mark.parametrize(
    ("write", "read"),
    [
        (write_json, lambda path: json.loads(path.read_text())),
        (
            lambda path, value: LogProbCache(path).learn({TREE: [value]}),
            lambda path: (LogProbCache(path).recall(TREE) or [0.0])[0],
        ),
    ],
    ids=["json", "log-probabilities"],
)
def test_writers_of_one_file_may_have_the_same_process_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[Path, float], None], read: Callable[[Path], float]
) -> None:
    """Two containers on a shared folder, one writing all of it while the other is about to finish: neither fails, it is whole."""
    others = [lambda: write(tmp_path / "file", -0.5)]

    def after_the_other(rename: Callable[..., None]) -> Callable[..., None]:
        def late(*paths: Path) -> None:
            if others:
                others.pop()()
            rename(*paths)

        return late

    monkeypatch.setattr(os, "getpid", lambda: 1)
    for name in ("rename", "replace"):
        monkeypatch.setattr(os, name, after_the_other(getattr(os, name)))
    write(tmp_path / "file", -0.5)

    assert read(tmp_path / "file") == -0.5
    assert others == []
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names that no other process has are found by nobody later: whoever fails removes its own, and the file stays as it was."""

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    write_json(tmp_path / "file", 1)
    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(OSError, match="No space left"):
        write_json(tmp_path / "file", 2)

    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert json.loads((tmp_path / "file").read_text()) == 1
