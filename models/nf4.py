"""NF4 weights (Dettmers et al. 2023, arXiv 2305.14314) laid out in bfloat16, once instead of at every use.

bitsandbytes turns four-bit weights into bfloat16 before it multiplies, each time: at decoding speed that is most of the work.
Here the very tensor that it would multiply with is made once and kept. The model stays the NF4 model, its weights are those of
its sixteen values per block; only the matrix product itself may add up in another order, as any two kernels do.

`resident_bf16` keeps the four-bit weights beside (half a byte a weight on top of two) and gives them back; `to_bf16` lets them
go, layer by layer, so that both are in memory for one layer at most. Adapters, embeddings and the head are not touched.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional

from models.memory import free_bytes, gpu_share
from models.triton_support import runs_triton

if TYPE_CHECKING:
    from models.loading import LoadedBase

_KEPT_FREE = 0.2  # of the device: caches, activations and adapters of the steps to come


class DenseLinear(torch.nn.Linear):
    """A four-bit layer with its weights laid out; inputs and outputs are rounded where the four-bit layer rounds them."""

    def __init__(self, quantised: Any) -> None:
        weight, bias = dense_weight(quantised), quantised.bias
        super().__init__(weight.shape[1], weight.shape[0], bias=bias is not None, device="meta")
        self.weight = torch.nn.Parameter(weight, requires_grad=False)
        if bias is not None:
            self.bias = torch.nn.Parameter(bias.detach().to(weight.dtype), requires_grad=False)
        self.compute_dtype = weight.dtype  # so that peft draws a new adapter in the same numbers as on the four-bit layer
        self.train(quantised.training)

    def forward(self, input: Tensor) -> Tensor:
        """[..., in] to [..., out], in the dtype given."""
        return functional.linear(input.to(self.weight.dtype), self.weight, self.bias).to(input.dtype)


def is_four_bit(layer: Any) -> bool:
    """Whether it is bitsandbytes' `Linear4bit` with weights."""
    return getattr(layer.weight, "quant_state", None) is not None


class FourBit:
    """The weights of a `Linear4bit`, laid out as often as they are asked for: what can be found out once, is."""

    def __init__(self, layer: Any) -> None:
        self._layer = layer
        self._state = copy.copy(layer.weight.quant_state)
        self._state.dtype = layer.compute_dtype or torch.bfloat16  # rounded once, from the product of value and scale
        self._write_out = _writer(self._state, layer.weight.device)

    def dense(self) -> Tensor:
        """What bitsandbytes multiplies with when it uses the layer: [out, in], in its compute dtype (bfloat16); a copy."""
        return self._write_out(self._layer.weight.data, self._state)


def _writer(state: Any, device: torch.device) -> Callable[[Tensor, Any], Tensor]:
    """The fastest that there is here of what writes the same bits."""
    if state.quant_type == "nf4" and runs_triton(device):
        from models.nf4_kernel import write_out

        return write_out
    from bitsandbytes.functional import dequantize_4bit

    lay_out: Callable[[Tensor, Any], Tensor] = dequantize_4bit
    return lay_out


def compute_as_everywhere(model: torch.nn.Module) -> None:
    """On some CPUs bitsandbytes packs the weights anew at first use, for a kernel that rounds otherwise and knows no gradients.

    Not here: what a model answers should not hang on the processor's name.
    """
    for _, _, layer in four_bit_layers(model):
        layer.support_avx512bf16_for_cpu = False


def dense_weight(quantised: Any) -> Tensor:
    """Those of a `Linear4bit`, as `FourBit.dense`."""
    return FourBit(quantised).dense()


def four_bit_layers(model: torch.nn.Module) -> list[tuple[torch.nn.Module, str, Any]]:
    """(parent, name, layer) of every bitsandbytes `Linear4bit`, below adapters too."""
    return [
        (parent, name, child)
        for parent in model.modules()
        for name, child in parent.named_children()
        if type(child).__name__ == "Linear4bit" and hasattr(child, "quant_state")
    ]


def bf16_bytes(model: torch.nn.Module) -> int:
    """Bytes that the four-bit weights take when laid out."""
    return 2 * sum(layer.in_features * layer.out_features for _, _, layer in four_bit_layers(model))


def has_room_for_bf16(base: LoadedBase, reserve: int | None = None) -> bool:
    """Whether the weights fit laid out beside the four-bit ones, with `reserve` bytes to spare (a fifth of what there is)."""
    needed = bf16_bytes(base.model)
    if base.device.type == "cuda":
        torch.cuda.empty_cache()  # what the allocator keeps for itself is free, too
    spare = int(_KEPT_FREE * _total_bytes(base.device)) if reserve is None else reserve
    return needed > 0 and needed + spare <= free_bytes(base.device)


@contextmanager
def bf16_where_room(base: LoadedBase) -> Iterator[bool]:
    """`resident_bf16` where there is room for it, else nothing; says which."""
    room = has_room_for_bf16(base)
    with resident_bf16(base.model) if room else nullcontext():
        yield room


@contextmanager
def resident_bf16(model: torch.nn.Module) -> Iterator[None]:
    """Within, four-bit weights are laid out; afterwards the very same four-bit layers are back. Nothing to do without any.

    Adapters may be on before, come or go within, or stay.
    """
    quantised: dict[torch.nn.Module, Any] = {}
    try:
        for parent, name, layer in four_bit_layers(model):
            dense = DenseLinear(layer)
            quantised[dense] = layer
            setattr(parent, name, dense)
        yield
    finally:
        for parent in list(model.modules()):
            for name, child in list(parent.named_children()):
                if child in quantised:
                    setattr(parent, name, quantised[child])
        laid_out = bool(quantised)
        quantised.clear()
        if laid_out and torch.cuda.is_available():
            torch.cuda.empty_cache()  # blocks of this size would only fragment what comes next


def to_bf16(model: torch.nn.Module) -> None:
    """Lays four-bit weights out for good and lets the four-bit ones go, layer by layer."""
    layers = four_bit_layers(model)
    while layers:
        parent, name, layer = layers.pop()
        setattr(parent, name, DenseLinear(layer))
        del layer


def _total_bytes(device: torch.device) -> int:
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory * gpu_share())
    import psutil

    return int(psutil.virtual_memory().total)
