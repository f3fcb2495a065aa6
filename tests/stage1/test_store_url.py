"""A store at a URL: two machines share it, whatever breaks on the way; tests of its command line are in `test_url_verbs.py`."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from toy import DIAMOND, Recorder, ToyWorker, contents, make_plan, run

from compiler.plan import Plan, fingerprint
from stage1.executors.local import LocalExecutor
from stage1.provenance import provenance
from stage1.runner import Outcome, Runner
from stage1.store import DamagedArtifact, StoreUnreachable
from stage1.store.leases import Leases
from stage1.store.remote import Remote
from stage1.store.shared import SharedStore

PLAN = make_plan(DIAMOND)
PAIR = make_plan({"first": [], "second": ["first"]})
TOP = PLAN.step("top").fingerprint


def run_at(url: str, machine: Path, *observers: Recorder, plan: Plan = PLAN, worker: ToyWorker | None = None) -> Outcome:
    """Carry out a plan on a machine whose cache is that folder."""
    store, worker = SharedStore(machine, url), worker or ToyWorker()
    store.keep_plan(plan.experiment, plan.model_dump(mode="json"))
    return Runner(plan, store, LocalExecutor(store, lambda reports: worker), observers, machine / "logs").run()


@pytest.fixture
def undisturbed(tmp_path: Path) -> dict[str, dict[str, bytes]]:
    """The bytes of the plan in a folder."""
    run(tmp_path / "undisturbed", PLAN, ToyWorker())
    return contents(tmp_path / "undisturbed")


def change(url: str, name: str, place: int) -> None:
    """Flip a bit of an object behind the store's back."""
    remote = Remote(url)
    content = bytearray(remote.read(name))
    content[place] ^= 1
    remote.write(name, bytes(content))


def files_of(url: str, fingerprint: str) -> list[str]:
    """The names of an artifact's objects."""
    return [f"files/{fingerprint}/{name}" for name in Remote(url).names(f"files/{fingerprint}")]


def test_what_one_machine_made_another_reads(url: str, tmp_path: Path, undisturbed: dict[str, Any]) -> None:
    """The second machine makes nothing, opens everything, and has the bytes of a run in a folder; reading again asks nobody."""
    assert len(run_at(url, tmp_path / "a").ran) == 4
    second = run_at(url, tmp_path / "b")
    store = SharedStore(tmp_path / "b", url)

    assert second.ran == []
    assert len(second.reused) == 4
    assert contents(tmp_path / "b") == {}
    for step in PLAN.steps:
        store.open(step.fingerprint)
    assert contents(tmp_path / "a") == contents(tmp_path / "b") == undisturbed
    Remote(url).remove(*(name for step in PLAN.steps for name in files_of(url, step.fingerprint)))
    assert store.open(TOP).read_json("value.json") == "top()"


def test_a_step_reads_what_another_machine_made(url: str, tmp_path: Path, undisturbed: dict[str, Any]) -> None:
    """Inputs are fetched when they are needed, and only they."""
    first = make_plan({"top": [], "left": ["top"]})
    run_at(url, tmp_path / "a", plan=first)
    worker = ToyWorker()

    run_at(url, tmp_path / "b", worker=worker)

    assert sorted(worker.made) == ["bottom", "right"]
    assert contents(tmp_path / "b") == undisturbed


@pytest.mark.parametrize("damage", ["file", "manifest", "missing"])
def test_damage_at_the_url_is_named_set_aside_and_made_again(
    url: str, tmp_path: Path, undisturbed: dict[str, Any], damage: str
) -> None:
    """A machine that reads a flipped byte says where, keeps what it read, and makes the artifact again for all."""
    run_at(url, tmp_path / "a", plan=make_plan({"top": []}))
    name = f"manifests/{TOP}.json" if damage == "manifest" else files_of(url, TOP)[0]
    Remote(url).remove(name) if damage == "missing" else change(url, name, 7)
    recorder, worker = Recorder(), ToyWorker()

    outcome = run_at(url, tmp_path / "b", recorder, worker=worker)

    ((_, step, what, _),) = recorder.named("artifact_damaged")
    assert outcome.ok
    assert step.id == "top"
    assert Remote(url).shown in what
    assert name in what
    assert len(list((tmp_path / "b" / "damaged").iterdir())) == 1
    assert sorted(worker.made) == ["bottom", "left", "right", "top"]
    for step in PLAN.steps:
        SharedStore(tmp_path / "c", url).open(step.fingerprint)
    assert contents(tmp_path / "c") == contents(tmp_path / "b") == undisturbed


def test_a_machine_that_has_it_whole_sends_it_again(url: str, tmp_path: Path) -> None:
    """Damage at the URL costs no work where a cache still holds the artifact."""
    run_at(url, tmp_path / "a")
    change(url, files_of(url, TOP)[0], 7)
    with pytest.raises(DamagedArtifact):
        SharedStore(tmp_path / "b", url).open(TOP)
    worker = ToyWorker()

    assert run_at(url, tmp_path / "a", worker=worker).ok

    assert worker.made == []
    assert SharedStore(tmp_path / "b", url).open(TOP).read_json("value.json") == "top()"


