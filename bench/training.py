"""Training throughput and peak memory of stage1 and of TRL, in one run on one machine, on the same pairs.

    python bench/training.py --size 32b --out bench/training_32b.json

Random weights in Qwen2.5 shapes, LoRA r16 on all linear layers, prompts of 100 to 150 tokens, answers of 60 to 200 (END
included), bfloat16. TRL is given its token ids and every setting that makes it faster; stage1 goes through `trainers.fit.train`
as `stage1 run` does. `--size tiny --device cpu` shows that it works.

What the README's table needs, SFT twice since kernels are chosen and memory is laid out during the first steps (8 minutes; the
second of two counts, for both sides):

    python bench/training.py --only sft-small sft-small dpo80 dpo40 dpo80-few dpo-epoch \\
        trl-sft-packed-liger trl-sft-packed-liger trl-dpo-best-liger trl-dpo-checkpointed-liger
"""

from __future__ import annotations

import argparse
import gc
import importlib.metadata
import json
import platform
import random
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from device_clock import between, now
from random_base import random_base
from trl_side import TrlSide

from compiler.records import Demonstration, PreferencePair
from models.loading import LoadedBase
from models.pairs import pair_log_probs
from trainers.examples import Examples
from trainers.fit import train
from trainers.module import TrainingModule

ADAPTER = {"rank": 16, "alpha": 32, "dropout": 0.0, "targets": "all-linear"}
GB = 10**9


@dataclass(frozen=True)
class Data:
    """Prompts and answers as numbers, which the tokenizer of the random models reads as ids."""

    pairs: list[PreferencePair]
    demonstrations: list[Demonstration]

    @classmethod
    def draw(cls, prompts: int, pairs: int, vocabulary: int) -> Data:
        """As many pairs, dealt to the prompts in turn; every prompt has one chosen answer and a demonstration."""
        draw = random.Random(0)

        def numbers(low: int, high: int, format_tokens: int) -> str:
            return " ".join(str(draw.randrange(5, vocabulary)) for _ in range(draw.randint(low, high) - format_tokens))

        asked = [(numbers(100, 150, 2), numbers(60, 200, 1)) for _ in range(prompts)]
        rows = [
            PreferencePair(
                id=f"p{number}",
                item_id=f"i{number % prompts}",
                instruction=asked[number % prompts][0],
                chosen=asked[number % prompts][1],
                rejected=numbers(60, 200, 1),
                negative_type="off_topic",
                split="train",
            )
            for number in range(pairs)
        ]
        return cls(
            rows, [Demonstration(item_id=f"i{n}", instruction=i, response=r, split="train") for n, (i, r) in enumerate(asked)]
        )


class Clock:
    """When each optimizer step ended on the device; the first ones warm up. Nothing waits for it."""

    def __init__(self, warm_up: int) -> None:
        self.warm_up, self.ends = warm_up, [now()]

    @contextmanager
    def running(self) -> Iterator[None]:
        """Looks at every step inside the block."""
        step = TrainingModule.training_step

        def timed(module: Any, batch: Any, index: int) -> None:
            step(module, batch, index)
            self.ends.append(now())

        TrainingModule.training_step = timed  # type: ignore[method-assign]
        try:
            yield
        finally:
            TrainingModule.training_step = step  # type: ignore[method-assign]

    @property
    def seconds_per_step(self) -> float:
        """Mean over the steps after the first ones."""
        return between(self.ends[self.warm_up], self.ends[-1]) / (len(self.ends) - 1 - self.warm_up)


def ours(
    base: LoadedBase, data: Data, kind: str, *, batch: int, limit_gb: float | None, steps: int, recompute: Any = None
) -> dict[str, Any]:
    """Rate and peak of some steps; the reference is computed first, in its own time."""
    wanted = (steps + 2) * batch
    examples, reference_seconds = Examples(demonstrations=data.demonstrations[:wanted]), 0.0
    if kind == "dpo":
        pairs = _whole_prompts(data.pairs, wanted)
        started = time.perf_counter()
        examples = Examples(pairs=pairs, reference=pair_log_probs(base, pairs))
        reference_seconds = time.perf_counter() - started
    recipe = {"objective": kind, "epochs": 1, "learning_rate": 1e-5, "batch_size": batch, "max_length": 1024}
    clock = Clock(2)
    _reset()
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as out, clock.running():
        summary = train(
            base,
            recipe=recipe,
            adapter=ADAPTER,
            seed=1,
            examples=examples,
            checkpoint=None,
            out=Path(out),
            memory_limit=None if limit_gb is None else int(limit_gb * GB),
            recompute=recompute,
        )
    total = time.perf_counter() - started
    return {
        "who": "stage1",
        "kind": kind,
        "batch": batch,
        "limit_gb": limit_gb,
        "recompute": recompute,
        "rate": summary.examples_seen / summary.steps / clock.seconds_per_step,
        "steps": summary.steps,
        "peak_gb": _peak(),
        "first_loss": summary.first_loss,
        "training_seconds": total,
        "reference_seconds": reference_seconds,
        "examples": summary.examples_seen,
    }


