"""Where the time of a DPO micro-batch goes on a GPU, and how far it is from the floor of its matrix products.

    python bench/profile_training.py [--size 32b] [--layers 16] [--tokens 5000] [--recompute none]

The floor: LoRA training costs 4 floating-point operations per weight and token (2 forward, 2 for the gradient of the input), at
the rate that one large matrix product reaches on this device.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import torch
from random_base import random_base
from training import ADAPTER, Data

from compiler.estimates.micro_batches import bytes_per_token
from compiler.estimates.shapes import shape_from_config
from models.adapters import trainable
from models.batches import collate, tree_tokens
from models.lean.install import lean
from models.log_probabilities import response_log_probs
from models.packing import split_by_tokens
from models.pairs import encode_pair

GROUPS = {
    "matrix products": ("gemm", "cutlass", "nvjet", "xmma", "splitK"),
    "dequantisation": ("dequant", "kDequantize"),
    "attention": ("flash", "fmha"),
    "norms": ("rms", "layer_norm", "LayerNorm"),
}


def main() -> None:
    """Prints two tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", default="32b")
    parser.add_argument("--layers", type=int, default=16)
    parser.add_argument("--tokens", type=int, default=5000)
    parser.add_argument("--recompute", default="none")
    parser.add_argument("--quantization", default="nf4")
    options = parser.parse_args()
    base = random_base(options.size, layers=options.layers, quantization=options.quantization)
    sequences = _micro_batch(base, options.tokens)
    read = tree_tokens(sequences)
    with trainable(base, ADAPTER, None, 1), lean(base.model, options.recompute):
        seconds, queued, peak = _timed(base, sequences)
        with torch.profiler.profile(
            activities=[torch.profiler.ProfilerActivity.CUDA, torch.profiler.ProfilerActivity.CPU]
        ) as profile:
            _pass(base, sequences)
            torch.cuda.synchronize()
    linear = sum(_weights(module) for module in base.model.model.layers.modules())
    scored = len(collate(sequences).targets)
    needed = 4 * linear * read + 4 * scored * base.model.config.vocab_size * base.model.config.hidden_size
    rate = _matrix_rate()
    print(f"{read} tokens, {scored} scored, {options.layers} layers, recompute {options.recompute}: {seconds * 1e3:.1f} ms")
    print(f"the host queues it in {queued * 1e3:.1f} ms")
    reached = needed / seconds
    print(f"needed {reached / 1e12:.0f} TFLOP/s of {rate / 1e12:.0f} measured: {reached / rate:.0%} of the floor")
    kept = bytes_per_token(shape_from_config(options.size, base.model.config.to_json_string()), options.recompute, 2) * read
    print(f"activations: {peak / 1e9:.2f} GB measured, {kept / 1e9:.2f} GB in the policy's model")
    _table(profile, seconds)


def _micro_batch(base: Any, tokens: int) -> list[Any]:
    pairs = Data.draw(200, 1000, base.model.config.vocab_size).pairs
    trees: dict[str, list[Any]] = {}
    for pair in pairs:
        trees.setdefault(pair.item_id, []).extend(encode_pair(base.tokenizer, pair))
    members = [list(dict.fromkeys(tree)) for tree in trees.values()]
    first = split_by_tokens([tree_tokens(tree) for tree in members], tokens, padded=False)[len(members) // 20]
    return [sequence for index in first for sequence in members[index]]


def _pass(base: Any, sequences: list[Any]) -> None:
    sums, _ = response_log_probs(base.model, collate(sequences, "cuda", packed=True))
    sums.sum().backward()


def _timed(base: Any, sequences: list[Any]) -> tuple[float, float, int]:
    """Seconds of a pass, seconds in which the host queues it, bytes at most beyond those before."""
    for _ in range(3):
        _pass(base, sequences)
    torch.cuda.synchronize()
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    started = time.perf_counter()
    for _ in range(4):
        _pass(base, sequences)
    queued = (time.perf_counter() - started) / 4
    torch.cuda.synchronize()
    return (time.perf_counter() - started) / 4, queued, torch.cuda.max_memory_allocated() - before


def _weights(module: Any) -> int:
    if type(module).__name__ == "Linear4bit" and hasattr(module, "weight") and not hasattr(module, "lora_A"):
        return 2 * module.weight.numel() if module.weight.dtype == torch.uint8 else module.weight.numel()
    return (
        module.weight.numel()
        if type(module) is torch.nn.Linear and module.weight.shape[0] > 64 and module.weight.shape[1] > 64
        else 0
    )


def _matrix_rate() -> float:
    left, right = (torch.randn(8192, 8192, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    for _ in range(5):
        left @ right
    torch.cuda.synchronize()
    started = time.perf_counter()
    for _ in range(20):
        left @ right
    torch.cuda.synchronize()
    return 20 * 2 * 8192**3 / (time.perf_counter() - started)


def _table(profile: Any, seconds: float) -> None:
    kernels = [event for event in profile.key_averages() if event.device_type == torch.autograd.DeviceType.CUDA]
    shares: dict[str, float] = {}
    for kernel in kernels:
        group = next((name for name, marks in GROUPS.items() if any(mark in kernel.key for mark in marks)), "other")
        shares[group] = shares.get(group, 0.0) + kernel.self_device_time_total / 1e6
    for name, share in sorted(shares.items(), key=lambda item: -item[1]):
        print(f"  {name:20s}{share * 1e3:9.1f} ms {share / seconds:6.1%}")
    print(f"  {'idle':20s}{(seconds - sum(shares.values())) * 1e3:9.1f} ms")
    for kernel in sorted(kernels, key=lambda kernel: -kernel.self_device_time_total)[:22]:
        print(f"    {kernel.self_device_time_total / 1e3:8.2f} ms {kernel.count:5d} x {kernel.key[:110]}")


if __name__ == "__main__":
    main()