def test_a_damaged_copy_is_fetched_again(url: str, tmp_path: Path, undisturbed: dict[str, Any]) -> None:
    """A flipped byte in a cache is found, named and moved aside; nothing is made again, since the URL has it whole."""
    run_at(url, tmp_path / "a", plan=make_plan({"top": []}))
    path = tmp_path / "a" / "artifacts" / TOP / "value.json"
    path.write_bytes(path.read_bytes().replace(b"t", b"T"))
    recorder, worker = Recorder(), ToyWorker()

    assert run_at(url, tmp_path / "a", recorder, worker=worker).ok

    ((_, _, what, _),) = recorder.named("artifact_damaged")
    assert "value.json" in what
    assert "top" not in worker.made
    assert contents(tmp_path / "a") == undisturbed
    assert len(list((tmp_path / "a" / "damaged").iterdir())) == 1


def test_a_damaged_copy_is_not_sent(url: str, tmp_path: Path) -> None:
    """What never arrived and is damaged meanwhile is named and made again, not spread."""
    run_at(url, tmp_path / "a", plan=make_plan({"top": []}))
    Remote(url).remove(f"manifests/{TOP}.json")
    path = tmp_path / "a" / "artifacts" / TOP / "value.json"
    path.write_bytes(path.read_bytes().replace(b"t", b"T"))
    recorder, worker = Recorder(), ToyWorker()

    assert run_at(url, tmp_path / "a", recorder, worker=worker).ok

    assert len(recorder.named("artifact_damaged")) == 1
    assert "top" in worker.made
    assert SharedStore(tmp_path / "b", url).open(TOP).read_json("value.json") == "top()"


@pytest.mark.parametrize("name", ["../../evil.txt", "/tmp/evil.txt", "inner/../../evil.txt", "manifest.json", "."])
def test_a_manifest_cannot_write_elsewhere(tmp_path: Path, name: str) -> None:
    """Whoever can write to the bucket cannot make this machine write outside its cache: the names are checked first."""
    url = f"file://{tmp_path}/shared"
    run_at(url, tmp_path / "a", plan=make_plan({"top": []}))
    remote = Remote(url)
    manifest = json.loads(remote.read(f"manifests/{TOP}.json"))
    manifest.pop("digest")
    manifest["files"][name] = manifest["files"]["value.json"]
    remote.write(f"manifests/{TOP}.json", json.dumps(manifest | {"digest": fingerprint(manifest)}).encode())

    with pytest.raises(DamagedArtifact, match="outside"):
        SharedStore(tmp_path / "b", url).open(TOP)

    assert not list(tmp_path.rglob("evil.txt"))
    assert not Path("/tmp/evil.txt").exists()


