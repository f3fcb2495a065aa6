"""What has been recorded of a run, noted beside its plan: of a run in which nothing changed, MLflow need not even hear."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from compiler.addresses import without_secrets
from stage1.store import write_json
from stage1.tracking.place import database


@dataclass(slots=True)
class Recorded:
    """The content of `tracking.json`."""

    experiment: str | None = None
    """The id of the experiment in the tracking store."""
    done: dict[str, Any] = field(default_factory=dict)
    """What was recorded -> the fingerprints of what it was recorded from."""

    @classmethod
    def read(cls, path: Path, uri: str) -> Recorded:
        """What the file says; nothing, where that was recorded elsewhere or the database has gone."""
        try:
            noted = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return cls()
        local = database(uri)
        usable = isinstance(noted, dict) and noted.get("uri") == without_secrets(uri) and isinstance(noted.get("done"), dict)
        if not usable or not (local is None or local.is_file()):
            return cls()
        return cls(noted.get("experiment"), noted["done"])

    def save(self, path: Path, uri: str) -> None:
        """Write the file anew; no secret of the address is in it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, {"uri": without_secrets(uri), "experiment": self.experiment, "done": self.done})
