"""Names of files that came from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any


def is_plain(name: str) -> bool:
    """Whether it names something directly in a folder."""
    return name not in ("", ".", "..") and "/" not in name and "\0" not in name


def stay_within(files: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether these names lead to files inside the folder they are written to, and their hashes are hashes."""
    names = [PurePosixPath(name) for name in files]
    inside = all(not name.is_absolute() and ".." not in name.parts and str(name) != "." for name in names)
    return inside and all(re.fullmatch(r"[0-9a-f]{64}", str(about["sha256"])) for about in files.values())
