"""Training curves as an artifact holds them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from stage1.store import Artifact


@dataclass(frozen=True, slots=True)
class CurveRow:
    """One point of one training curve."""

    step: int
    name: str
    value: float


def read_curves(artifact: Artifact) -> tuple[CurveRow, ...]:
    """All points of a training step's artifact, in the order in which they were logged."""
    return curves_in(artifact.folder)


def curves_in(folder: Path) -> tuple[CurveRow, ...]:
    """All points in the folder of a training, complete or not."""
    with (folder / "curves.jsonl").open(encoding="utf-8") as lines:
        return tuple(CurveRow(**json.loads(line)) for line in lines)
