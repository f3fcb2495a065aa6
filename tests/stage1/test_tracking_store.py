"""The local tracking store: made whole or not at all, whoever is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

CONNECT = """
import os, signal, sys
def die(event, details):
    if event == "os.rename" and str(details[1]).endswith("mlflow.db"):
        os.kill(os.getpid(), signal.SIGKILL)
if sys.argv[2] == "die":
    sys.addaudithook(die)
from stage1.tracking.connection import Connection
connection = Connection(f"sqlite:///{sys.argv[1]}", "x", print)
print(connection.safely(lambda: connection.client), connection.experiment)
"""


def connect(path: Path, how: str) -> subprocess.CompletedProcess[str]:
    """Open the store in a process of its own."""
    return subprocess.run([sys.executable, "-c", CONNECT, str(path), how], capture_output=True, text=True, check=False)


def test_a_database_killed_in_the_making_does_not_stay(tmp_path: Path) -> None:
    """After a kill -9 while its tables are made there is no database, and the next run makes a sound one."""
    path = tmp_path / "mlflow.db"

    killed = connect(path, "die")

    assert killed.returncode == -signal.SIGKILL
    assert not path.exists()
    assert connect(path, "live").stdout.split() == ["True", "1"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_told_by_its_exit_code(number: int) -> None:
    """128 and the signal's number, also where a library has put a plain KeyboardInterrupt in the place of ours."""
    from stage1.interruption import exit_code, stopping_on_signals

    outside = signal.signal(number, signal.default_int_handler)  # a test run in the background may ignore signals
    try:
        with stopping_on_signals(), pytest.raises(KeyboardInterrupt) as stop:
            os.kill(os.getpid(), number)
    finally:
        signal.signal(number, outside)

    assert exit_code(stop.value) == 128 + number
    assert exit_code(KeyboardInterrupt()) == 128 + number
