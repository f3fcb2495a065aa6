"""Expected power: simulated by the tests of the evaluators, remembered on disk, fed by the variances of a finished run."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Hashable
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter

from compiler.checks.method.power import Chance, Needs, Pilot, Question
from compiler.plan import fingerprint
from stage1.pilot import pilot_of
from stage1.store.files import write_json

SIMULATION = 2
"""Raised by hand when the simulation answers differently: what was remembered under another number is not looked at."""
FOLDER = "power"
_Answer = TypeVar("_Answer", Chance, Needs)


class SimulatedPower:
    """Answers questions of power by simulation, each of them once."""

    def __init__(self, root: Path | None = None, *, pilots: bool = True) -> None:
        """Remember answers under `root`/power; None: remember them while this object lives.

        `pilots`: take variances from finished runs under `root`.
        """
        self._root = root
        self._pilots = root if pilots else None
        self._known: dict[tuple[type, Hashable], Chance | Needs] = {}

    def chance(self, question: Question, /) -> Chance:
        """The power at the effect that is asked about."""

        def simulated() -> Chance:
            from evaluators.statistics.sizes import chance_of

            return chance_of(question)

        return self._remembered(Chance, (question,), lambda: {"chance": _plain(question)}, simulated)

    def needs(self, question: Question, target: float, least_seeds: int, /) -> Needs:
        """What would be found with the power `target`, and the items and seeds that find the effect with it."""

        def simulated() -> Needs:
            from evaluators.statistics.sizes import needs_of

            return needs_of(question, target, least_seeds)

        asked = {"target": target, "least_seeds": least_seeds}
        key = (question, target, least_seeds)
        return self._remembered(Needs, key, lambda: {"needs": _plain(question), **asked}, simulated)

    def pilot(self, experiment: str, /) -> Pilot | None:
        """What a finished run of the experiment measured."""
        return pilot_of(self._pilots, self._pilots / FOLDER, experiment) if self._pilots is not None else None

    def _remembered(
        self, kind: type[_Answer], key: Hashable, asked: Callable[[], dict[str, object]], simulated: Callable[[], _Answer]
    ) -> _Answer:
        """The answer in memory, else on disk, else simulated; a disk that cannot be read or written is no hindrance."""
        known = self._known.get((kind, key))
        if isinstance(known, kind):
            return known
        name = fingerprint({"simulation": SIMULATION, **asked()})[:32]
        path = self._root / FOLDER / f"{name}.json" if self._root is not None else None
        answer = _read(path, kind)
        if answer is None:
            answer = simulated()
            _write(path, answer)
        self._known[kind, key] = answer
        return answer


def _plain(question: Question) -> dict[str, object]:
    """The question as plain data: what its answer depends on."""
    endpoints = [
        {"assumptions": e.assumptions.model_dump(), "judgements": e.judgements, "applies": e.applies}
        for e in question.endpoints
    ]
    plain = {name: getattr(question, name) for name in Question.__slots__ if name != "endpoints"}
    return {**plain, "endpoints": endpoints}


def _read(path: Path | None, kind: type[_Answer]) -> _Answer | None:
    """None where nothing that can be believed is remembered."""
    if path is None:
        return None
    try:
        return TypeAdapter(kind).validate_json(path.read_bytes())
    except (OSError, ValueError):
        return None


def _write(path: Path | None, answer: Chance | Needs) -> None:
    if path is not None:
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_json(path, asdict(answer))
