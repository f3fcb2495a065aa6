"""The files that a verb writes where a person says: never over what it reads, and never over a spec."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

_SPECS = frozenset({".yaml", ".yml"})


class Refused(Exception):
    """A file must not be written there; the message is one clear line."""


def check_output(option: str, out: Path | None, inputs: Mapping[str, Path | None], *, may_be_a_spec: bool = False) -> None:
    """Look before any work is done whether `out` may be written; `inputs` maps what each file is to where it is.

    Raises:
        Refused: it is one of the inputs, an existing spec (unless `may_be_a_spec`), a folder, or in a folder that is not there.
    """
    if out is None:
        return
    for what, read in inputs.items():
        if read is not None and _same(out, read):
            raise Refused(f"error: {option} {out} is {what}, which would be lost; name another file")
    if out.is_dir():
        raise Refused(f"error: {option} {out} is a folder; name a file in it")
    if not may_be_a_spec and out.suffix.lower() in _SPECS and out.exists():
        raise Refused(f"error: {option} {out} looks like a spec, which would be lost; name another file, or move that one away")
    if not out.parent.is_dir():
        raise Refused(f"error: {option} {out}: there is no folder {out.parent}; make it first, or name another file")


def _same(out: Path, read: Path) -> bool:
    """Whether both are one file, by whatever names. A terminal may well be both: nothing is lost there."""
    if out.exists() and read.exists():
        return out.is_file() and out.samefile(read)
    return out.resolve() == read.resolve()
