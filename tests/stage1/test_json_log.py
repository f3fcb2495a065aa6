"""`--log-format json`: every line an object, every event of a run among them."""

from __future__ import annotations

import io
import json
from pathlib import Path

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