def _whole_prompts(pairs: list[PreferencePair], wanted: int) -> list[PreferencePair]:
    """All pairs of as many prompts as give about this many pairs."""
    prompts = {pair.item_id for pair in pairs}
    kept = {f"i{number}" for number in range(max(1, round(wanted * len(prompts) / len(pairs))))}
    return [pair for pair in pairs if pair.item_id in kept]


def _reset() -> None:
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def _peak() -> float | None:
    return torch.cuda.max_memory_allocated() / GB if torch.cuda.is_available() else None


def measurements(base: LoadedBase, size: str, chosen: list[str]) -> list[tuple[str, Callable[[], dict[str, Any]]]]:
    """What is measured, in order: stage1 first, since liger changes the model's layers for good."""
    vocabulary = base.model.config.vocab_size
    five, few = Data.draw(200, 1000, vocabulary), Data.draw(200, 500, vocabulary)
    shown = replace(five, demonstrations=Data.draw(400, 400, vocabulary).demonstrations)
    steps = 3 if size == "32b" else 8
    trl = TrlSide(base, steps=12)
    every: dict[str, Callable[[], dict[str, Any]]] = {
        "dpo80": lambda: ours(base, five, "dpo", batch=64, limit_gb=79, steps=steps),
        "dpo80-batch8": lambda: ours(base, five, "dpo", batch=8, limit_gb=79, steps=12),
        "dpo40": lambda: ours(base, five, "dpo", batch=64, limit_gb=39.5, steps=steps),
        "dpo80-few": lambda: ours(base, few, "dpo", batch=64, limit_gb=79, steps=steps),
        "dpo-epoch": lambda: ours(base, few, "dpo", batch=8, limit_gb=None, steps=10**6),
        "sft": lambda: ours(base, shown, "sft", batch=64, limit_gb=63 if size == "32b" else 22.5, steps=4),
        "sft-small": lambda: ours(base, shown, "sft", batch=64, limit_gb=59 if size == "32b" else 19, steps=4),
        "sft-batch8": lambda: ours(base, shown, "sft", batch=8, limit_gb=63 if size == "32b" else 22.5, steps=12),
        "trl-dpo-best": lambda: trl.dpo(five.pairs, micro_batch=8, liger=False, checkpointing=False),
        "trl-dpo-best-liger": lambda: trl.dpo(five.pairs, micro_batch=8, liger=True, checkpointing=False),
        "trl-dpo-checkpointed-liger": lambda: trl.dpo(five.pairs, micro_batch=32, liger=True, checkpointing=True, steps=4),
        "trl-sft": lambda: trl.sft(shown.demonstrations, liger=False, packed=False, checkpointing=False),
        "trl-sft-checkpointed": lambda: trl.sft(shown.demonstrations, liger=False, packed=False, checkpointing=True),
        "trl-sft-packed": lambda: trl.sft(shown.demonstrations, liger=False, packed=True, checkpointing=False),
        "trl-sft-liger": lambda: trl.sft(shown.demonstrations, liger=True, packed=False, checkpointing=False),
        "trl-sft-packed-liger": lambda: trl.sft(shown.demonstrations, liger=True, packed=True, checkpointing=False),
        "trl-sft-packed-liger-8": lambda: trl.sft(
            shown.demonstrations, liger=True, packed=True, checkpointing=False, accumulated=8, steps=3
        ),
    }
    return [(name, every[name]) for name in (chosen or every)]


def main() -> None:
    """One line per measurement as it ends, the table last."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--size", default="32b")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--quantization", default="nf4")
    parser.add_argument("--layers", type=int)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    started = time.perf_counter()
    base = random_base(options.size, quantization=options.quantization, device=options.device, layers=options.layers)
    print(f"model ready after {time.perf_counter() - started:.1f} s", flush=True)
    rows = []
    for name, measure in measurements(base, options.size, options.only):
        started = time.perf_counter()
        try:
            row = measure()
        except Exception as error:  # one that fails must not lose the others
            traceback.print_exc(limit=-3, file=sys.stdout)
            row = {"error": f"{type(error).__name__}: {error}"[:300]}
        rows.append({"name": name, **row, "wall_seconds": time.perf_counter() - started})
        print(json.dumps(rows[-1]), flush=True)
        if options.out:
            options.out.write_text(json.dumps({**_surroundings(options), "rows": rows}, indent=2) + "\n")
        _reset()
    for row in rows:
        rate, peak = row.get("rate"), row.get("peak_gb")
        print(f"{row['name']:28s} {rate or 0:8.2f} /s {peak or 0:7.1f} GB  {row.get('error', '')}")


def _surroundings(options: argparse.Namespace) -> dict[str, Any]:
    packages = ("torch", "transformers", "peft", "bitsandbytes", "lightning", "trl", "liger-kernel", "accelerate")
    versions = {}
    for package in packages:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else platform.processor()
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "device": device,
        "size": options.size,
        "quantization": options.quantization,
        "versions": versions,
    }


if __name__ == "__main__":
    main()
