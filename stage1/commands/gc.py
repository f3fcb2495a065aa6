"""`stage1 gc`: what no spec in a folder needs, and removing it when asked to."""

from __future__ import annotations

import json
import shutil
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from compiler.plan import Plan
from stage1.commands.compiling import CannotRead
from stage1.commands.plan import previous_plan
from stage1.commands.plans import plan_of, specs_in
from stage1.log_prob_cache import models_asked
from stage1.report.words import counted
from stage1.store import MANIFEST, Store

if TYPE_CHECKING:
    from stage1.store.shared import SharedStore


@dataclass(frozen=True, slots=True)
class Garbage:
    """One folder that nothing needs."""

    folder: Path
    fingerprint: str
    what: str
    bytes: int


def collect(specs: Path, store_root: Path, *, delete: bool, url: str | None = None, forget: Sequence[str] = ()) -> int:
    """Show what can go, and with `delete` remove it; 1 if a spec has errors, 2 if there is none.

    At a URL the last runs of everybody keep what they need, but for those of the experiments in `forget`.

    Raises:
        StoreUnreachable: the URL cannot be used.
    """
    try:
        plans = [plan_of(spec) for spec in specs_in(specs)]
    except CannotRead as problem:
        print(problem, file=sys.stderr)
        return 2
    if None in plans:
        print("error: what a faulty spec needs is not known, so nothing was removed; mend it or move it away", file=sys.stderr)
        return 1
    needed = _needed([plan for plan in plans if plan], store_root)
    _collect_here(specs, needed, store_root, delete=delete)
    if url is None:
        return 0
    from stage1.store.shared import SharedStore  # only a URL is worth the time of importing it

    return _collect_shared(specs, needed, SharedStore(store_root, url), forget, delete=delete)


def _collect_here(specs: Path, needed: frozenset[str], store_root: Path, *, delete: bool) -> None:
    garbage = list(find_garbage(needed, store_root))
    for entry in garbage:
        print(f"{_size(entry.bytes):>10}  {entry.what:<40} {entry.folder}")
    total = f"{_size(sum(entry.bytes for entry in garbage))} in {counted(len(garbage), 'folder')}"
    if not delete:
        print(f"{total} is needed by no spec in {specs}; `--delete` removes it")
        return
    store = Store(store_root)
    gone = sum(_remove(entry, store) for entry in garbage)
    locks = store.remove_idle_locks()
    print(f"{total} was needed by no spec in {specs}; {counted(gone, 'folder')} and {counted(locks, 'idle lock')} removed")


def _collect_shared(specs: Path, needed: frozenset[str], store: SharedStore, forget: Sequence[str], *, delete: bool) -> int:
    """The same at a URL, where others may run other specs: what their last plans need stays, too."""
    last = {name: _plan_in(content) for name, content in store.plans().items()}
    if None in last.values():
        print(
            f"error: {store.shown} holds a plan that this version cannot read, so nothing was removed there",
            file=sys.stderr,
        )
        return 1
    plans = {name: plan for name, plan in last.items() if plan}
    forgotten = [name for name, plan in plans.items() if plan.experiment in forget]
    kept_by = {
        name: frozenset(step.fingerprint for step in plan.steps) - needed
        for name, plan in plans.items()
        if name not in forgotten
    }
    kept = needed.union(*kept_by.values())
    garbage = {fingerprint: size for fingerprint, size in sorted(store.sizes().items()) if fingerprint not in kept}
    for fingerprint, size in garbage.items():
        what = store.step_of(fingerprint) or "incomplete"
        print(f"{_size(size):>10}  {what:<40} {store.shown} {fingerprint}")
    others = Counter(plans[name].experiment for name, steps in kept_by.items() if steps)
    if others:
        told = ", ".join(f"{experiment} ({count})" for experiment, count in sorted(others.items()))
        print(f"last runs from other folders or with other settings keep what they need: {told}; `--forget NAME` lets it go")
    total = f"{_size(sum(garbage.values()))} in {counted(len(garbage), 'artifact')} at {store.shown}"
    if not delete:
        print(f"{total} is needed by no spec in {specs} and by no last run there; `--delete` removes it")
        return 0
    gone = sum(store.remove(fingerprint) for fingerprint in garbage)
    store.remote.remove(*forgotten)
    print(f"{total} was needed by no spec in {specs} and by no last run there; {gone} removed")
    return 0


def _plan_in(content: bytes) -> Plan | None:
    try:
        return Plan.model_validate_json(content)
    except ValueError:
        return None


def _needed(plans: list[Plan], store_root: Path) -> frozenset[str]:
    """The artifacts of the specs as they stand and of their last runs, which may have had overrides; the models they ask."""
    last = [previous_plan(store_root / plan.experiment / "plan.json") for plan in plans]
    known = [plan for plan in (*plans, *last) if plan]
    return frozenset(name for plan in known for name in (*(step.fingerprint for step in plan.steps), *models_asked(plan)))


def find_garbage(needed: frozenset[str], store_root: Path) -> Iterator[Garbage]:
    """What is not needed of artifacts, scratch and log-probabilities; drafts of dead writers; what was damaged."""
    parts = (("artifacts", False), ("scratch", False), ("log_probs", False), ("unfinished", True), ("damaged", True))
    for part, always in parts:
        folder = store_root / part
        for entry in sorted(folder.iterdir()) if folder.is_dir() else ():
            fingerprint = entry.name.split(".")[0]
            if entry.is_dir() and (always or fingerprint not in needed):
                yield Garbage(entry, fingerprint, _named(entry, part), _bytes(entry))


def _named(entry: Path, part: str) -> str:
    if part != "artifacts":
        return part
    try:
        return str(json.loads((entry / MANIFEST).read_text(encoding="utf-8"))["step"])
    except (OSError, ValueError, KeyError, TypeError):
        return "unreadable"


def _bytes(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())


def _remove(entry: Garbage, store: Store) -> bool:
    """A run that is at work on it keeps it."""
    with store.claim(entry.fingerprint) as mine:
        if mine:
            (entry.folder / MANIFEST).unlink(missing_ok=True)  # first of all: half an artifact must not look like one
            shutil.rmtree(entry.folder, ignore_errors=True)
    return mine and not entry.folder.exists()


def _size(number: float) -> str:
    for unit in ("B", "KiB", "MiB", "GiB"):
        if number < 1024:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1024
    return f"{number:.1f} TiB"
