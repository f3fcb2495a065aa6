"""The connection to a tracking store, which may be lost and come back; nothing waits for it, nothing depends on it."""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from stage1.failures import chain
from stage1.secrets import masked
from stage1.store import DamagedArtifact
from stage1.tracking.place import database

_FIRST_PAUSE, _LONGEST_PAUSE = 10.0, 300.0  # seconds between attempts to reach a lost store
_SETTINGS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",  # by default training would wait for minutes
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # at its end a run tells the one address of the comparison
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",  # a few small files, between the lines of a run
    "MLFLOW_DISABLE_TELEMETRY": "true",  # nothing about an experiment leaves for anywhere but its store
}  # fmt: skip
"""Of MLflow, unless the environment has others."""


class Connection:
    """A client of one experiment in one tracking store, made when first needed."""

    def __init__(self, uri: str, experiment_name: str, warn: Callable[[str], None]) -> None:
        self.uri = uri
        self.experiment: str | None = None
        self._name = experiment_name
        self._warn = warn
        self._client: Any = None
        self._lost_at: float | None = None
        self._pause = _FIRST_PAUSE

    @property
    def client(self) -> Any:
        """The MlflowClient, the experiment created.

        Raises:
            Exception: whatever MLflow raises when the store cannot be used.
        """
        if self._client is None:
            self._client = self._connect()
        return self._client

    def safely(self, record: Callable[[], None], *, now: bool = False) -> bool:
        """Whether it was recorded. A lost store is tried again after a pause that grows; with `now`, at once.

        A damaged artifact is not the tracking store's fault: it is left to be found and made again.
        """
        if not now and self._lost_at is not None and time.monotonic() - self._lost_at < self._pause:
            return False
        try:
            record()
        except DamagedArtifact:
            return False
        except Exception as error:  # whatever a tracking store can throw
            self._lose(error)
            return False
        if self._lost_at is not None:
            self._lost_at, self._pause = None, _FIRST_PAUSE
            self._warn("tracking: back; what it missed is being added")
        return True

    def _lose(self, error: Exception) -> None:
        if self._lost_at is None:
            self._warn(masked(f"tracking: {self.uri} cannot be used ({_why(error)}); going on without it, trying again later"))
        else:
            self._pause = min(2 * self._pause, _LONGEST_PAUSE)
        self._lost_at, self._client = time.monotonic(), None

    def prepare(self) -> None:
        """Import what recording will need; nothing is opened yet."""
        for name, value in _SETTINGS.items():
            os.environ.setdefault(name, value)
        import mlflow.models
        import mlflow.system_metrics.system_metrics_monitor
        import mlflow.tracking

        if database(self.uri) is not None:
            import mlflow.store.tracking.sqlalchemy_store  # noqa: F401

    def _connect(self) -> Any:
        self.prepare()
        from mlflow import MlflowClient

        for chatty in ("mlflow", "alembic", "urllib3.connectionpool"):  # importing mlflow sets its own levels
            logging.getLogger(chatty).setLevel(logging.ERROR)
        with self._alone():
            _create_whole(database(self.uri))
            client = MlflowClient(tracking_uri=self.uri)
            self.experiment = self._experiment(client)
        return client

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Two processes that create the same sqlite database at once would both fail."""
        path = database(self.uri)
        if path is None:
            yield
            return
        from filelock import FileLock

        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{path}.lock", timeout=60):
            yield
            connection = sqlite3.connect(path)
            with contextlib.closing(connection):
                connection.execute("PRAGMA journal_mode=WAL")

    def _experiment(self, client: Any) -> str:
        found = client.get_experiment_by_name(self._name)
        if found and found.lifecycle_stage == "deleted":
            client.restore_experiment(found.experiment_id)
        if found:
            return str(found.experiment_id)
        path = database(self.uri)
        location = (path.parent / "mlruns" / self._name).as_uri() if path else None
        return str(client.create_experiment(self._name, artifact_location=location))


def _why(error: Exception) -> str:
    """What the system said, where it was the system; libraries wrap that in much that is not about it."""
    told = [link.strerror for link in chain(error) if isinstance(link, OSError) and link.strerror]
    return told[-1] if told else (str(error).splitlines() or [type(error).__name__])[0][:200]


def _create_whole(path: Path | None) -> None:
    """A new sqlite database is made beside and renamed: killed while it makes its tables, MLflow could never open it again."""
    if path is None or path.exists():
        return
    from mlflow import MlflowClient

    beside = path.with_name(f".{path.name}.new")
    for left_over in path.parent.glob(f"{beside.name}*"):
        left_over.unlink()
    MlflowClient(tracking_uri=f"sqlite:///{beside}").search_experiments(max_results=1)
    beside.rename(path)
