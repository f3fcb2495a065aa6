"""Kept states of a step in work, sent along, so that another machine can go on where this one was stopped.

Below the URL: `states/<fingerprint>/<sha256>`, the files of one state, and `states/<fingerprint>.json`, written last, which
names it and them. A state is a folder that was renamed into the step's scratch folder when it was whole; the later of two has
the later name. Whoever reads one checks it as if it came from its own disk; what cannot be sent or fetched costs time and
nothing else.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from stage1.store.artifact import listed
from stage1.store.names import is_plain, stay_within
from stage1.store.remote import Remote, StoreUnreachable

_UNFINISHED = "unfinished"


class KeptStates:
    """The states of one step that this machine works on."""

    LOOK_EVERY = 10.0
    """Seconds between looks at the scratch folder."""
    COST = 10
    """At most one part in so many of the time goes into sending."""

    def __init__(
        self, remote: Remote, fingerprint: str, folder: Path, new_folder: Callable[[], Path], clock: Callable[[], float]
    ) -> None:
        """`folder` is the step's scratch folder, `new_folder` makes another one on the same disk, `clock` counts seconds."""
        self._remote, self._mark, self._files = remote, f"states/{fingerprint}.json", f"states/{fingerprint}"
        self._folder, self._new_folder, self._clock = folder, new_folder, clock
        self._asked = False
        self._sent = ""
        self._not_before = 0.0

    def fetch(self) -> None:
        """Put the newest state of another machine into the scratch folder, unless there is a newer one in it."""
        self._asked = True
        beside = self._new_folder()
        with contextlib.suppress(OSError, KeyError, ValueError, TypeError, AttributeError):  # then it begins anew
            self._fetch_into(beside)
        shutil.rmtree(beside, ignore_errors=True)

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Within the block every new state is sent; after it they are forgotten, unless the step was not finished."""
        over = threading.Event()
        watch = threading.Thread(target=self._watch, args=(over,), daemon=True)
        watch.start()
        try:
            yield
        except BaseException as stop:
            over.set()
            watch.join()
            if isinstance(stop, KeyboardInterrupt):  # the machine may be about to go
                self._send()
            raise
        over.set()
        watch.join()
        if self._asked:
            self._forget()

    def _fetch_into(self, beside: Path) -> None:
        mark = json.loads(self._remote.read(self._mark))
        name, files = mark["name"], mark["files"]
        if not is_plain(name) or not stay_within(files) or name <= self._newest():
            return
        for path in files:
            (beside / path).parent.mkdir(parents=True, exist_ok=True)
        self._remote.fetch({beside / path: f"{self._files}/{about['sha256']}" for path, about in files.items()})
        if listed(beside) == files:
            beside.rename(self._folder / name)
            self._sent = name

    def _watch(self, over: threading.Event) -> None:
        while not over.wait(self.LOOK_EVERY):
            if self._clock() >= self._not_before:
                began = self._clock()
                self._send()
                self._not_before = self._clock() + self.COST * (self._clock() - began)

    def _newest(self) -> str:
        if not self._folder.is_dir():
            return ""
        names = (entry.name for entry in self._folder.iterdir() if entry.is_dir())
        return max((name for name in names if not name.startswith(_UNFINISHED)), default="")

    def _send(self) -> None:
        name = self._newest()
        if name <= self._sent:
            return
        beside = self._new_folder()
        copy = beside / name
        with contextlib.suppress(OSError):  # replaced by a newer one this moment, or the line is cut: next time
            shutil.copytree(self._folder / name, copy, copy_function=_linked)  # whoever works on may remove it meanwhile
            files = listed(copy)
            self._remote.send({f"{self._files}/{about['sha256']}": copy / path for path, about in files.items()})
            self._remote.write(self._mark, json.dumps({"name": name, "files": files}).encode())
            self._sent = name
            self._remove_all_but(files)
        shutil.rmtree(beside, ignore_errors=True)

    def _forget(self) -> None:
        with contextlib.suppress(StoreUnreachable):
            self._remote.remove(self._mark)
            self._remove_all_but({})

    def _remove_all_but(self, files: Mapping[str, Mapping[str, Any]]) -> None:
        kept = {about["sha256"] for about in files.values()}
        self._remote.remove(*(f"{self._files}/{name}" for name in self._remote.names(self._files) if name not in kept))


def _linked(source: str, target: str) -> None:
    """A copy that takes no room, where the disk has hard links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
