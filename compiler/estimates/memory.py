"""Peak memory of one step on a device: weights, what is trained, activations, the key-value cache."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from compiler.estimates.devices import ALONE, GIB, Device, Together
from compiler.estimates.micro_batches import CPU_TOKENS, MicroBatch, bytes_at_once, bytes_per_token, largest
from compiler.estimates.shapes import ModelShape
from compiler.estimates.work import GENERATION_BATCH, READING_TOKENS, Lengths, sequence_tokens
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


def memory_of(
    step: Step,
    shape: ModelShape,
    lengths: Lengths,
    device: Device,
    generation_batch: int | None = None,
    together: Together = ALONE,
) -> Memory:
    """Peak memory of a step that has a `model` among its settings, on each device of those that train `together`.

    Training takes what the device has, and may need more.
    """
    model = step.settings["model"]
    weights, item = weight_bytes(model, shape), item_bytes(model["dtype"])
    if step.kind == "train":
        held = held_bytes(model, shape, together)
        trained = trained_bytes(model, shape) * together.share
        return Memory(held, trained, _training_activations(step, shape, lengths, device, together))
    if step.kind in ("generate", "respond"):
        rows = generation_batch or GENERATION_BATCH
        prompt = lengths.prompt * 2 + step.settings["prompt"]["few_shot"] * lengths.example
        tokens = rows * (prompt + step.settings["decode"]["max_new_tokens"])
        activations = rows * (shape.vocabulary * 4.0 + prompt * shape.intermediate * item)
        return Memory(weights, activations=activations, cache=tokens * shape.cache_values * item)
    return Memory(weights, activations=READING_TOKENS * 2 * shape.intermediate * item + bytes_at_once(shape, item))


def trained_bytes(model: Mapping[str, Any], shape: ModelShape) -> float:
    """An adapter in float32 with gradients and two moments, or the gradients and moments of all weights."""
    adapter = model["adapter"]
    if adapter is None:
        return 3.0 * shape.parameters * item_bytes(model["dtype"])
    return 16.0 * shape.adapter_parameters(adapter["rank"], adapter["targets"])


def held_bytes(model: Mapping[str, Any], shape: ModelShape, together: Together) -> float:
    """Bytes of the weights that a device holds while it trains: where they are sharded, a share and one whole layer."""
    weights = weight_bytes(model, shape)
    layer = weights / shape.layers if together.sharded else 0.0
    return min(weights, weights * together.share + layer)


def micro_batch_of(step: Step, shape: ModelShape, device: Device, together: Together = ALONE) -> MicroBatch:
    """What goes through the model at a time in a training step, where the recipe leaves it open.

    Memory that is left over may make four-bit weights dense meanwhile; a step does not need it.
    """
    model = step.settings["model"]
    if not device.is_gpu:
        return MicroBatch(CPU_TOKENS, "none")
    taken = held_bytes(model, shape, together) + trained_bytes(model, shape) * together.share
    return largest(shape, item_bytes(model["dtype"]), (device.memory - CONTEXT) / ALLOCATOR - taken)


def _training_activations(step: Step, shape: ModelShape, lengths: Lengths, device: Device, together: Together) -> float:
    """What the backward pass needs for the longest micro-batch: as much as fits, one example or prompt at the least."""
    recipe, item = step.settings["recipe"], item_bytes(step.settings["model"]["dtype"])
    sides = 2 if recipe["objective"] == "dpo" else 1
    longest = sides * min(lengths.longest * sequence_tokens(recipe, lengths) / sides, recipe["max_length"])
    micro, size = micro_batch_of(step, shape, device, together), recipe["micro_batch_size"]
    batch = recipe["batch_size"] / together.devices
    tokens = size * longest if size else max(longest, min(micro.tokens, batch * longest))
    return float(tokens * bytes_per_token(shape, micro.recompute, item) + bytes_at_once(shape, item))
