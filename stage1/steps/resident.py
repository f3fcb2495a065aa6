"""One base model kept in memory for all steps that use it; adapters come and go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch

from models.adapters import attached
from models.contamination import check_base_behaviour, check_contamination
from models.loading import LoadedBase, load_base
from stage1.store import Artifact

_SMALL = 30_000_000  # parameters


class Resident:
    """Loads a base model when it is first needed and keeps it until another one is asked for."""

    def __init__(self) -> None:
        self._settings: Mapping[str, Any] | None = None
        self._loaded: LoadedBase | None = None

    def base(self, model: Mapping[str, Any]) -> LoadedBase:
        """The base model of these settings (`base`, `revision`, `quantization`, `dtype`), without any adapter.

        Raises:
            ModelError: it cannot be loaded, or is no base model: a chat template shows through.
        """
        settings = {name: model[name] for name in ("base", "revision", "quantization", "dtype")}
        if self._loaded is None or settings != self._settings:
            self._loaded = None  # let the old one go before the new one needs its memory
            loaded = load_base(settings)
            _one_thread_if_small(loaded)
            check_contamination(loaded.tokenizer)
            check_base_behaviour(loaded)
            self._loaded, self._settings = loaded, settings  # kept only once it has passed
        return self._loaded

    @contextmanager
    def checkpoint(self, model: Mapping[str, Any], checkpoint: Artifact | None) -> Iterator[LoadedBase]:
        """The base model with a trained arm's checkpoint on it, or as it is when there is none."""
        loaded = self.base(model)
        if checkpoint is None:
            yield loaded
            return
        with attached(loaded, checkpoint.folder / "checkpoint") as carried:
            yield carried


def _one_thread_if_small(loaded: LoadedBase) -> None:
    """Matrices this small are no faster on several threads, and one thread gives the same bits on every number of cores."""
    if loaded.device.type == "cpu" and sum(weight.numel() for weight in loaded.model.parameters()) < _SMALL:
        torch.set_num_threads(1)
