"""A laboratory for `bench/faults.py`: real runs of the real command, begun quickly, ended rudely, compared byte by byte.

The heavy libraries are imported once; every attempt is a forked process of its own that calls the command line's `main`, so a
`kill -9` hits work, not imports.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SPEC = ROOT / "tests" / "stage1" / "nano.yaml"
OVERRIDES: list[str] = []
"""Given to every attempt, as `--set` takes them."""
_MOMENTS = ("os.rename", "os.remove", "os.mkdir", "os.rmdir", "shutil.rmtree")
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


@dataclass(frozen=True)
class Ended:
    """How an attempt ended: its exit code, or minus the signal that killed it; what it said; how long it took."""

    code: int
    said: str
    seconds: float


class Attempt:
    """One run of `stage1 run` in a folder, in a forked process."""

    def __init__(self, folder: Path, store: Path, uri: str | None = None, before: Callable[[], None] | None = None) -> None:
        self._log = folder / f"attempt-{time.monotonic_ns()}.log"
        self._began = time.monotonic()
        self.pid = os.fork()
        if self.pid == 0:
            overrides = [word for override in OVERRIDES for word in ("--set", override)]
            _become_stage1(folder, self._log, ["run", str(SPEC), "--store", str(store), *overrides], uri, before)

    def kill(self, number: int) -> None:
        """Send a signal, if the process still lives."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def ended(self, within: float = 600.0) -> Ended | None:
        """How it ended; None if it has not after that many seconds."""
        while True:
            done, status = os.waitpid(self.pid, os.WNOHANG)
            if done:
                return self._told(status)
            if time.monotonic() - self._began > within:
                return None
            time.sleep(0.01)

    def _told(self, status: int) -> Ended:
        said = self._log.read_text(errors="replace")
        self._log.unlink()
        return Ended(os.waitstatus_to_exitcode(status), said, time.monotonic() - self._began)


def _become_stage1(folder: Path, log: Path, arguments: list[str], uri: str | None, before: Callable[[], None] | None) -> None:
    code = 70
    try:
        out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(out, 1)
        os.dup2(out, 2)
        os.chdir(folder)
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it, and so would we
        os.environ.pop("MLFLOW_TRACKING_URI", None)
        os.environ.update({"NO_COLOR": "1"} | ({"MLFLOW_TRACKING_URI": uri} if uri else {}))
        sys.argv = ["stage1", *arguments]
        if before:
            before()
        from stage1.cli import main

        main()
        code = 0
    except SystemExit as left:
        code = left.code if isinstance(left.code, int) else 1
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def kill_at_moment(store: Path, which: int) -> Callable[[], None]:
    """Before an attempt: have it kill itself at its n-th rename, removal, new folder or opening of a file for writing."""

    def arm() -> None:
        seen = 0

        def hook(event: str, details: tuple[Any, ...]) -> None:
            nonlocal seen
            if (event in _MOMENTS or (event == "open" and _writes(details))) and str(details[0]).startswith(str(store)):
                seen += 1
                if seen == which:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)

    return arm


def _writes(details: tuple[Any, ...]) -> bool:
    return isinstance(details[2], int) and bool(details[2] & _WRITING)


def warm_up() -> None:
    """Import what a run imports, but compute nothing: forked processes must not inherit threads."""
    import lightning.pytorch
    import mlflow.models
    import mlflow.system_metrics.system_metrics_monitor
    import peft
    import torch
    import transformers

    import stage1.commands.run
    import stage1.live_curves
    import stage1.steps.resident

    del lightning, mlflow, peft, torch, transformers, stage1


def contents(store: Path) -> dict[str, dict[str, str]]:
    """Fingerprint -> file -> hash of what is really on disk, for every complete artifact: no manifest is believed."""
    from stage1.store.files import sha256

    found = {}
    for manifest in store.glob("artifacts/*/manifest.json"):
        folder = manifest.parent
        files = [path for path in folder.rglob("*") if path.is_file() and path != manifest]
        promised = json.loads(manifest.read_text())["files"]
        found[folder.name] = {str(path.relative_to(folder)): sha256(path) for path in sorted(files)}
        if found[folder.name] != {name: entry["sha256"] for name, entry in promised.items()}:
            raise AssertionError(f"a partial or foreign artifact is visible: {folder}")
    return found


def left_behind(store: Path) -> list[str]:
    """What must be gone after a finished run: drafts, and scratch of steps."""
    return [str(path) for name in ("unfinished", "scratch") for path in (store / name).glob("*")]


@contextlib.contextmanager
def small_disk(folder: Path, mebibytes: float) -> Iterator[Callable[[str], None]]:
    """A tmpfs of that size at `folder`; the function it yields remounts it with other options.

    Raises:
        PermissionError: mounting is not permitted here.
    """
    folder.mkdir(parents=True, exist_ok=True)
    options = f"size={int(mebibytes * 1024)}k"
    if os.system(f"mount -t tmpfs -o {options} tmpfs {folder} 2>/dev/null"):
        raise PermissionError(f"mounting a tmpfs at {folder} is not permitted")
    try:
        yield lambda changed: _remount(folder, changed)
    finally:
        os.system(f"umount -l {folder}")


def _remount(folder: Path, options: str) -> None:
    if os.system(f"mount -o remount,{options} {folder}"):
        raise PermissionError(f"remounting {folder} failed")


def flip_a_byte(path: Path, draw: random.Random) -> int:
    """Change one bit pattern of one byte; where it was."""
    content = bytearray(path.read_bytes())
    place = draw.randrange(len(content))
    content[place] ^= draw.randrange(1, 256)
    path.write_bytes(content)
    return place


def fresh(folder: Path) -> Path:
    """An empty folder of that name."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
