"""Puts the lean layers in place of those of transformers and peft, and takes them off again.

Only what is known to compute the same is replaced: LoRA on linear layers without dropout, the gated block with silu, the
attention of Llama and its like, and norms of the usual form; frozen, with adapters or without, so that a reference and a policy
are computed alike. Anything else stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, partial
from typing import Any
from weakref import WeakSet

import torch
from torch import Tensor
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from compiler.estimates.micro_batches import Recompute
from models.lean.last_layer import picking
from models.lean.linear import ADAPTER, AdaptedLinears, Frozen, Layers, Norm
from models.lean.mlp import AdaptedMlp
from models.lean.self_attention import self_attention

_GATED = ("gate_proj", "up_proj", "down_proj")
_READING = ("q_proj", "k_proj", "v_proj")
_ATTENTIONS = ("LlamaAttention", "MistralAttention", "Qwen2Attention")
"""Rotary positions over whole heads, and nothing between projections and attention."""
_DECODER_LAYERS = ("LlamaDecoderLayer", "MistralDecoderLayer", "Qwen2DecoderLayer")
"""x + attention(norm(x)), then x + mlp(norm(x)); the norms are read by these two only."""
_PICKING: WeakSet[torch.nn.Module] = WeakSet()
"""Models whose last layer is told the positions that are asked for, at the moment."""


@contextmanager
def lean(model: torch.nn.Module, recompute: Recompute = "none", *, decoding: bool = False) -> Iterator[None]:
    """The model with lean layers inside the block. Its adapters are already on it; its base weights are frozen.

    `decoding`: for passes with a key-value cache and without gradients, during which adapters stay as they are.
    """
    forwards = dict(_forwards(model, again=recompute == "selective", decoding=decoding))
    last = None if decoding else _last_layer(model)
    if last is not None:
        forwards[last] = picking(last)
    if recompute == "full":
        forwards.update(_recomputed_layers(model, forwards))
    for module, forward in forwards.items():
        module.forward = forward
    if last is not None:
        _PICKING.add(model)
    try:
        yield
    finally:
        for module in forwards:
            del module.forward
        _PICKING.discard(model)


def picks_positions(model: torch.nn.Module) -> bool:
    """Whether the model is to be told at which N `positions` its last states are asked for, and gives these: [1, N, hidden]."""
    return model in _PICKING


def _forwards(model: torch.nn.Module, *, again: bool, decoding: bool) -> Iterator[tuple[torch.nn.Module, Callable[..., Any]]]:
    norms = {} if decoding else dict(_norms_before(model))
    for module in model.modules():
        norm = _norm(norms[module]) if module in norms else None
        if _is_gated(module):
            yield module, _mlp_forward(module, norm, again, decoding)
        elif _is_attention(module) and not decoding:  # of a cache it knows nothing
            project = _projection(_parts(module, _READING), norm, decoding)
            yield module, self_attention(module, project, _attention_function(module))
        elif _is_adapted(module):
            yield module, _projection([module], None, decoding)
        elif _is_norm(module):
            yield module, _same if module in norms.values() else _norm(module)


def _norms_before(model: torch.nn.Module) -> Iterator[tuple[torch.nn.Module, torch.nn.Module]]:
    """(block, norm): blocks that can take the norm of their input upon themselves, so that what it gives need not be kept."""
    for layer in model.modules():
        if _is_decoder_layer(layer):
            parts: Any = layer
            for block, norm in ((parts.self_attn, parts.input_layernorm), (parts.mlp, parts.post_attention_layernorm)):
                if (_is_attention(block) or _is_gated(block)) and _is_norm(norm):
                    yield block, norm


def _projection(parts: Sequence[Any], norm: Norm | None, decoding: bool) -> Callable[[Tensor], Tensor]:
    layers, matrices = _layers([parts], norm), _asked_for(parts, decoding)

    def forward(x: Tensor) -> Tensor:
        outputs: Tensor = AdaptedLinears.apply(x, layers, *matrices(x.dtype))
        return outputs

    return forward


def _mlp_forward(module: Any, norm: Norm | None, again: bool, decoding: bool) -> Callable[[Tensor], Tensor]:
    parts = _parts(module, _GATED)
    layers, matrices = _layers([[part] for part in parts], norm), _asked_for(parts, decoding)

    def forward(x: Tensor) -> Tensor:
        y: Tensor = AdaptedMlp.apply(x, layers, again, *matrices(x.dtype))
        return y

    return forward


def _asked_for(parts: Sequence[Any], decoding: bool) -> Callable[[torch.dtype], Sequence[Tensor | None]]:
    """The adapters' matrices: each time anew, since that is the moment when sharded ones are whole; in decoding, cast once."""
    owners = [owner for part in parts for owner in _adapter(part)]

    def matrices(_: torch.dtype) -> list[Tensor | None]:
        return [None if owner is None else owner.weight for owner in owners]

    @cache
    def cast(dtype: torch.dtype) -> list[Tensor | None]:
        return [None if matrix is None else matrix.detach().to(dtype) for matrix in matrices(dtype)]

    return cast if decoding else matrices


