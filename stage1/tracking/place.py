"""Where runs are recorded."""

from __future__ import annotations

import os
from pathlib import Path


def tracking_uri(chosen: str | None) -> str:
    """The spec's `tracking.uri` if it has one, else MLFLOW_TRACKING_URI, else `mlflow.db` in this folder."""
    return chosen or os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{Path('mlflow.db').absolute()}"


def database(uri: str) -> Path | None:
    """The file of a local sqlite store; None for any other kind."""
    return Path(uri.removeprefix("sqlite:///")).absolute() if uri.startswith("sqlite:///") else None
