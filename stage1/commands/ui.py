"""`stage1 ui`: MLflow's pages on this machine, opened at the comparison of the arms."""

from __future__ import annotations

import json
import os
import socket
import sys
from pathlib import Path
from typing import Any

from stage1.secrets import masked
from stage1.tracking.summary_run import ANSWERS, CHARTS, page_of

_LOCAL = "sqlite:///"


def open_ui(store_root: Path, port: int) -> int:
    """Print a link per experiment, then become MLflow's server; 2 if nothing was recorded or the port is taken."""
    states = sorted(store_root.glob("*/tracking.json"), key=lambda path: -path.stat().st_mtime)
    recorded = [(path.parent.name, state) for path in states if (state := _state(path)).get("experiment")]
    if not recorded:
        print(f"error: nothing has been recorded in {store_root}; `stage1 run SPEC` does", file=sys.stderr)
        return 2
    uri = str(recorded[0][1]["uri"])
    local = uri.startswith(_LOCAL)
    base = f"http://127.0.0.1:{port}" if local else masked(uri).rstrip("/")
    for name, state in recorded:
        if state["uri"] == uri:
            print(f"{name}  {page_of(base, state['experiment'], CHARTS)}")
            print(f"{' ' * len(name)}  {page_of(base, state['experiment'], ANSWERS)}", flush=True)
    if not local:
        return 0
    if _taken(port):
        print(f"error: port {port} is taken; choose another with --port", file=sys.stderr)
        return 2
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    command = [sys.executable, "-m", "mlflow", "ui", "--backend-store-uri", uri, "--port", str(port), "--workers", "1"]
    os.execv(sys.executable, command)  # becomes the server: Ctrl-C ends it, no child is left behind
    return 0


def _state(path: Path) -> dict[str, Any]:
    """What a file says; nothing where it is damaged: the next run writes it anew."""
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError):
        return {}


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
