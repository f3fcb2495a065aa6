"""Leases: one holder at a time where storage can tell, and no holder for ever."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from stage1.store.leases import Leases
from stage1.store.remote import Remote


class Clock:
    """Seconds as told."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Plain(MemoryFileSystem):
    """Storage that knows no conditional writes."""

    protocol = "plain"
    store: dict[str, Any] = {}  # noqa: RUF012 - shared by all, as in its base class
    pseudo_dirs = [""]  # noqa: RUF012

    def pipe_file(self, path: str, value: bytes, **kwargs: Any) -> None:
        if kwargs:
            raise TypeError(f"unexpected {kwargs}")
        super().pipe_file(path, value)


fsspec.register_implementation("plain", Plain, clobber=True)


def test_one_holder_at_a_time(url: str) -> None:
    """While one has it no other gets it; when it is given back the next one does, and nothing is left in the end."""
    remote, clock = Remote(url), Clock()
    first, second = Leases(remote, "a", clock), Leases(remote, "b", clock)

    with first.held("x") as ours:
        assert ours
        with second.held("x") as theirs, second.held("y") as other:
            assert not theirs
            assert other
    clock.now += Leases.LOOK_EVERY
    with second.held("x") as theirs:
        assert theirs

    assert remote.names("leases/x") == []


def test_storage_lets_one_of_many_through(s3_url: str) -> None:
    """Twelve machines ask S3 for the same lease at the same moment: one gets it."""
    remote, together, got = Remote(s3_url), threading.Barrier(12), []

    def ask(name: str) -> None:
        leases = Leases(remote, name, Clock())
        together.wait()
        with leases.held("x") as ours:
            got.append(ours)
            together.wait()

    threads = [threading.Thread(target=ask, args=(str(number),)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(got) == [False] * 11 + [True]


def test_a_lease_without_signs_is_taken_over_by_the_watchers_clock(url: str) -> None:
    """It is watched for a while, whenever it was made; whoever takes it over leaves nothing of the dead holder's."""
    remote, clock = Remote(url), Clock()
    watcher = Leases(remote, "b", clock)
    remote.write("leases/x/1", b"a dead-for-years")

    for _ in range(4):
        with watcher.held("x") as ours:
            assert not ours
        clock.now += Leases.ABANDONED / 4
    clock.now += Leases.LOOK_EVERY

    with watcher.held("x") as ours:
        assert ours
        assert remote.names("leases/x") == ["2"]


def test_signs_of_life_keep_a_lease(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A holder that lives rewrites its lease, so that no watcher takes it for abandoned, however long it works."""
    monkeypatch.setattr(Leases, "RENEWED", 0.02)
    remote, clock = Remote(url), Clock()
    watcher = Leases(remote, "b", clock)

    with Leases(remote, "a", clock).held("x") as ours:
        assert ours
        for _ in range(3):
            with watcher.held("x") as theirs:
                assert not theirs
            sign = remote.read("leases/x/1")
            while remote.read("leases/x/1") == sign:
                pass
            clock.now += 2 * Leases.ABANDONED


def test_a_dead_process_of_the_same_folder_is_not_waited_for(url: str) -> None:
    """Whoever asks has the folder's own lock: the holder that the lease names cannot live."""
    remote = Remote(url)
    remote.write("leases/x/1", b"a killed")

    with Leases(remote, "a", Clock()).held("x") as ours:
        assert ours


def test_storage_without_conditional_writes_still_tells_who_came_first() -> None:
    """A look before the write: enough for all but two at the same moment."""
    remote = Remote(f"plain://{uuid.uuid4().hex}")

    with Leases(remote, "a", Clock()).held("x") as ours, Leases(remote, "b", Clock()).held("x") as theirs:
        assert ours
        assert not theirs
