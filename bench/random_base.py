"""Base models with random weights in the shapes of Qwen2.5, for measurements where no weights can be fetched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from models.attention import register
from models.loading import LoadedBase, ModelSettings
from models.nf4 import compute_as_everywhere


@dataclass(frozen=True)
class Shape:
    """What the published config.json of a size says."""

    hidden: int
    intermediate: int
    layers: int
    heads: int
    groups: int
    vocabulary: int
    tied: bool
    epsilon: float


SHAPES = {
    "tiny": Shape(64, 176, 3, 4, 2, 1024, True, 1e-6),
    "0.5b": Shape(896, 4864, 24, 14, 2, 151_936, True, 1e-6),
    "7b": Shape(3584, 18_944, 28, 28, 4, 152_064, False, 1e-6),
    "32b": Shape(5120, 27_648, 64, 40, 8, 152_064, False, 1e-5),
}


class NumberTokenizer:
    """Text is numbers, and a number is its own token id; the words of the prompt format have ids too."""

    eos_token_id = 1
    words = {"END": 2, "Instruction:": 3, "Response:": 4}  # noqa: RUF012 - never changed

    def __call__(self, text: str, **_: Any) -> dict[str, list[int]]:
        """Ids of the words, as a tokenizer's call gives them."""
        return {"input_ids": [self.words[word] if word in self.words else int(word) for word in text.split()]}


def random_base(size: str, *, quantization: str = "nf4", device: str = "cuda", layers: int | None = None) -> LoadedBase:
    """Draws the weights on the device, layer by layer; in nf4 each layer is quantised at once."""
    from transformers import Qwen2Config, Qwen2ForCausalLM

    shape = SHAPES[size]
    config = Qwen2Config(
        hidden_size=shape.hidden,
        intermediate_size=shape.intermediate,
        num_hidden_layers=layers or shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.groups,
        vocab_size=shape.vocabulary,
        tie_word_embeddings=shape.tied,
        rms_norm_eps=shape.epsilon,
        max_position_embeddings=32_768,
        use_cache=False,
    )
    config._attn_implementation = register()
    torch.set_default_dtype(torch.bfloat16)
    try:
        with torch.device("meta"):
            model = Qwen2ForCausalLM(config)
    finally:
        torch.set_default_dtype(torch.float32)
    generator = torch.Generator(device=device).manual_seed(0)
    _fill(model, quantization, device, generator)
    model.model.rotary_emb = type(model.model.rotary_emb)(config=config).to(device)
    model.tie_weights()
    if quantization == "nf4":
        model.is_loaded_in_4bit = True
        compute_as_everywhere(model)
    place = torch.device(device, 0) if device == "cuda" else torch.device(device)
    model = model.eval().requires_grad_(False)
    return LoadedBase(
        model, NumberTokenizer(), place, ModelSettings(base=f"random-{size}", quantization=quantization, dtype="bfloat16")
    )  # type: ignore[arg-type]


def _fill(model: nn.Module, quantization: str, device: str, generator: torch.Generator) -> None:
    def draw(shape: torch.Size) -> torch.Tensor:
        return torch.empty(shape, dtype=torch.bfloat16, device=device).normal_(0.0, 0.02, generator=generator)

    if quantization == "nf4":
        for parent in list(model.modules()):
            for name, child in list(parent.named_children()):
                if isinstance(child, nn.Linear) and name != "lm_head":
                    setattr(parent, name, four_bit(child, draw, device))
    for module in model.modules():
        for name, parameter in list(module._parameters.items()):
            if parameter is not None and parameter.is_meta:
                drawn = (
                    draw(parameter.shape)
                    if parameter.dim() > 1
                    else torch.full(parameter.shape, 0.0 if name == "bias" else 1.0, dtype=torch.bfloat16, device=device)
                )
                module._parameters[name] = nn.Parameter(drawn, requires_grad=False)


def four_bit(linear: nn.Linear, draw: Any, device: str) -> nn.Module:
    """An NF4 layer in the place of a linear one: its weights drawn and quantised on the device."""
    import bitsandbytes as bnb

    with torch.device("meta"):
        layer = bnb.nn.Linear4bit(
            linear.in_features,
            linear.out_features,
            linear.bias is not None,
            compute_dtype=torch.bfloat16,
            compress_statistics=False,
            quant_type="nf4",
        )
    weight = bnb.nn.Params4bit(
        draw(linear.weight.shape), requires_grad=False, compress_statistics=False, quant_type="nf4", module=layer
    )
    layer.weight = weight.to(device)
    if linear.bias is not None:
        layer.bias = nn.Parameter(torch.zeros(linear.out_features, dtype=torch.bfloat16, device=device), requires_grad=False)
    return layer
