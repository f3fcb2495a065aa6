"""LoRA adapters (Hu et al. 2021, arXiv 2106.09685) through peft, on one resident base model that stays bit-identical.

A checkpoint is an adapter folder (`adapter_config.json`, `adapter_model.safetensors`) or, where an experiment trains all
weights, a folder of full weights. Its files are not trusted: JSON and safetensors are read, and only known fields of them.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors.torch import save_file

from models import full_weights
from models.errors import ModelError
from models.loading import LoadedBase

CONFIG_FILE, ADAPTER_FILE = "adapter_config.json", "adapter_model.safetensors"


class AdapterSettings(BaseModel):
    """Size and place of an adapter; its update is scaled by alpha / rank."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rank: Annotated[int, Field(ge=1, le=65_536)] = 16
    alpha: float = 32
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    targets: Literal["all-linear"] | tuple[str, ...] = "all-linear"


class _StoredConfig(BaseModel):
    """What is read of `adapter_config.json`. Fields that would change the computation must have the one value we support."""

    peft_type: Literal["LORA"]
    r: Annotated[int, Field(ge=1, le=65_536)]
    lora_alpha: float
    target_modules: tuple[str, ...]
    bias: Literal["none"] = "none"
    use_dora: Literal[False] = False
    use_rslora: Literal[False] = False
    modules_to_save: None = None
    rank_pattern: Annotated[dict[str, int], Field(max_length=0)] = {}
    alpha_pattern: Annotated[dict[str, float], Field(max_length=0)] = {}
    layers_to_transform: None = None
    layer_replication: None = None


@dataclass(frozen=True)
class Trainable:
    """A base model ready to be trained: on its adapter, or as a whole."""

    base: LoadedBase
    adapter: Any | None
    """The peft model around the base model; None where all weights train."""

    def save(self, folder: Path) -> None:
        """Writes what was trained. Same weights, same bytes."""
        if self.adapter is None:
            full_weights.save(self.base.model, folder)
        else:
            save(self.adapter, self.base, folder)


@contextmanager
def attached(base: LoadedBase, folder: Path) -> Iterator[LoadedBase]:
    """The base model with a checkpoint on it, frozen; afterwards it is bit-identical to before.

    Raises:
        ModelError: the checkpoint is unreadable or belongs to another base model.
    """
    if _is_full(folder):
        with full_weights.restored_afterwards(base):
            full_weights.put_on(base, folder)
            yield base
    else:
        adapter = load(base, folder, trainable=False)
        try:
            yield base
        finally:
            remove(adapter)


@contextmanager
def trainable(
    base: LoadedBase, settings: Mapping[str, Any] | AdapterSettings | None, checkpoint: Path | None, seed: int
) -> Iterator[Trainable]:
    """The base model made trainable, from a checkpoint or afresh; afterwards it is bit-identical to before, and frozen.

    With settings, an adapter is trained: a copy of the checkpoint's, or a new one that computes nothing yet (B = 0).
    Without settings, all weights are.

    Raises:
        ModelError: checkpoint and settings do not go together.
    """
    if checkpoint is not None and _is_full(checkpoint) != (settings is None):
        kind = "full weights" if _is_full(checkpoint) else "an adapter"
        raise ModelError(
            f"the parent's checkpoint {checkpoint} is {kind}: set the same model.adapter for an arm and its parent"
        )
    if settings is None:
        with full_weights.restored_afterwards(base):
            if checkpoint is not None:
                full_weights.put_on(base, checkpoint)
            base.model.train().requires_grad_(True)
            yield Trainable(base, None)
        return
    wanted = settings if isinstance(settings, AdapterSettings) else AdapterSettings.model_validate(dict(settings))
    if checkpoint is None:
        adapter = fresh(base, wanted, seed)
    else:
        _check_continues(base, checkpoint, wanted)
        adapter = load(base, checkpoint, trainable=True, dropout=wanted.dropout)
    base.model.train()
    try:
        yield Trainable(base, adapter)
    finally:
        remove(adapter)


def fresh(base: LoadedBase, settings: AdapterSettings, seed: int) -> Any:
    """Puts a new adapter on the base model: A drawn from the seed alone, B = 0, so that nothing changes yet.

    Returns:
        The peft model around the base model, whose own layers now carry the adapter.

    Raises:
        ModelError: a target is not a linear layer of this model.
    """
    targets = _resolve_targets(base, settings.targets)
    devices = [base.device] if base.device.type == "cuda" else []
    with torch.random.fork_rng(devices):
        torch.manual_seed(seed)
        return _inject(base, settings.rank, settings.alpha, settings.dropout, targets, trainable=True)


