"""Puts the lean layers in place of those of transformers and peft, and takes them off again.

Only what is known to compute the same is replaced: LoRA on linear layers without dropout, the gated block with silu, and norms
of the usual form. Anything else stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from compiler.estimates.micro_batches import Recompute
from models.lean.linear import ADAPTER, AdaptedLinear, Frozen, Lora
from models.lean.mlp import AdaptedMlp, Projections

_PARTS = ("gate_proj", "up_proj", "down_proj")


@contextmanager
def lean(model: torch.nn.Module, recompute: Recompute = "none") -> Iterator[None]:
    """The model with lean layers inside the block. Its adapters are already on it; its base weights are frozen."""
    forwards = dict(_forwards(model, again=recompute == "selective"))
    if recompute == "full":
        forwards.update(_recomputed_layers(model))
    for module, forward in forwards.items():
        module.forward = forward
    try:
        yield
    finally:
        for module in forwards:
            del module.forward


def _forwards(model: torch.nn.Module, *, again: bool) -> Iterator[tuple[torch.nn.Module, Callable[..., Tensor]]]:
    for module in model.modules():
        if _is_gated(module):
            yield module, _mlp_forward(module, again)
        elif _is_adapted(module):
            yield module, _linear_forward(module)
        elif _is_norm(module):
            yield module, _norm_forward(module)


def _linear_forward(module: Any) -> Callable[[Tensor], Tensor]:
    frozen = _frozen(module)

    def forward(x: Tensor) -> Tensor:
        # The adapter is asked for each time: of sharded weights this is the moment when they are whole.
        y: Tensor = AdaptedLinear.apply(x, frozen, *_adapter(module))
        return y

    return forward


def _mlp_forward(module: Any, again: bool) -> Callable[[Tensor], Tensor]:
    gate, up, down = parts = [getattr(module, name) for name in _PARTS]
    layers = Projections(_frozen(gate), _frozen(up), _frozen(down), tuple(_adapter(part).scale for part in parts))

    def forward(x: Tensor) -> Tensor:
        matrices = [matrix for part in parts for matrix in _adapter(part)[:2]]
        y: Tensor = AdaptedMlp.apply(x, layers, again, *matrices)
        return y

    return forward


def _norm_forward(module: Any) -> Callable[[Tensor], Tensor]:
    shape, epsilon = module.weight.shape, module.variance_epsilon

    def forward(x: Tensor) -> Tensor:
        return functional.rms_norm(x, shape, module.weight.to(x.dtype), epsilon)

    return forward


def _frozen(module: Any) -> Frozen:
    return Frozen(module.base_layer if _is_lora(module) else module)


def _adapter(module: Any) -> Lora:
    if not _is_lora(module):
        return Lora(None, None, 0.0)
    return Lora(module.lora_A[ADAPTER].weight, module.lora_B[ADAPTER].weight, float(module.scaling[ADAPTER]))


def _is_lora(module: Any) -> bool:
    return hasattr(module, "lora_A") and hasattr(module, "base_layer")


def _is_adapted(module: Any) -> bool:
    return _is_lora(module) and not _drops(module)


def _is_gated(module: Any) -> bool:
    parts = [getattr(module, name, None) for name in _PARTS]
    if any(part is None for part in parts) or not isinstance(getattr(module, "act_fn", None), _silu_types()):
        return False
    frozen = not any(weight.requires_grad for part in parts for weight in _frozen(part).layer.parameters())
    return frozen and any(map(_is_lora, parts)) and not any(map(_drops, parts))


def _is_norm(module: Any) -> bool:
    return type(module).__name__.endswith("RMSNorm") and hasattr(module, "variance_epsilon") and not module.weight.requires_grad


def _drops(module: Any) -> bool:
    return _is_lora(module) and not isinstance(module.lora_dropout[ADAPTER], torch.nn.Identity)


def _silu_types() -> tuple[type, ...]:
    from transformers.activations import ACT2FN

    return torch.nn.SiLU, type(ACT2FN["silu"])


def _recomputed_layers(model: torch.nn.Module) -> Iterator[tuple[torch.nn.Module, Callable[..., Any]]]:
    from transformers.modeling_layers import GradientCheckpointingLayer

    for module in model.modules():
        if isinstance(module, GradientCheckpointingLayer):
            yield module, partial(checkpoint, module.forward, use_reentrant=False)
