"""The random state of a process as tensors: torch on the CPU and on its device, Python, numpy."""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor


def seed_of(seed: int, rank: int) -> int:
    """Of a process among several, so that their dropout differs; the first one has the seed itself."""
    return seed if rank == 0 else int.from_bytes(hashlib.sha256(f"{seed}/{rank}".encode()).digest()[:6], "big")


def seed_all(seed: int) -> None:
    """All generators."""
    torch.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed % 2**32)


def random_state(device: torch.device) -> dict[str, Tensor]:
    """A copy of all generators' states."""
    version, internal, gauss = random.getstate()
    of_numpy: Any = np.random.get_state(legacy=True)
    _, keys, position, has_gauss, cached = of_numpy
    states = {
        "torch": torch.get_rng_state(),
        "python": torch.tensor([version, *internal], dtype=torch.int64),
        "python_gauss": torch.tensor(math.nan if gauss is None else gauss, dtype=torch.float64),
        "numpy": torch.tensor([*keys.tolist(), position, has_gauss], dtype=torch.int64),
        "numpy_gauss": torch.tensor(cached, dtype=torch.float64),
    }
    return states | ({"cuda": torch.cuda.get_rng_state(device)} if device.type == "cuda" else {})


def set_random_state(states: Mapping[str, Tensor], device: torch.device) -> None:
    """Puts them back; a state of a GPU says nothing to a CPU, and the other way round."""
    version, *internal = states["python"].tolist()
    gauss = states["python_gauss"].item()
    random.setstate((version, tuple(internal), None if math.isnan(gauss) else gauss))
    *keys, position, has_gauss = states["numpy"].tolist()
    np.random.set_state(("MT19937", np.array(keys, dtype=np.uint32), position, has_gauss, states["numpy_gauss"].item()))
    torch.set_rng_state(states["torch"])
    if device.type == "cuda" and "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"], device)
