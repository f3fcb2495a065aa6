"""Does a model fit? An estimate from the size of its files, made before anything is loaded."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.errors import ModelError

if TYPE_CHECKING:
    import torch

GPU_SHARE = "STAGE1_GPU_SHARE"
"""The environment variable by which a process is told its share of a GPU."""
_CONTROL_GROUP = Path("/sys/fs/cgroup")
_ITEM_BYTES = {"float32": 4, "float16": 2, "bfloat16": 2, "float64": 8}
_NF4_BYTES = 0.5 + 4 / 64  # four bits a weight and one float32 scale per block of 64
_HEADROOM = 1.1
_CPU_NF4_LIMIT = 1_500_000_000


def parameter_count(stored: int, config: dict[str, Any]) -> int:
    """Parameters of a model whose files hold `stored` bytes of weights."""
    return stored // _ITEM_BYTES.get(_stored_dtype(config), 4)


def bytes_needed(stored: int, config: dict[str, Any], quantization: str, dtype: str) -> int:
    """Bytes of the loaded weights. Quantisation leaves embeddings and output head as they are."""
    if config.get("quantization_config"):
        return stored
    parameters, item = parameter_count(stored, config), _ITEM_BYTES[dtype]
    if quantization == "none":
        return parameters * item
    heads = 1 if config.get("tie_word_embeddings") else 2
    kept = min(parameters, int(config.get("vocab_size", 0)) * int(config.get("hidden_size", 0)) * heads)
    return int((parameters - kept) * _NF4_BYTES + kept * item)


def free_bytes(device: torch.device) -> int:
    """Memory that a model may still take on a device, a container's limits and this process's share included."""
    import torch

    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        allowed = int(total * gpu_share()) - torch.cuda.memory_reserved(device)
        return max(0, min(free, allowed))
    import psutil

    return min(int(psutil.virtual_memory().available), _container_room())


def gpu_share() -> float:
    """The share of a GPU's memory that this process may take: others may sit beside it. 1 where nobody has said."""
    return min(1.0, float(os.environ.get(GPU_SHARE) or 1.0))


def check_fits(base: str, stored: int, config: dict[str, Any], quantization: str, dtype: str, device: torch.device) -> None:
    """Raises before the machine is busy.

    Raises:
        ModelError: the weights need more memory than is free, or nf4 would crawl on a CPU at this size.
    """
    if quantization == "nf4" and device.type == "cpu" and parameter_count(stored, config) > _CPU_NF4_LIMIT:
        raise ModelError(f"{base} in nf4 needs a GPU: run it where there is one, or take a smaller base")
    needed, free = bytes_needed(stored, config, quantization, dtype), free_bytes(device)
    if needed * _HEADROOM > free:
        form = "nf4" if quantization == "nf4" else dtype
        raise ModelError(
            f"{base} needs about {needed * _HEADROOM / 1e9:.1f} GB as {form} and {device} has {free / 1e9:.1f} GB free: "
            f"{'' if quantization == 'nf4' else 'set quantization: nf4 on a GPU, '}take a smaller base or a larger machine"
        )


def _stored_dtype(config: dict[str, Any]) -> str:
    return str(config.get("dtype") or config.get("torch_dtype") or "float32")


def _container_room() -> int:
    try:
        limit, used = (int((_CONTROL_GROUP / name).read_text()) for name in ("memory.max", "memory.current"))
    except (OSError, ValueError):  # no control group, or one without a limit ("max")
        return 2**63
    return limit - max(0, used - _files_not_in_use())


def _files_not_in_use() -> int:
    """Bytes of files that the kernel keeps as long as nobody needs their memory; they count as used."""
    try:
        lines = (_CONTROL_GROUP / "memory.stat").read_text().splitlines()
        return int(dict(line.split(maxsplit=1) for line in lines).get("inactive_file", 0))
    except (OSError, ValueError):
        return 0
