"""A Lightning logger that passes curves on while an arm trains."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from lightning.pytorch.loggers import Logger

Row = tuple[int, str, float]
_EVERY_SECONDS = 2.0


class LiveCurves(Logger):
    """Collects (step, name, value) rows and hands them to `send` every two seconds, and at the end."""

    def __init__(self, send: Callable[[Sequence[Row]], None]) -> None:
        super().__init__()
        self._send = send
        self._rows: list[Row] = []
        self._sent = time.monotonic()

    @property
    def name(self) -> str:
        """Lightning asks; nobody reads it."""
        return "live"

    @property
    def version(self) -> str:
        """Lightning asks; nobody reads it."""
        return "0"

    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        """Parameters are recorded from the plan, not from a module."""

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Keep the rows; send them when two seconds have passed."""
        self._rows += [(step or 0, name, float(value)) for name, value in metrics.items()]
        if time.monotonic() - self._sent > _EVERY_SECONDS:
            self.save()

    def save(self) -> None:
        """Send what has collected."""
        rows, self._rows, self._sent = self._rows, [], time.monotonic()
        if rows:
            self._send(rows)

    def finalize(self, status: str) -> None:
        """Send the rest. The run's status is not decided here: evaluation is still to come."""
        self.save()
