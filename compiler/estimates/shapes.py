"""The shape of a model: what parameter counts, FLOPs and memory follow from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from compiler.diagnostics import printable
from compiler.language.model import EMBEDDED
from compiler.world import World


class UnknownShape(Exception):
    """The shape of a model cannot be known without a network; the message is one sentence with the way out."""


@dataclass(frozen=True, slots=True)
class ModelShape:
    """A decoder-only transformer with grouped-query attention and a gated MLP, as Qwen2 and Llama are built."""

    layers: int
    hidden: int
    intermediate: int
    heads: int
    kv_heads: int
    vocabulary: int
    tied: bool
    """Whether the output head is the embedding."""
    head_size: int
    qkv_bias: bool = True

    @property
    def linears(self) -> Mapping[str, tuple[int, int]]:
        """The linear layers of one block: name -> (inputs, outputs)."""
        q, kv = self.heads * self.head_size, self.kv_heads * self.head_size
        return {
            "q_proj": (self.hidden, q), "k_proj": (self.hidden, kv), "v_proj": (self.hidden, kv), "o_proj": (q, self.hidden),
            "gate_proj": (self.hidden, self.intermediate), "up_proj": (self.hidden, self.intermediate),
            "down_proj": (self.intermediate, self.hidden),
        }  # fmt: skip

    @property
    def linear_parameters(self) -> int:
        """Weights of the blocks' linear layers: what 4-bit quantization makes smaller."""
        return self.layers * sum(inputs * outputs for inputs, outputs in self.linears.values())

    @property
    def other_parameters(self) -> int:
        """Embedding, output head, norms and biases."""
        biases = (self.heads + 2 * self.kv_heads) * self.head_size if self.qkv_bias else 0
        norms = 2 * self.hidden
        return self.vocabulary * self.hidden * (1 if self.tied else 2) + self.layers * (biases + norms) + self.hidden

    @property
    def parameters(self) -> int:
        """All parameters."""
        return self.linear_parameters + self.other_parameters

    @property
    def computing(self) -> int:
        """Parameters that a token is multiplied with: all linear layers; the embedding is only looked up."""
        return self.linear_parameters + self.vocabulary * self.hidden

    def adapter_parameters(self, rank: int, targets: str | list[str] | tuple[str, ...]) -> int:
        """Parameters of a LoRA adapter of this rank; `all-linear` adapts every linear layer of the blocks."""
        adapted = [size for name, size in self.linears.items() if targets == "all-linear" or name in targets]
        return self.layers * sum(rank * (inputs + outputs) for inputs, outputs in adapted)

    @property
    def cache_values(self) -> int:
        """Values that a token leaves in the key-value cache."""
        return 2 * self.layers * self.kv_heads * self.head_size


def _qwen(layers: int, hidden: int, inner: int, heads: int, kv: int, vocabulary: int, *, tied: bool) -> ModelShape:
    return ModelShape(layers, hidden, inner, heads, kv, vocabulary, tied, hidden // heads)


_SHAPES: Mapping[str, ModelShape] = {
    "qwen2.5-0.5b": _qwen(24, 896, 4864, 14, 2, 151_936, tied=True),
    "qwen2.5-1.5b": _qwen(28, 1536, 8960, 12, 2, 151_936, tied=True),
    "qwen2.5-3b": _qwen(36, 2048, 11_008, 16, 2, 151_936, tied=True),
    "qwen2.5-7b": _qwen(28, 3584, 18_944, 28, 4, 152_064, tied=False),
    "qwen2.5-14b": _qwen(48, 5120, 13_824, 40, 8, 152_064, tied=False),
    "qwen2.5-32b": _qwen(64, 5120, 27_648, 40, 8, 152_064, tied=False),
    "qwen2.5-72b": _qwen(80, 8192, 29_568, 64, 8, 152_064, tied=False),
    EMBEDDED: _qwen(4, 192, 512, 6, 2, 3072, tied=True),
}
"""By lower-case name without its owner; from the config files that their makers published."""


def known_shape(base: str) -> ModelShape | None:
    """The shape that a name stands for, without looking at any file; None for a name that says nothing."""
    name = base.rpartition("/")[2].lower().removesuffix("-instruct")
    owner = base.rpartition("/")[0].lower()
    is_known = name in _SHAPES and owner in ("", "qwen") and (owner == "qwen" or base == EMBEDDED)
    return _SHAPES[name] if is_known else None


def shape_of(base: str, world: World) -> ModelShape:
    """The shape of `model.base`: a known name, or a local folder's `config.json`.

    Raises:
        UnknownShape: a hub model that is not known here, or a folder without a config that can be understood.
    """
    known = known_shape(base)
    if known is not None:
        return known
    try:
        text = world.read_text(f"{base.rstrip('/')}/config.json")
    except (OSError, ValueError):
        names = ", ".join(f"Qwen/{name.replace('qwen', 'Qwen').replace('b', 'B')}" for name in _SHAPES if name != EMBEDDED)
        way_out = f"download it and name its folder, or take one of {names}"
        raise UnknownShape(f"what `{printable(base)}` costs cannot be known without its shape: {way_out}") from None
    return shape_from_config(base, text)


def shape_from_config(base: str, text: str) -> ModelShape:
    """The shape that a transformers `config.json` describes.

    Raises:
        UnknownShape: it is no JSON object, or it lacks a size.
    """
    try:
        config = json.loads(text)
        return _from_config(config if isinstance(config, dict) else {})
    except (KeyError, ValueError, RecursionError, ZeroDivisionError) as lacking:
        why = f"it lacks {lacking}" if isinstance(lacking, KeyError) else printable(str(lacking))[:100]
        raise UnknownShape(f"the config.json of `{printable(base)}` does not tell the model's shape: {why}") from None


def _from_config(config: Mapping[str, Any]) -> ModelShape:
    def size(key: str, default: int | None = None) -> int:
        found = config[key] if default is None else config.get(key) or default
        if not isinstance(found, int) or isinstance(found, bool) or not 0 < found < 10**9:
            raise ValueError(f"{key} is {found!r}")
        return found

    heads = size("num_attention_heads")
    return ModelShape(
        layers=size("num_hidden_layers"),
        hidden=size("hidden_size"),
        intermediate=size("intermediate_size"),
        heads=heads,
        kv_heads=size("num_key_value_heads", heads),
        vocabulary=size("vocab_size"),
        tied=bool(config.get("tie_word_embeddings", False)),
        head_size=size("head_dim", size("hidden_size") // heads),
        qkv_bias=bool(config.get("attention_bias", config.get("model_type") == "qwen2")),
    )