def test_two_machines_at_once_make_every_step_once(
    url: str, tmp_path: Path, undisturbed: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each takes what the other does not work on, waits for what it does, and both end complete."""
    monkeypatch.setattr(Leases, "LOOK_EVERY", 0.05)
    made: list[str] = []
    outcomes: dict[str, Outcome] = {}

    class Slow(ToyWorker):
        def work(self, step, inputs, draft):
            time.sleep(0.3)
            super().work(step, inputs, draft)
            made.append(step.id)

    def machine(name: str) -> None:
        outcomes[name] = run_at(url, tmp_path / name, worker=Slow())

    threads = [threading.Thread(target=machine, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert outcomes["a"].ok
    assert outcomes["b"].ok
    assert sorted(made) == ["bottom", "left", "right", "top"]
    assert all(0 < len(outcome.ran) < 4 for outcome in outcomes.values())
    assert SharedStore(tmp_path / "c", url).known() == undisturbed.keys()


def test_two_uploads_of_different_bytes_leave_one_whole_artifact(url: str, tmp_path: Path) -> None:
    """Hardware may round differently, and a lease may be lost: files of two makers never mix under one manifest."""
    step = make_plan({"top": []}).steps[0]
    first, second = (SharedStore(tmp_path / name, url) for name in "ab")

    with first.writing(step, {}, {}) as one, second.writing(step, {}, {}) as other:
        for draft, text in ((one, "1.0000001"), (other, "1.0000002")):
            draft.write_json("value.json", text)
            draft.write_json("same.json", text)

    found = SharedStore(tmp_path / "c", url).open(step.fingerprint)
    assert found.read_json("value.json") == found.read_json("same.json")


def test_an_upload_that_was_cut_off_is_absent(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its manifest nobody sees it. The machine that made it sends it later; one that did not makes it."""
    send = Remote.send

    def breaking(self: Remote, files: dict[str, Path]) -> None:
        if any(name.startswith("manifests/") for name in files):
            raise StoreUnreachable("the line is cut")
        send(self, files)

    with monkeypatch.context() as patch:
        patch.setattr(Remote, "send", breaking)
        cut = run_at(url, tmp_path / "a")
    assert cut.stopped is not None
    assert "the same command sends it" in cut.stopped
    assert files_of(url, TOP)
    assert SharedStore(tmp_path / "b", url).known() == frozenset()

    later = ToyWorker()
    assert run_at(url, tmp_path / "a", worker=later).ok
    assert "top" not in later.made


def test_kill_9_at_every_change_of_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever a machine dies, in its cache or in an upload: another one that comes after it ends with the right bytes.

    It dies before each rename, removal and opening for writing, in the cache and at the URL, one after the other.
    """
    monkeypatch.setattr(Leases, "ABANDONED", 0.1)
    monkeypatch.setattr(Leases, "LOOK_EVERY", 0.02)
    monkeypatch.setattr("stage1.runner._POLL", 0.05)
    run(tmp_path / "undisturbed", PAIR, ToyWorker())
    wanted = contents(tmp_path / "undisturbed")
    moment = killed = 0
    while True:
        moment += 4
        root = tmp_path / str(moment)
        url = f"file://{root}/shared"
        if not died(root, url, moment):
            break
        killed += 1
        assert run_at(url, root / ("a" if moment % 2 else "b"), plan=PAIR).ok
        store = SharedStore(root / "c", url)
        for step in PAIR.steps:
            store.open(step.fingerprint)
        assert contents(root / "c") == wanted
        shutil.rmtree(root)

    assert killed > 10


def died(root: Path, url: str, moment: int) -> bool:
    """Carry the pair out on machine a in a process of its own; whether it died at its n-th change of the disk."""
    provenance()  # asks git once, here
    child = os.fork()
    if child == 0:
        seen = 0

        def hook(event: str, details: tuple[Any, ...]) -> None:
            nonlocal seen
            writes = event == "open" and isinstance(details[2], int) and details[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            if (writes or event in ("os.rename", "os.remove", "os.mkdir")) and str(details[0]).startswith(str(root)):
                seen += 1
                if seen == moment:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)
        try:
            run_at(url, root / "a", plan=PAIR)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def test_a_server_that_goes_away_ends_the_run_and_loses_nothing(
    s3_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, undisturbed: dict[str, Any]
) -> None:
    """One line says what happened; what was made is kept; the same command sends it when the server is back."""
    import s3fs
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    monkeypatch.setattr(s3fs.S3FileSystem, "retries", 1)
    s3fs.S3FileSystem.clear_instance_cache()

    class Cutting(ToyWorker):
        def work(self, step, inputs, draft):
            super().work(step, inputs, draft)
            if step.id == "left":
                server.stop()

    worker, again = Cutting(), ToyWorker()
    outcome = run_at(s3_url, tmp_path / "a", worker=worker)
    back = ThreadedMotoServer(ip_address=host, port=port, verbose=False)  # what it holds outlives it in this process
    back.start()
    later = run_at(s3_url, tmp_path / "a", worker=again)
    back.stop()
    s3fs.S3FileSystem.clear_instance_cache()

    assert outcome.stopped is not None
    assert outcome.stopped.startswith(f"{s3_url} cannot be used: ")
    assert "\n" not in outcome.stopped
    assert later.ok
    assert not set(again.made) & set(worker.made)
    assert contents(tmp_path / "a") == undisturbed


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nowhere://x/y", "nowhere://x/y cannot be used: Protocol not known: nowhere"),
        ("s3://no-such-bucket/x", "s3://no-such-bucket/x cannot be used: The specified bucket does not exist"),
        ("sftp://me:hunter2hunter2@127.0.0.1:9/x?token=hunter3hunter3", "sftp://***@127.0.0.1:9/x"),
    ],
)
@pytest.mark.usefixtures("s3_server")
def test_a_place_that_cannot_be_used_is_one_line(tmp_path: Path, url: str, said: str) -> None:
    """Unknown protocols, missing packages and missing buckets are told before anything runs, without passwords."""
    with pytest.raises(StoreUnreachable) as refused:
        run_at(url, tmp_path)

    assert str(refused.value).startswith(said)
    assert "\n" not in str(refused.value)
    assert not re.search("hunter", str(refused.value))
    assert not (tmp_path / "artifacts").exists()


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """S3 without s3fs: what to install."""
    monkeypatch.setitem(sys.modules, "s3fs", None)
    monkeypatch.delitem(sys.modules["fsspec.registry"]._registry, "s3", raising=False)  # what was loaded before

    with pytest.raises(StoreUnreachable, match=r"install s3fs: `uv sync --extra remote`"):
        SharedStore(tmp_path, "s3://bucket/x")
