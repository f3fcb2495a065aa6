"""Being asked to stop: Ctrl-C, SIGTERM (a scheduler, a spot instance about to go) and a closed terminal."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType


class Interrupted(KeyboardInterrupt):
    """A signal asked this process to stop; a KeyboardInterrupt, so that libraries let go of what they hold."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextlib.contextmanager
def stopping_on_signals() -> Iterator[None]:
    """Within the block SIGINT, SIGTERM and SIGHUP raise `Interrupted`; a signal that is ignored (nohup) stays so."""
    numbers = [n for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) if signal.getsignal(n) is not signal.SIG_IGN]
    before = {number: signal.signal(number, _stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def exit_code(stop: KeyboardInterrupt) -> int:
    """The shell's convention: 128 and the signal's number."""
    return 128 + (stop.number if isinstance(stop, Interrupted) else _received[-1] if _received else signal.SIGINT)


def what_stopped(stop: KeyboardInterrupt) -> str:
    """`interrupted`, and by which signal if it was not Ctrl-C."""
    code = exit_code(stop) - 128
    return "interrupted" if code == signal.SIGINT else f"interrupted by {signal.Signals(code).name}"


_received: list[int] = []
"""What came, in order: a library may replace our exception by a plain KeyboardInterrupt."""


def _stop(number: int, frame: FrameType | None) -> None:
    _received.append(number)
    raise Interrupted(number)
