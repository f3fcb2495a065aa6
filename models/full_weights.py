"""Checkpoints that hold every weight, put onto the resident base model and taken off again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from models.errors import ModelError
from models.loading import LoadedBase

WEIGHTS_FILE = "model.safetensors"


def save(model: Any, folder: Path) -> None:
    """Writes a folder that `from_pretrained` reads: configuration and weights, tied ones once. Same weights, same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: parameter.detach().cpu().contiguous() for name, parameter in model.named_parameters()}
    save_file(weights, folder / WEIGHTS_FILE, {"format": "pt"})
    model.config.save_pretrained(folder)


def put_on(base: LoadedBase, folder: Path) -> None:
    """Overwrites the base model's weights with those of a checkpoint.

    Raises:
        ModelError: four-bit weights cannot be overwritten, or names or shapes differ; nothing was changed then.
    """
    _check_not_quantised(base)
    weights = read_tensors(folder / WEIGHTS_FILE)
    parameters = dict(base.model.named_parameters())
    check_shapes(folder, weights, {name: parameter.shape for name, parameter in parameters.items()})
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(weights[name])


@contextmanager
def restored_afterwards(base: LoadedBase) -> Iterator[None]:
    """Keeps a copy of all weights; whatever happens inside, the base is bit-identical and frozen afterwards.

    Raises:
        ModelError: four-bit weights cannot be trained or replaced.
    """
    _check_not_quantised(base)
    kept = {name: parameter.detach().to("cpu", copy=True) for name, parameter in base.model.named_parameters()}
    try:
        yield
    finally:
        base.model.zero_grad(set_to_none=True)
        base.model.eval().requires_grad_(False)
        with torch.no_grad():
            for name, parameter in base.model.named_parameters():
                parameter.copy_(kept[name])


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file, on the CPU.

    Raises:
        ModelError: no such file, not safetensors, or a value is NaN or infinite.
    """
    try:
        tensors: dict[str, Tensor] = load_file(path)
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path} is no readable safetensors file ({error}): train that step again") from error
    broken = [name for name, tensor in tensors.items() if not bool(torch.isfinite(tensor).all())]
    if broken:
        raise ModelError(f"{path} holds NaN or infinity in {broken[0]}: train that step again")
    return tensors


def check_shapes(folder: Path, found: dict[str, Tensor], expected: dict[str, torch.Size]) -> None:
    """Compares a checkpoint's tensors with what the model has.

    Raises:
        ModelError: a tensor is missing, unknown, or of another shape; the message names the first.
    """
    for name in sorted(found.keys() | expected.keys()):
        if name not in found or name not in expected:
            raise ModelError(
                f"{folder} {'lacks' if name in expected else 'has an unknown'} {name}: it belongs to another base model"
            )
        if found[name].shape != expected[name]:
            shapes = f"{list(found[name].shape)}, the base model needs {list(expected[name])}"
            raise ModelError(f"{folder}: {name} has shape {shapes}: it belongs to another base model")


def _check_not_quantised(base: LoadedBase) -> None:
    if base.settings.quantization != "none":
        raise ModelError(
            "adapter: null needs all weights, and quantised ones cannot be trained: set an adapter or quantization: none"
        )
