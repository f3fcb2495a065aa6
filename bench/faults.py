"""Fault injection on real runs of the nano experiment; the counts go to `bench/faults.json`.

    python bench/faults.py [--kills 200] [--moments 50] [--labs 2] [--folder DIR] [SCENARIO ...]

Whatever is done to a run, the same command must end with the very bytes of an undisturbed one, no partial artifact may be
visible at any time, and no ending may show a traceback. The work is divided among laboratories, one a core, each with an
undisturbed run of its own. What did not hold is in the record under `failed`, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import random
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from fault_lab import OVERRIDES, ROOT, SPEC, warm_up
from fault_scenarios import SCENARIOS, Counts, Lab

from stage1.provenance import git_commit

_TOLD = 4000  # characters of a failure that are kept
_PIECE = 25  # kills at a stretch: what is divided among laboratories


@dataclass(frozen=True)
class Piece:
    """A part of a scenario that one laboratory does at a stretch."""

    scenario: str
    number: int
    count: int
    """Of kills or signals."""


def pieces(scenarios: Sequence[str], counts: Mapping[str, int]) -> list[Piece]:
    """The scenarios in pieces; together they have the counts asked for."""
    found = []
    for name in scenarios:
        whole = counts.get(name, 1)
        size = whole if name == "signals" else _PIECE
        starts = range(0, whole, size)
        found += [Piece(name, number, min(size, whole - start)) for number, start in enumerate(starts)]
    return found


_lab: Lab
"""Of this process."""


def open_lab(folder: Path) -> None:
    """Make this process a laboratory."""
    global _lab  # noqa: PLW0603 - a worker of a pool has no other place for what it keeps
    _lab = Lab(folder / f"lab-{os.getpid()}")
    _lab.begin()


def carried_out(piece: Piece, seed: int) -> Counts:
    """The counts of a piece that held.

    Raises:
        AssertionError: it did not.
    """
    began = time.monotonic()
    _lab.draw = random.Random(f"{seed} {piece.scenario} {piece.number}")
    counts = SCENARIOS[piece.scenario](_lab, piece.count)
    return counts | {"seconds": round(time.monotonic() - began), "steps": len(_lab.undisturbed)}


def added(known: Counts, new: Counts) -> Counts:
    """The counts of both; the number of steps in a run is no count."""
    summed = {name: known.get(name, 0) + value for name, value in new.items() if name != "steps"}
    return summed | {"steps": new["steps"]}


def main() -> int:
    """Run the scenarios named (default: all) at this commit and write their counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenario", nargs="*", choices=[*SCENARIOS, []])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--moments", type=int, default=50)
    parser.add_argument("--signals", type=int, default=12, help="of each kind")
    parser.add_argument("--labs", type=int, default=os.cpu_count() or 1, help="laboratories at work at once")
    parser.add_argument("--set", action="append", default=[], metavar="K=V", help="override a setting of the nano experiment")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--out", type=Path, default=ROOT / "bench" / "faults.json")
    asked = parser.parse_args()
    folder = asked.folder or Path(tempfile.mkdtemp(prefix="stage1-faults-"))
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # a laboratory has one core
    OVERRIDES.extend(asked.set)
    warm_up()
    todo = pieces(
        asked.scenario or list(SCENARIOS), {"kill_9": asked.kills, "at_moments": asked.moments, "signals": asked.signals}
    )
    record = _about(asked.labs)
    began = time.monotonic()
    fork = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(asked.labs, fork, initializer=open_lab, initargs=(folder,)) as labs:
        at_work = {labs.submit(carried_out, piece, asked.seed): piece for piece in todo}
        for done in as_completed(at_work):
            _note(record, at_work[done], done)
            record["wall_seconds"] = round(time.monotonic() - began)
            asked.out.write_text(json.dumps(record, indent=1) + "\n")
    return 1 if record["failed"] else 0


def _about(labs: int) -> Counts:
    about = {"date": datetime.now(UTC).date().isoformat(), "commit": git_commit(), "spec": SPEC.name, "overrides": OVERRIDES}
    machine = {"cpus": os.cpu_count(), "labs": labs, "load_at_the_start": round(os.getloadavg()[0], 2)}
    return about | {"machine": machine | {"platform": platform.platform()}, "failed": {}}


def _note(record: Counts, piece: Piece, done: Future[Counts]) -> None:
    name, wrong = piece.scenario, done.exception()
    if wrong is None:
        record[name] = added(record.get(name, {}), done.result())
    else:
        record["failed"][f"{name} {piece.number}"] = f"{type(wrong).__name__}: {wrong}"[:_TOLD]
    print(name, piece.number, wrong or done.result(), flush=True)


if __name__ == "__main__":
    sys.exit(main())
