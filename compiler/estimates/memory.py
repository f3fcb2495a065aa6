"""Peak memory of one step on a device: weights, what is trained, activations, the key-value cache."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from compiler.estimates.devices import GIB
from compiler.estimates.shapes import ModelShape
from compiler.estimates.work import GENERATION_BATCH, MICRO_BATCH_TOKENS, READING_TOKENS, Lengths, sequence_tokens
from compiler.plan import Step

NF4_BYTES = 0.5 + 4 / 64
"""Per weight: four bits, and one float32 scale per block of 64."""
ALLOCATOR = 1.1
"""What allocators waste."""
CONTEXT = 0.6 * GIB
"""What a process on a GPU takes before it does anything."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes, by what takes them."""

    weights: float
    trained: float = 0.0
    """The adapter or the trained weights' gradients and the optimizer's two moments."""
    activations: float = 0.0
    cache: float = 0.0

    @property
    def peak(self) -> float:
        """All of it at once, with what allocators waste."""
        return ALLOCATOR * (self.weights + self.trained + self.activations + self.cache) + CONTEXT


def item_bytes(dtype: str) -> int:
    """Bytes of one number."""
    return 4 if dtype == "float32" else 2


def weight_bytes(model: Mapping[str, Any], shape: ModelShape) -> float:
    """Bytes of the loaded weights; quantization leaves embedding, head and norms as they are."""
    item = item_bytes(model["dtype"])
    if model["quantization"] == "nf4":
        return shape.linear_parameters * NF4_BYTES + shape.other_parameters * item
    return float(shape.parameters * item)


def memory_of(step: Step, shape: ModelShape, lengths: Lengths, generation_batch: int | None = None) -> Memory:
    """Peak memory of a step that has a `model` among its settings."""
    model = step.settings["model"]
    weights, item = weight_bytes(model, shape), item_bytes(model["dtype"])
    if step.kind == "train":
        return Memory(weights, trained_bytes(model, shape), _training_activations(step, shape, lengths, item))
    if step.kind in ("generate", "respond"):
        rows = generation_batch or GENERATION_BATCH
        prompt = lengths.prompt * 2 + step.settings["prompt"]["few_shot"] * lengths.example
        tokens = rows * (prompt + step.settings["decode"]["max_new_tokens"])
        activations = rows * (shape.vocabulary * 4.0 + prompt * shape.intermediate * item)
        return Memory(weights, activations=activations, cache=tokens * shape.cache_values * item)
    scored = READING_TOKENS * lengths.answer / (lengths.prompt + lengths.answer)
    return Memory(weights, activations=scored * shape.vocabulary * 4.0 + READING_TOKENS * 2 * shape.intermediate * item)


def trained_bytes(model: Mapping[str, Any], shape: ModelShape) -> float:
    """An adapter in float32 with gradients and two moments, or the gradients and moments of all weights."""
    adapter = model["adapter"]
    if adapter is None:
        return 3.0 * shape.parameters * item_bytes(model["dtype"])
    return 16.0 * shape.adapter_parameters(adapter["rank"], adapter["targets"])


def _training_activations(step: Step, shape: ModelShape, lengths: Lengths, item: int) -> float:
    """What the backward pass needs, nothing recomputed, for the longest micro-batch."""
    recipe = step.settings["recipe"]
    rows = recipe["micro_batch_size"] or recipe["batch_size"]
    sides = 2 if recipe["objective"] == "dpo" else 1
    longest = min(lengths.longest * sequence_tokens(recipe, lengths) / sides, recipe["max_length"])
    tokens = rows * sides * longest
    if recipe["micro_batch_size"] is None:
        tokens = min(tokens, max(MICRO_BATCH_TOKENS, sides * longest))
    per_layer = item * (16 * shape.hidden + 5 * shape.intermediate)
    scored = tokens if recipe.get("loss_on") == "all" else tokens * lengths.answer / (lengths.prompt + lengths.answer)
    return float(tokens * shape.layers * per_layer + 3 * scored * shape.vocabulary * 4)
