"""Files that a plan refers to, read only as they were when it was made."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from stage1.steps.job import Job
from stage1.store.files import sha256


class ChangedFile(Exception):
    """A file that the plan refers to is no longer what was planned with."""


class NotText(Exception):
    """A file that the plan refers to is in another encoding."""


def planned_text(job: Job, path: str, digest: str) -> str:
    """The text of a file, a byte-order mark removed; raises what `text_as_planned` does."""
    return text_as_planned(job.read_text, path, digest)


def text_as_planned(read_text: Callable[[str], str], path: str, digest: str) -> str:
    """The text of a file, a byte-order mark removed.

    Args:
        read_text: reads it.
        path: as the spec has it.
        digest: SHA-256 (hex) of the bytes that were planned with.

    Raises:
        ChangedFile: its content is another now.
        NotText: it is not in UTF-8.
    """
    try:
        text = read_text(path)
    except UnicodeDecodeError as error:
        raise NotText(f"{path} is not UTF-8 text ({error.reason} at byte {error.start}); save it in UTF-8") from None
    if sha256(Path(path)) != digest:  # of its bytes, and after reading: what changed before is seen
        raise ChangedFile(f"{path} has changed since the plan was made; plan again")
    return text
