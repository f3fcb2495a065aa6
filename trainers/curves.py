"""Curves as JSON Lines: one row {step, name, value} per number, in the order they were measured."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import Logger


class CurvesFile(Logger):
    """A Lightning logger that writes a fresh file. A step counts the optimizer steps done; step 0 is before training."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        path.write_text("", encoding="utf-8")

    @property
    def name(self) -> str:
        """For Lightning."""
        return "curves"

    @property
    def version(self) -> str:
        """For Lightning."""
        return "0"

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Appends one row per metric."""
        rows = (json.dumps({"step": step or 0, "name": name, "value": float(value)}) for name, value in metrics.items())
        with self._path.open("a", encoding="utf-8") as file:
            file.writelines(f"{row}\n" for row in rows)

    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """Settings are recorded by the caller."""