def load(base: LoadedBase, folder: Path, *, trainable: bool, dropout: float = 0.0) -> Any:
    """Puts a stored adapter on the base model, weights exactly as stored.

    Raises:
        ModelError: not an adapter folder, an unsupported kind of adapter, or it belongs to another base model.
    """
    from peft import get_peft_model_state_dict, set_peft_model_state_dict

    stored = _read_config(folder)
    tensors = full_weights.read_tensors(folder / ADAPTER_FILE)
    targets = _resolve_targets(base, stored.target_modules)
    if any(name.endswith("lora_A.weight") and tensor.shape[0] != stored.r for name, tensor in tensors.items()):
        raise ModelError(f"{folder}: weights and {CONFIG_FILE} disagree about the rank: train that step again")
    adapter = _inject(base, stored.r, stored.lora_alpha, dropout, targets, trainable=trainable)
    try:
        expected = get_peft_model_state_dict(adapter, save_embedding_layers=False)
        full_weights.check_shapes(folder, tensors, {name: tensor.shape for name, tensor in expected.items()})
    except ModelError:
        remove(adapter)
        raise
    set_peft_model_state_dict(adapter, tensors)
    return adapter


def save(adapter: Any, base: LoadedBase, folder: Path) -> None:
    """Writes an adapter folder that peft reads, without base weights. Same weights, same bytes."""
    from peft import get_peft_model_state_dict

    folder.mkdir(parents=True, exist_ok=True)
    state = get_peft_model_state_dict(adapter, save_embedding_layers=False)
    save_file(
        {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}, folder / ADAPTER_FILE, {"format": "pt"}
    )
    config = adapter.peft_config["default"]
    stored = {
        "base_model_name_or_path": base.settings.base,
        "bias": "none",
        "inference_mode": True,
        "lora_alpha": config.lora_alpha,
        "lora_dropout": config.lora_dropout,
        "peft_type": "LORA",
        "r": config.r,
        "revision": base.settings.revision,
        "target_modules": sorted(config.target_modules),
        "task_type": "CAUSAL_LM",
    }
    (folder / CONFIG_FILE).write_text(json.dumps(stored, indent=2) + "\n", encoding="utf-8")


def remove(adapter: Any) -> None:
    """Takes an adapter off; the base model's own layers are back, frozen and in evaluation mode."""
    adapter.unload().eval().requires_grad_(False)


def _is_full(folder: Path) -> bool:
    return (folder / full_weights.WEIGHTS_FILE).is_file()


def _inject(base: LoadedBase, rank: int, alpha: float, dropout: float, targets: list[str], *, trainable: bool) -> Any:
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        task_type="CAUSAL_LM", r=rank, lora_alpha=alpha, lora_dropout=dropout, target_modules=targets, bias="none"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # peft asks transformers for a renamed property
        adapter = get_peft_model(base.model, config)
    if not trainable:
        adapter.eval().requires_grad_(False)
    return adapter


def _resolve_targets(base: LoadedBase, targets: str | tuple[str, ...]) -> list[str]:
    """Last names of the linear layers meant; the output head is not among `all-linear`."""
    head = base.model.get_output_embeddings()
    linear = {
        name.rpartition(".")[2]
        for name, module in base.model.named_modules()
        if isinstance(module, torch.nn.Linear) and module is not head
    }
    if targets == "all-linear":
        return sorted(linear)
    unknown = sorted(set(targets) - linear)
    if unknown or not targets:
        raise ModelError(
            f"no linear layer {', '.join(unknown) or '(none named)'} to adapt: choose among {', '.join(sorted(linear))}"
        )
    return sorted(targets)


def _read_config(folder: Path) -> _StoredConfig:
    path = folder / CONFIG_FILE
    try:
        return _StoredConfig.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ModelError(f"{folder} is not a checkpoint (no {CONFIG_FILE}, no {full_weights.WEIGHTS_FILE})") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ModelError(
            f"{path} is not a plain LoRA adapter ({where or 'file'}: {first['msg']}): train that step again"
        ) from error


def _check_continues(base: LoadedBase, checkpoint: Path, wanted: AdapterSettings) -> None:
    stored = _read_config(checkpoint)
    has = (stored.r, stored.lora_alpha, sorted(stored.target_modules))
    asked = (wanted.rank, wanted.alpha, _resolve_targets(base, wanted.targets))
    for name, old, new in zip(("rank", "alpha", "targets"), has, asked, strict=True):
        if old != new:
            raise ModelError(
                f"the parent's adapter has {name} {old}, the settings ask for {new}: an arm goes on with its parent's adapter"
            )
