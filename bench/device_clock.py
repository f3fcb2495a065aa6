"""Points in the device's queue of work, so that nothing waits while something is measured."""

from __future__ import annotations

import time
from typing import Any

import torch


def now() -> Any:
    """After what has been queued so far."""
    if not torch.cuda.is_available():
        return time.perf_counter()
    event = torch.cuda.Event(enable_timing=True)
    event.record()
    return event


def between(start: Any, end: Any) -> float:
    """Seconds."""
    if not torch.cuda.is_available():
        return float(end - start)
    end.synchronize()
    return float(start.elapsed_time(end)) / 1e3