def _norm(module: Any) -> Norm:
    shape, epsilon = module.weight.shape, module.variance_epsilon
    return lambda x: functional.rms_norm(x, shape, module.weight.to(x.dtype), epsilon)


def _same(x: Tensor) -> Tensor:
    return x


def _layers(groups: Sequence[Sequence[Any]], norm: Norm | None) -> Layers:
    frozen = tuple(Frozen([_base_layer(part) for part in parts]) for parts in groups)
    return Layers(frozen, tuple(_scale(part) for parts in groups for part in parts), norm)


def _parts(module: Any, names: Sequence[str]) -> list[Any]:
    return [part for name in names if (part := getattr(module, name, None)) is not None]


def _base_layer(module: Any) -> Any:
    return module.base_layer if _is_lora(module) else module


def _adapter(module: Any) -> tuple[Any, Any]:
    """The layers that hold A and B, or None."""
    return (module.lora_A[ADAPTER], module.lora_B[ADAPTER]) if _is_lora(module) else (None, None)


def _scale(module: Any) -> float:
    return float(module.scaling[ADAPTER]) if _is_lora(module) else 0.0


def _is_lora(module: Any) -> bool:
    return hasattr(module, "lora_A") and hasattr(module, "base_layer")


def _is_adapted(module: Any) -> bool:
    return _is_lora(module) and not _drops(module)


def _is_gated(module: Any) -> bool:
    return isinstance(getattr(module, "act_fn", None), _silu_types()) and _are_replaceable(module, _GATED)


def _is_attention(module: Any) -> bool:
    return (
        type(module).__name__ in _ATTENTIONS
        and _attention_function(module) is not None
        and not module.attention_dropout
        and _are_replaceable(module, _READING)
    )


def _attention_function(module: Any) -> Any:
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    return ALL_ATTENTION_FUNCTIONS.get(module.config._attn_implementation)


def _are_replaceable(module: Any, names: Sequence[str]) -> bool:
    """All parts are there, frozen but for their adapters, and drop nothing."""
    parts = _parts(module, names)
    frozen = not any(weight.requires_grad for part in parts for weight in _base_layer(part).parameters())
    return len(parts) == len(names) and frozen and not any(map(_drops, parts))


def _is_decoder_layer(module: torch.nn.Module) -> bool:
    return type(module).__name__.removeprefix("FSDP") in _DECODER_LAYERS  # so it is called where its weights are sharded


def _is_norm(module: Any) -> bool:
    return type(module).__name__.endswith("RMSNorm") and hasattr(module, "variance_epsilon") and not module.weight.requires_grad


def _drops(module: Any) -> bool:
    return _is_lora(module) and not isinstance(module.lora_dropout[ADAPTER], torch.nn.Identity)


def _silu_types() -> tuple[type, ...]:
    from transformers.activations import ACT2FN

    return torch.nn.SiLU, type(ACT2FN["silu"])


def _last_layer(model: Any) -> torch.nn.Module | None:
    """Of the decoder, where it is of the known kind."""
    layers: Any = getattr(model.base_model, "layers", None)
    return layers[-1] if layers and _is_decoder_layer(layers[-1]) else None


def _recomputed_layers(
    model: torch.nn.Module, forwards: Mapping[torch.nn.Module, Callable[..., Any]]
) -> Iterator[tuple[torch.nn.Module, Callable[..., Any]]]:
    from transformers.modeling_layers import GradientCheckpointingLayer

    for module in model.modules():
        if isinstance(module, GradientCheckpointingLayer):
            yield module, partial(checkpoint, forwards.get(module, module.forward), use_reentrant=False)
