"""Runs Lightning without a trace: random state, signal handlers, log levels and defaults are afterwards as they were."""

from __future__ import annotations

import logging
import random
import signal
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from trainers.random_state import seed_all

_LOGS = ("lightning.pytorch", "lightning.fabric")


@contextmanager
def undisturbed(seed: int, device: torch.device) -> Iterator[None]:
    """Seeds what runs inside, keeps Lightning quiet, and turns its exit on Ctrl-C back into KeyboardInterrupt."""
    levels = {name: logging.getLogger(name).level for name in _LOGS}
    dtype, gradients = torch.get_default_dtype(), torch.is_grad_enabled()
    devices = [device] if device.type == "cuda" else []
    with _signals_kept(), _python_random_kept(), torch.random.fork_rng(devices), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*LeafSpec.*")  # Lightning uses a renamed class of torch
        seed_all(seed)
        for name in _LOGS:
            logging.getLogger(name).setLevel(logging.ERROR)
        try:
            yield
        except SystemExit as exit:
            if isinstance(exit.__context__, KeyboardInterrupt):
                raise KeyboardInterrupt from exit
            raise
        finally:
            for name, level in levels.items():
                logging.getLogger(name).setLevel(level)
            torch.set_default_dtype(dtype)
            torch.set_grad_enabled(gradients)


@contextmanager
def _python_random_kept() -> Iterator[None]:
    kept, kept_by_numpy = random.getstate(), np.random.get_state()
    try:
        yield
    finally:
        random.setstate(kept)
        np.random.set_state(kept_by_numpy)


@contextmanager
def _signals_kept() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set handlers, so Lightning sets none
        return
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
