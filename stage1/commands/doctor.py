"""`stage1 doctor`: is this machine fit to run? A line per matter; each that is not says what to do."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from compiler.addresses import without_secrets
from stage1.provenance import git_commit
from stage1.report.words import counted
from stage1.secrets import masked
from stage1.store import DamagedArtifact, Store, StoreUnreachable
from stage1.store.place import unusable

State = Literal["ok", "note", "bad"]
_GIB = 2**30
_LOW_DISK, _LOW_MEMORY = 5 * _GIB, 2 * _GIB
_PATIENCE = 5.0  # seconds for a server to answer
_LIBRARIES = ("torch", "lightning", "transformers", "peft", "bitsandbytes", "mlflow", "ray")


@dataclass(frozen=True, slots=True)
class Line:
    """One matter that was looked at."""

    state: State
    matter: str
    found: str
    advice: str = ""


def diagnose(store_root: Path, tracking: str, *, verify: bool, url: str | None = None) -> int:
    """Print every line; 0 when nothing is bad, else 3. With `verify` every file stored on this machine is hashed."""
    checks: list[Callable[[], Iterator[Line]]] = [
        _versions, _device, _memory, lambda: _disk(store_root), lambda: _store(store_root, verify=verify),
        lambda: _shared_store(store_root, url), _hub, lambda: _tracking(tracking),
    ]  # fmt: skip
    bad = False
    for check in checks:
        for line in check():
            bad |= line.state == "bad"
            print(
                f"{line.state:<5} {line.matter:<10} {masked(line.found)}{f'; {line.advice}' if line.advice else ''}", flush=True
            )
    return 3 if bad else 0


def _versions() -> Iterator[Line]:
    commit = git_commit()
    yield Line("ok", "code", f"python {sys.version.split()[0]}, commit {commit[:12] if commit else 'unknown'}")
    if commit and commit.endswith("+changes"):
        yield Line("note", "code", "the working tree has changes", "commit them, so that a result can be traced to its code")
    told, missing = [], []
    for name in _LIBRARIES:
        try:
            told.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    yield Line("ok", "libraries", ", ".join(told))
    if missing == ["ray"]:
        yield Line("note", "libraries", "ray is not installed", "`uv sync --extra ray`, if you want --executor ray")
    elif missing:
        yield Line("bad", "libraries", f"missing: {', '.join(missing)}", "`uv sync`")


def _device() -> Iterator[Line]:
    import torch

    if not torch.cuda.is_available():
        yield Line("note", "device", f"no GPU that torch can use, {os.cpu_count()} CPUs", "the embedded model needs none")
        return
    if torch.cuda.device_count() > 1:
        told = f"{torch.cuda.device_count()} GPUs: `stage1 run` spreads its steps over all of them (--workers)"
        yield Line("ok", "device", told)
    for number in range(torch.cuda.device_count()):
        name = torch.cuda.get_device_name(number)
        try:
            free, total = torch.cuda.mem_get_info(number)
            square = torch.ones(256, 256, device=f"cuda:{number}")
            sound = float((square @ square).sum()) == 256**3
        except RuntimeError as error:
            advice = "see `nvidia-smi`; another process may hold it, or it needs a reset"
            yield Line("bad", "device", f"cuda:{number} {name}: {str(error).splitlines()[0]}", advice)
            continue
        told = f"cuda:{number} {name}, {free / _GIB:.0f} of {total / _GIB:.0f} GiB free"
        if not sound:
            yield Line("bad", "device", f"{told}, and it computes wrongly", "do not use it")
        elif free < total / 2:
            yield Line("note", "device", told, "`nvidia-smi` shows who holds the rest")
        else:
            yield Line("ok", "device", told)


def _memory() -> Iterator[Line]:
    import psutil

    memory = psutil.virtual_memory()
    told = f"{memory.available / _GIB:.1f} of {memory.total / _GIB:.1f} GiB available"
    if memory.available < _LOW_MEMORY:
        yield Line("bad", "memory", told, "end other programs: the quickstart takes about 1.5 GiB, other models more")
    else:
        yield Line("ok", "memory", told)


def _disk(root: Path) -> Iterator[Line]:
    place = root.absolute()
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    told = f"{free / _GIB:.1f} GiB free at {place}"
    if free < _LOW_DISK:
        yield Line("note", "disk", told, "`stage1 gc` shows what no spec needs")
    else:
        yield Line("ok", "disk", told)


def _store(root: Path, *, verify: bool) -> Iterator[Line]:
    wrong = unusable(root, to_write=True)
    if wrong:
        yield Line("bad", "store", wrong, "nothing runs without a store (--store)")
        if not root.is_dir():
            return
    store = Store(root)
    known = sorted(store.known())
    if not wrong:
        yield from _locks(store)
    damaged = 0
    for fingerprint in known:
        try:
            store.open(fingerprint, verify=verify)
        except DamagedArtifact as damage:
            damaged += 1
            yield Line("bad", "store", f"damaged: {damage}", "the next `stage1 run` that reads it makes it again")
    looked = "files hashed" if verify else "manifests read; --verify hashes all files"
    if not damaged:
        yield Line("ok", "store", f"{counted(len(known), 'artifact')} in {root} ({looked})")
    aside = root / "damaged"
    if aside.is_dir() and any(aside.iterdir()):
        yield Line(
            "note", "store", f"damaged artifacts are kept in {aside}", "look at the disk; `stage1 gc --delete` removes them"
        )


def _locks(store: Store) -> Iterator[Line]:
    try:
        with store.claim("doctor") as mine:
            if not mine:
                yield Line("note", "store", "another doctor is at work")
    except OSError as error:
        yield Line("bad", "store", f"locks do not work in {store.root}: {error}", "use a file system with locks")


def _shared_store(root: Path, url: str | None) -> Iterator[Line]:
    """A URL answers, and takes what a run would leave there."""
    if url is None or unusable(root, to_write=True):
        return
    from stage1.store.shared import SharedStore

    try:
        store = SharedStore(root, url)
        known = store.known()
        with store.claim("doctor") as mine:
            told = f"{counted(len(known), 'artifact')} at {store.shown}" + ("" if mine else ", another doctor is at work")
    except StoreUnreachable as problem:
        yield Line("bad", "store", str(problem), "check address, credentials and permissions; nothing runs without the store")
        return
    yield Line("ok", "store", told)


def _hub() -> Iterator[Line]:
    address = os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")
    if os.environ.get("HF_HUB_OFFLINE") == "1":
        yield Line("note", "hub", "HF_HUB_OFFLINE=1: only models in the cache or in folders can be used")
        return
    why = _unreachable(f"{address}/api/models?limit=1")
    if why:
        yield Line("note", "hub", f"{address} does not answer ({why})", "the embedded model and local folders need no hub")
    else:
        token = "a token" if os.environ.get("HF_TOKEN") else "no HF_TOKEN (gated models need one)"
        yield Line("ok", "hub", f"{address} answers, {token}")


def _tracking(uri: str) -> Iterator[Line]:
    uri = without_secrets(uri)
    if uri.startswith("sqlite:///"):
        path = Path(uri.removeprefix("sqlite:///"))
        yield from _sqlite(path) if path.is_file() else [Line("ok", "tracking", f"{path} is made by the first run")]
        return
    if not uri.startswith("http"):
        yield Line("note", "tracking", f"{uri} is not looked at")
        return
    why = _unreachable(f"{uri.rstrip('/')}/health")
    if why:
        advice = "start it or check tracking.uri; runs go on without it and add what it missed later"
        yield Line("bad", "tracking", f"{uri} does not answer ({why})", advice)
    else:
        yield Line("ok", "tracking", f"{uri} answers")


def _sqlite(path: Path) -> Iterator[Line]:
    import sqlite3
    from contextlib import closing

    try:
        with closing(sqlite3.connect(path, timeout=_PATIENCE)) as database:
            sound = database.execute("PRAGMA quick_check").fetchone()[0]
    except sqlite3.Error as error:
        sound = str(error)
    if sound == "ok":
        yield Line("ok", "tracking", f"{path} is sound")
    else:
        advice = f"move it away and run again: what the store has is recorded anew (mv {path} {path}.damaged)"
        yield Line("bad", "tracking", f"{path}: {sound}", advice)


def _unreachable(address: str) -> str | None:
    try:
        urllib.request.urlopen(address, timeout=_PATIENCE).close()
    except urllib.error.HTTPError as error:
        return None if error.code < 500 else f"status {error.code}"
    except (OSError, ValueError) as error:
        return str(getattr(error, "reason", error)) or type(error).__name__
    return None
