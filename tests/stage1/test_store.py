"""The store: complete or absent, checked when opened."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from compiler.plan import Step
from compiler.records import Demonstration
from stage1.store import DamagedArtifact, Store


def make_step(name: str = "a") -> Step:
    """A step whose fingerprint is its name, eight times."""
    return Step(id=name, kind="score", version=1, settings={"x": 1}, inputs={}, fingerprint=name * 8)


DEMONSTRATION = Demonstration(item_id="1", instruction="Say hi — “ü”", response="Hi\n\u2028there", split="train")


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


def test_sweeping_removes_only_what_dead_writers_left(tmp_path: Path) -> None:
    """Unfinished work of a living process stays; that of a dead one goes."""
    store = Store(tmp_path)
    dead_process = os.fork()
    if dead_process == 0:
        os._exit(0)
    os.waitpid(dead_process, 0)
    mine, theirs = (tmp_path / "unfinished" / f"f.{pid}.x" for pid in (os.getpid(), dead_process))
    mine.mkdir(parents=True)
    theirs.mkdir()

    removed = store.sweep()

    assert removed == 1
    assert mine.is_dir()
    assert not theirs.exists()


def test_a_manifest_names_every_file_with_its_hash(tmp_path: Path) -> None:
    """Files in sub-folders are listed too."""
    store, step = Store(tmp_path), make_step()

    with store.writing(step, {}, {}) as draft:
        (draft.folder / "checkpoint").mkdir()
        (draft.folder / "checkpoint" / "weights.bin").write_bytes(b"123")

    manifest = json.loads((tmp_path / "artifacts" / step.fingerprint / "manifest.json").read_text())
    assert manifest["files"]["checkpoint/weights.bin"]["bytes"] == 3
