"""Keeps libraries from writing to the terminal while they work for us."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

# At its import on some CPUs bitsandbytes asks for a package with a kernel that is not used here: `nf4.compute_as_everywhere`.
logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """No progress bars and nothing below an error from transformers; its settings are as before afterwards."""
    from transformers.utils import logging as of_transformers

    bars, verbosity = of_transformers.is_progress_bar_enabled(), of_transformers.get_verbosity()
    of_transformers.disable_progress_bar()
    of_transformers.set_verbosity_error()
    try:
        yield
    finally:
        of_transformers.set_verbosity(verbosity)
        if bars:
            of_transformers.enable_progress_bar()
