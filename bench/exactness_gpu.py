"""How far packed trees in bfloat16 are from float32, beside the plain computation's own distance: sums and adapter gradients.

    python bench/exactness_gpu.py [--size 0.5b] [--layers 8] [--quantization nf4]

The plain one is transformers and peft as they come, one sequence at a time; both are compared with it in float32.
"""

from __future__ import annotations

import argparse
import random
from typing import Any

import torch
from random_base import random_base

from models.adapters import AdapterSettings, fresh
from models.batches import collate
from models.lean.install import lean
from models.log_probabilities import response_log_probs
from models.nf4 import dense_weight, four_bit_layers
from models.prompt_format import Encoded


def main() -> None:
    """Prints one table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", default="0.5b")
    parser.add_argument("--layers", type=int, default=8)
    parser.add_argument("--quantization", default="nf4")
    options = parser.parse_args()
    base = random_base(options.size, quantization=options.quantization, layers=options.layers)
    fresh(base, AdapterSettings(), 1)
    draw = torch.Generator(device="cuda").manual_seed(5)
    for parameter in base.model.parameters():
        if parameter.requires_grad:
            parameter.data += 0.01 * torch.randn(parameter.shape, generator=draw, device="cuda")
    sequences = _sequences(base.model.config.vocab_size)
    with lean(base.model):
        tree = _measure(base.model, [collate(sequences, "cuda", packed=True)])
        again = _measure(base.model, [collate(sequences, "cuda", packed=True)])
    with lean(base.model, "selective"):
        selective = _measure(base.model, [collate(sequences, "cuda", packed=True)])
    with lean(base.model, "full"):
        full = _measure(base.model, [collate(sequences, "cuda", packed=True)])
    plain = _measure(base.model, [collate([sequence], "cuda") for sequence in sequences])
    if options.quantization == "nf4":
        print(f"weights written out, the bits of bitsandbytes: {_same_bits(base.model)} layers")
    exact = _measure(_widened(base.model), [collate([sequence], "cuda") for sequence in sequences])
    print(f"{'':24s}{'log-probability':>18s}{'gradient':>12s}   (largest sum error in nats; error norm over gradient norm)")
    for name, found, against in (
        ("trees, bfloat16", tree, exact),
        ("plain, bfloat16", plain, exact),
        ("trees again", again, tree),
        ("selective recompute", selective, tree),
        ("full recompute", full, tree),
    ):
        print(f"{name:24s}{(found[0] - against[0]).abs().max().item():18.5f}{_distance(found[1], against[1]):12.6f}")


def _sequences(vocabulary: int) -> list[Encoded]:
    draw = random.Random(0)
    ids = lambda low, high: tuple(draw.randrange(5, vocabulary) for _ in range(draw.randint(low, high)))  # noqa: E731
    prompts = [ids(100, 150) for _ in range(3)]
    return [Encoded(prompt, ids(60, 200)) for prompt in prompts for _ in range(4)] + [Encoded(ids(20, 30), ids(1, 1))]


def _measure(model: Any, batches: list[Any]) -> tuple[torch.Tensor, torch.Tensor]:
    model.zero_grad()
    sums = []
    for batch in batches:
        values, _ = response_log_probs(model, batch)
        (
            values * torch.linspace(-1, 1, len(values), device="cuda")
            if len(batches) == 1
            else values * _weight(len(sums), len(batches))
        ).sum().backward()
        sums.append(values.detach().double())
    gradient = torch.cat([p.grad.double().flatten() for p in model.parameters() if p.requires_grad])
    return torch.cat(sums), gradient


def _weight(index: int, count: int) -> float:
    return torch.linspace(-1, 1, count)[index].item()


def _distance(found: torch.Tensor, against: torch.Tensor) -> float:
    return ((found - against).norm() / against.norm()).item()


def _same_bits(model: Any) -> str:
    from bitsandbytes.functional import dequantize_4bit

    layers = [layer for _, _, layer in four_bit_layers(model)]
    same = [torch.equal(dense_weight(layer), dequantize_4bit(layer.weight.data, layer.weight.quant_state)) for layer in layers]
    return f"{sum(same)} of {len(same)}"


def _widened(model: Any) -> Any:
    """The same numbers, computed in float32: four-bit layers become dense ones."""
    import bitsandbytes as bnb

    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, bnb.nn.Linear4bit) and not hasattr(child, "lora_A"):
                dense = bnb.functional.dequantize_4bit(child.weight.data, child.weight.quant_state)
                linear = torch.nn.Linear(dense.shape[1], dense.shape[0], bias=child.bias is not None, device="meta")
                linear.weight = torch.nn.Parameter(dense.float(), requires_grad=False)
                if child.bias is not None:
                    linear.bias = torch.nn.Parameter(child.bias.float(), requires_grad=False)
                setattr(parent, name, linear)
    torch.backends.cuda.matmul.allow_tf32 = False
    return model.float()


if __name__ == "__main__":
    main()
