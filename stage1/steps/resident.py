"""One base model kept in memory for all steps that use it; adapters come and go."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import torch

from models.adapters import attached
from models.contamination import check_base_behaviour, check_contamination, sentinel_digests
from models.errors import ModelError
from models.loading import LoadedBase, load_base
from stage1.store import Artifact

_SMALL = 30_000_000  # parameters
_IDENTITY = ("base", "revision", "quantization", "double_quantization", "dtype")


@dataclass(slots=True)
class Isolation:
    """Evidence that an arm answered alone: what the base model computes on the sentinels (SHA-256 of its logits, per sentinel)
    when it was loaded, before the arm's checkpoint came on, and after it was taken off."""

    loaded: dict[str, str]
    before: dict[str, str]
    within: dict[str, str]
    """With the checkpoint on: other logits, unless the arm has none."""
    after: dict[str, str] = field(default_factory=dict)

    @property
    def identical(self) -> bool:
        """Whether the base model is bit for bit the one that was loaded."""
        return self.loaded == self.before == self.after

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for an artifact."""
        return {"sentinels": list(self.loaded), **asdict(self), "identical": self.identical}


class Resident:
    """Loads a base model when it is first needed and keeps it until another one is asked for."""

    def __init__(self) -> None:
        self._settings: Mapping[str, Any] | None = None
        self._loaded: LoadedBase | None = None
        self._digests: dict[str, str] = {}

    def base(self, model: Mapping[str, Any]) -> LoadedBase:
        """The base model of these settings, without any adapter.

        Raises:
            ModelError: it cannot be loaded, or is no base model: a chat template shows through.
        """
        settings = {name: model[name] for name in _IDENTITY if name in model}
        if self._loaded is None or settings != self._settings:
            self._loaded = None  # let the old one go before the new one needs its memory
            loaded = load_base(settings)
            _one_thread_if_small(loaded)
            check_contamination(loaded.tokenizer)
            check_base_behaviour(loaded)
            self._digests = sentinel_digests(loaded)
            self._loaded, self._settings = loaded, settings  # kept only once it has passed
        return self._loaded

    def release(self) -> None:
        """Let the base model go, and its memory."""
        self._loaded = None
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    @contextmanager
    def checkpoint(self, model: Mapping[str, Any], checkpoint: Artifact | None) -> Iterator[LoadedBase]:
        """The base model with a trained arm's checkpoint on it, or as it is when there is none."""
        loaded = self.base(model)
        if checkpoint is None:
            yield loaded
            return
        with attached(loaded, checkpoint.folder / "checkpoint") as carried:
            yield carried

    @contextmanager
    def isolated(self, model: Mapping[str, Any], checkpoint: Artifact | None) -> Iterator[tuple[LoadedBase, Isolation]]:
        """The same with evidence that this checkpoint, and nothing of another, was on the base model; complete afterwards.

        Raises:
            ModelError: the base model is not what it was; it is loaded again for the next step.
        """
        base = self.base(model)
        before = sentinel_digests(base)
        with self.checkpoint(model, checkpoint) as loaded:
            evidence = Isolation(self._digests, before, sentinel_digests(loaded))
            yield loaded, evidence
        evidence.after = sentinel_digests(base)
        if not evidence.identical:
            self._loaded = None
            when = (
                "after this arm's checkpoint was taken off"
                if before == self._digests
                else "before this arm's checkpoint came on"
            )
            raise ModelError(
                f"{base.settings.base} computes other logits {when} than when it was loaded, so arms would not be compared one "
                "at a time: run again (the model is loaded afresh); if it happens again, suspect the device or its memory"
            )


def _one_thread_if_small(loaded: LoadedBase) -> None:
    """Matrices this small are no faster on several threads, and one thread gives the same bits on every number of cores."""
    if loaded.device.type == "cpu" and sum(weight.numel() for weight in loaded.model.parameters()) < _SMALL:
        torch.set_num_threads(1)
