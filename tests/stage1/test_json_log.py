"""`--log-format json`: every line an object, every event of a run among them."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from toy import DIAMOND, ToyWorker, make_plan, run

from stage1.json_log import JsonObserver


def test_every_line_is_an_object_with_time_and_event(tmp_path: Path) -> None:
    """A run with a failure tells its start, its steps, the failure with cause and log, what was blocked, and its end."""
    out = io.StringIO()

    run(tmp_path, make_plan(DIAMOND), ToyWorker(failing=("left",)), JsonObserver(out))

    told = [json.loads(line) for line in out.getvalue().splitlines()]
    assert all(line["time"] and line["event"] for line in told)
    assert told[0]["event"] == "run_started"
    failed = next(line for line in told if line["event"] == "step_failed")
    assert (failed["step"], failed["why"]) == ("left", "left cannot be made: no")
    assert Path(failed["log"]).is_file()
    assert told[-1]["event"] == "run_finished"
    assert told[-1]["blocked"] == ["bottom"]
    assert not told[-1]["ok"]


SPEAKERS = """
import logging, os, subprocess, sys
from stage1.json_log import stderr_as_events
with stderr_as_events() as events:
    events.say("run_started")
    logging.getLogger("a.library").warning("a warning")
    os.write(2, b"from C\\n\\n")
    subprocess.run([sys.executable, "-c", "import sys; print('from a child', file=sys.stderr)"])
    print("half a line", end="", file=sys.stderr)
print("after", file=sys.stderr)
"""


def test_whatever_is_written_to_stderr_is_an_event() -> None:
    """Libraries, C code and child processes cannot break the lines of a run; afterwards stderr is what it was."""
    done = subprocess.run([sys.executable, "-c", SPEAKERS], capture_output=True, text=True, check=True)

    *events, after = done.stderr.splitlines()
    told = [json.loads(line) for line in events]
    assert told[0]["event"] == "run_started"
    assert {line["text"] for line in told[1:]} == {"a warning", "from C", "from a child", "half a line"}
    assert {line["event"] for line in told[1:]} == {"stderr"}
    assert after == "after"


@pytest.mark.parametrize("arguments", [["no.yaml"], ["nano.yaml", "--only", "nobody"], ["nano.yaml", "--set", "nothing=1"]])
def test_a_refusal_is_events_too(specs: Path, arguments: list[str]) -> None:
    """A file that is not there, an unknown arm, a faulty spec: every line of stderr is an object, and one says why."""
    command = [sys.executable, "-m", "stage1", "run", *arguments, "--log-format", "json"]

    done = subprocess.run(command, cwd=specs, capture_output=True, text=True, check=False)

    told = [json.loads(line) for line in done.stderr.splitlines()]
    assert done.returncode in (1, 2)
    assert any("error" in line.get("text", line.get("severity", "")) for line in told)
    assert done.stdout == ""
