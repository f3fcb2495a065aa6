"""All diagnostic codes, explained. A code is never given a second meaning; its wording may improve.

S0 reading, S1 shape, S2 arms and names, S3 files, S4 `--set`, M method.
"""

from __future__ import annotations

from collections.abc import Mapping

from compiler.codes import arms, files, method, reading, shape
from compiler.codes.entry import Code
from compiler.diagnostics import did_you_mean

CATALOGUE: Mapping[str, Code] = {code.code: code for family in (reading, shape, arms, files, method) for code in family.CODES}


def explain(code: str) -> str | None:
    """What a code means, in which spec it appears and how it goes away; None for a code that does not exist."""
    entry = CATALOGUE.get(code.strip().upper())
    return entry.explained() if entry is not None else None


def nearest(code: str) -> str | None:
    """The existing code that was probably meant."""
    return did_you_mean(code.strip().upper(), CATALOGUE)
