"""The measured agreement of the scorer with the labelled answers, kept beside the code that it was measured on."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from pydantic import BaseModel, ConfigDict

from evaluators.criteria.agreement import Labelled, agreements, read_labelled

_SCORER = ("criteria", "language", "labelled", "view.py", "scoring.py")
_SUFFIXES = (".py", ".txt", ".jsonl", ".json")
MEASURED = "measured.json"
FIRST_MEETINGS = "first_meetings.json"
"""Kappa of each round of labels when the scorer first met it: recorded then, since it cannot be computed later."""


class Trust(BaseModel):
    """How far one criterion can be trusted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    criterion: str
    n: int
    agreed: int
    kappa: float | None
    """Cohen's kappa over true, false and null."""
    passes: int
    """Answers that a person says pass."""
    fails: int
    """Answers that a person says fail."""
    passed_wrongly: int
    """Of those that fail, how many the scorer lets pass."""
    failed_wrongly: int
    """Of those that pass, how many the scorer fails."""


class Measured(BaseModel):
    """Agreement on all labelled answers, for one state of the scorer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    scorer: str
    """Fingerprint of the code and the labels; see `scorer_fingerprint`."""
    answers: int
    traps: int
    rounds: int
    criteria: tuple[Trust, ...]


def read_measured() -> Measured:
    """What was measured last and stored; a test holds that it is of this very code."""
    return Measured.model_validate_json(_here().joinpath(MEASURED).read_text(encoding="utf-8"))


def read_first_meetings() -> dict[str, dict[str, float]]:
    """Round -> criterion -> kappa on labels that the rules had not been written or changed for."""
    meetings: dict[str, dict[str, float]] = json.loads(_labelled().joinpath(FIRST_MEETINGS).read_text(encoding="utf-8"))
    return meetings


@cache
def measure() -> Measured:
    """Judge every labelled answer and count."""
    rounds = labelled_rounds()
    everything = [each for labels in rounds.values() for each in labels]
    return Measured(
        scorer=scorer_fingerprint(),
        answers=len(everything),
        traps=sum(each.trap for each in everything),
        rounds=len(rounds),
        criteria=trust(everything),
    )


def trust(labelled: list[Labelled]) -> tuple[Trust, ...]:
    """The agreement of every criterion with these labels, and in which direction it errs."""
    found = []
    for each in agreements(labelled):
        rows = [(row.id, row.expected[each.criterion]) for row in labelled if each.criterion in row.expected]
        missed = set(each.missed)
        passes = [name for name, label in rows if label]
        fails = [name for name, label in rows if label is False]
        found.append(
            Trust(
                criterion=each.criterion,
                n=each.n,
                agreed=each.agreed,
                kappa=each.kappa,
                passes=len(passes),
                fails=len(fails),
                passed_wrongly=sum(name in missed for name in fails),
                failed_wrongly=sum(name in missed for name in passes),
            )
        )
    return tuple(found)


def labelled_rounds() -> dict[str, list[Labelled]]:
    """The labelled answers that come with the package, by round."""
    paths = sorted((path for path in _labelled().iterdir() if path.name.endswith(".jsonl")), key=lambda path: path.name)
    return {path.name.removesuffix(".jsonl"): read_labelled(path.read_text(encoding="utf-8").splitlines()) for path in paths}


def scorer_fingerprint() -> str:
    """SHA-256 (hex) over everything that a judgement depends on, and the labels: sources, phrases, lexicons, weights."""
    digest = hashlib.sha256()
    for name in _SCORER:
        for path, content in _contents(files("evaluators").joinpath(name), name):
            digest.update(f"{path}\0{hashlib.sha256(content).hexdigest()}\n".encode())
    return digest.hexdigest()


def render_measured(measured: Measured) -> str:
    """As stored: JSON that diffs line by line."""
    return json.dumps(measured.model_dump(mode="json"), indent=1) + "\n"


def _contents(place: Traversable, path: str) -> list[tuple[str, bytes]]:
    if place.is_file():
        counts = path.endswith(_SUFFIXES) and place.name not in {MEASURED, FIRST_MEETINGS}
        return [(path, place.read_bytes().replace(b"\r\n", b"\n"))] if counts else []
    inner = sorted(place.iterdir(), key=lambda each: each.name)
    return [found for each in inner for found in _contents(each, f"{path}/{each.name}")]


def _here() -> Traversable:
    return files("evaluators.criteria")


def _labelled() -> Traversable:
    return files("evaluators").joinpath("labelled")
