"""Where runs are recorded."""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from pathlib import Path
from urllib.parse import unquote, urlsplit


def tracking_uri(chosen: str | None) -> str:
    """The spec's `tracking.uri` if it has one, else MLFLOW_TRACKING_URI, else `mlflow.db` in this folder."""
    return chosen or os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{Path('mlflow.db').absolute()}"


def database(uri: str) -> Path | None:
    """The file of a local sqlite store; None for any other kind."""
    return Path(uri.removeprefix("sqlite:///")).absolute() if uri.startswith("sqlite:///") else None


def signed_in(uri: str, environment: MutableMapping[str, str]) -> str:
    """A server's address without user and password, which MLflow takes from the environment; a database's as it is."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return uri
    if parts.scheme not in ("http", "https") or parts.username is None:
        return uri
    environment["MLFLOW_TRACKING_USERNAME"] = unquote(parts.username)
    environment["MLFLOW_TRACKING_PASSWORD"] = unquote(parts.password or "")
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
