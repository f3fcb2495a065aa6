"""What libraries are told through the environment, before they are loaded, in every process that starts from here."""

from __future__ import annotations

import os
from collections.abc import MutableMapping

_TOLD = {
    "TOKENIZERS_PARALLELISM": "false",
    "OMP_WAIT_POLICY": "PASSIVE",  # idle threads sleep: spinning costs a busy machine dearly
    "PYTORCH_ALLOC_CONF": "expandable_segments:True",  # what one micro-batch leaves fits the next, which is longer
}
_OLDER_NAMES = {"PYTORCH_ALLOC_CONF": "PYTORCH_CUDA_ALLOC_CONF"}


def tell_libraries(environment: MutableMapping[str, str] = os.environ) -> None:
    """Sets what the user has not set."""
    for name, value in _TOLD.items():
        if _OLDER_NAMES.get(name, name) not in environment:
            environment.setdefault(name, value)
