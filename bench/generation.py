"""Answers per second of stage1 and of transformers' `generate` as people call it, in one run on one machine.

    python bench/generation.py --size 32b --out bench/generation_32b.json

Random weights in Qwen2.5 shapes in four bits with a LoRA r16 adapter on all linear layers, 130 prompts of 100 to 150 tokens, up
to 150 new tokens. `full`: greedy, no row ends early. `ending`: sampled, and one token in a hundred ends a row, so that rows
differ in length. `--size tiny --device cpu` shows that it works.
"""

from __future__ import annotations

import argparse
import gc
import importlib.metadata
import json
import platform
import random
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch
from random_base import NumberTokenizer, random_base

from models.adapters import attached, trainable
from models.decoding import left_pad
from models.generation import Decode, Pace, generate
from models.loading import LoadedBase
from models.nf4 import dense_weight, four_bit_layers, has_room_for_bf16, resident_bf16

GB = 10**9
EAGER = Pace(block=8, compact=0.5, recorded=False)


class Numbers(NumberTokenizer):
    """Reads answers back as numbers, and END as the word."""

    def get_vocab(self) -> dict[str, int]:
        """The words alone: no number ends like the marker."""
        return dict(self.words)

    def decode(self, ids: Sequence[int], **_: Any) -> str:
        """Numbers with a space between them."""
        names = {id: word for word, id in self.words.items()}
        return " ".join(names.get(id, str(id)) for id in ids)


@dataclass(frozen=True)
class Task:
    """What both sides are asked."""

    base: LoadedBase
    prompts: list[list[int]]
    new_tokens: int
    temperature: float = 0.0

    @classmethod
    def draw(cls, base: LoadedBase, rows: int, new_tokens: int) -> Task:
        """Prompts of 100 to 150 random tokens."""
        draw, vocabulary = random.Random(0), base.model.config.vocab_size
        lengths = [draw.randint(100, 150) for _ in range(rows)]
        return cls(base, [[draw.randrange(5, vocabulary) for _ in range(length)] for length in lengths], new_tokens)


def ours(task: Task, *, laid_out: bool, pace: Pace | None = None) -> list[list[int]]:
    """As the answers step calls it; laying the weights out is part of the time."""
    with resident_bf16(task.base.model) if laid_out else nullcontext():
        answers = generate(
            task.base, task.prompts, Decode(task.temperature, task.new_tokens), batch_size=len(task.prompts), pace=pace
        )
    return [[NumberTokenizer.words.get(word) or int(word) for word in answer.text.split()] for answer in answers]


def theirs(task: Task, batch: int) -> list[list[int]]:
    """`generate` on left-padded batches, everything else at its defaults."""
    rows: list[list[int]] = []
    stops = set(task.base.model.generation_config.eos_token_id)
    for start in range(0, len(task.prompts), batch):
        ids, real = left_pad(task.prompts[start : start + batch], task.base.device)
        written = task.base.model.generate(
            input_ids=ids,
            attention_mask=real.long(),
            max_new_tokens=task.new_tokens,
            use_cache=True,
            **({"do_sample": True, "temperature": task.temperature, "top_k": 0} if task.temperature else {"do_sample": False}),
            pad_token_id=0,
        )[:, ids.shape[1] :].tolist()
        rows += [row[: next((at for at, id in enumerate(row) if id in stops), len(row))] for row in written]
    return rows


def parity(task: Task) -> dict[str, Any]:
    """How far the laid-out model is from the four-bit one: weights by bits, log-probabilities by size."""
    equal = 0
    layers = four_bit_layers(task.base.model)
    for _, _, layer in layers[:14]:
        unit = torch.eye(layer.in_features, dtype=torch.bfloat16, device=task.base.device)
        with torch.no_grad():
            shown = layer(unit) if layer.bias is None else layer(unit) - layer.bias
        equal += int(torch.equal(shown.T, dense_weight(layer)))
    ids = torch.tensor([task.prompts[0]], device=task.base.device)
    with torch.inference_mode():
        four_bit = task.base.model(input_ids=ids, use_cache=False).logits.float().log_softmax(-1)
        with resident_bf16(task.base.model):
            dense = task.base.model(input_ids=ids, use_cache=False).logits.float().log_softmax(-1)
    next_ids = ids[:, 1:, None]
    difference = (four_bit[:, :-1].gather(-1, next_ids) - dense[:, :-1].gather(-1, next_ids)).abs()
    return {
        "weights_bit_identical": f"{equal} of {len(layers[:14])} layers",
        "log_probability_difference_mean": difference.mean().item(),
        "log_probability_difference_max": difference.max().item(),
    }


def measured(task: Task, run: Callable[[], list[list[int]]], expected: list[list[int]] | None) -> tuple[dict[str, Any], Any]:
    """Seconds, rates, peak, and how many leading tokens agree with the first side measured."""
    _reset()
    started = time.perf_counter()
    rows = run()
    _wait()
    seconds = time.perf_counter() - started
    tokens = sum(map(len, rows))
    row: dict[str, Any] = {
        "seconds": seconds,
        "answers_per_s": len(rows) / seconds,
        "tokens_per_s": tokens / seconds,
        "tokens": tokens,
    }
    row["peak_gb"] = torch.cuda.max_memory_allocated() / GB if torch.cuda.is_available() else None
    if expected is not None:
        row["same_answers"] = sum(a == b for a, b in zip(rows, expected, strict=True))
        row["leading_tokens_that_agree"] = sum(map(_agreeing, rows, expected)) / max(1, sum(map(len, expected)))
    return row, rows


def _agreeing(one: list[int], other: list[int]) -> int:
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


@contextmanager
def with_adapter(base: LoadedBase, folder: Path) -> Iterator[float]:
    """A trained-looking adapter on the model; the seconds that putting it on took."""
    with trainable(base, {"rank": 16, "alpha": 32}, None, 1) as training:
        with torch.no_grad():
            for parameter in (p for p in base.model.parameters() if p.requires_grad):
                parameter.add_(torch.randn_like(parameter), alpha=0.01)
        training.save(folder)
    started = time.perf_counter()
    with attached(base, folder):
        _wait()
        yield time.perf_counter() - started


def sides(task: Task, batches: list[int]) -> dict[str, Callable[[], list[list[int]]]]:
    """What is compared. The first one's answers are what the others are held against."""
    nf4 = bool(four_bit_layers(task.base.model))
    room = nf4 and has_room_for_bf16(task.base)
    every = {
        "stage1": lambda: ours(task, laid_out=room),
        "stage1, steps not recorded": lambda: ours(task, laid_out=room, pace=EAGER),
    }
    if nf4:
        every["stage1, four-bit"] = lambda: ours(task, laid_out=False)
        every["stage1, four-bit, steps not recorded"] = lambda: ours(task, laid_out=False, pace=EAGER)
    for batch in batches:
        every[f"transformers, batch {batch}"] = lambda batch=batch: theirs(task, batch)  # type: ignore[misc]
    return every


def main() -> None:
    """One line per measurement as it ends, the table last."""
    options = _options()
    base = random_base(options.size, quantization=options.quantization, device=options.device, layers=options.layers)
    base = LoadedBase(base.model, Numbers(), base.device, base.settings)
    task = Task.draw(base, options.rows, options.new_tokens)
    rows: list[dict[str, Any]] = []
    record: dict[str, Any] = {**_surroundings(options), "rows": rows}
    if options.quantization == "nf4":
        record["parity"] = parity(task)
        print(json.dumps(record["parity"]), flush=True)
    with tempfile.TemporaryDirectory() as folder, with_adapter(base, Path(folder)) as seconds:
        record["adapter_on_seconds"] = seconds
        for case, temperature, every in (("full", 0.0, base.model.config.vocab_size), ("ending", 1.0, 100)):
            base.model.generation_config.eos_token_id = list(range(1, base.model.config.vocab_size, every))
            task, expected = replace(task, temperature=temperature), None
            for name, run in sides(task, options.batches).items():
                try:
                    run() if options.warm_up else None
                    row, answers = measured(task, run, expected)
                    expected = expected or answers
                except Exception as error:  # one that fails must not lose the others
                    traceback.print_exc(limit=-3)
                    row = {"error": f"{type(error).__name__}: {error}"[:300]}
                rows.append({"case": case, "name": name, **row})
                print(json.dumps(rows[-1]), flush=True)
                if options.out:
                    options.out.write_text(json.dumps(record, indent=1) + "\n")
    for row in rows:
        numbers = f"{row.get('seconds', 0):8.2f} s {row.get('tokens_per_s', 0):9.0f} tokens/s {row.get('peak_gb') or 0:6.1f} GB"
        print(f"{row['case']:7s} {row['name']:38s} {numbers}  {row.get('error', '')}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--size", default="32b", choices=["tiny", "0.5b", "7b", "32b"])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--quantization", default="nf4", choices=["nf4", "none"])
    parser.add_argument("--layers", type=int)
    parser.add_argument("--rows", type=int, default=130)
    parser.add_argument("--new-tokens", type=int, default=150)
    parser.add_argument("--batches", type=int, nargs="*", default=[130, 16], help="batch sizes for transformers")
    parser.add_argument("--warm-up", action="store_true", help="run each side once before it is measured")
    parser.add_argument("--out", type=Path)
    return parser.parse_args()


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def _reset() -> None:
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def _surroundings(options: argparse.Namespace) -> dict[str, Any]:
    packages = ("torch", "transformers", "peft", "bitsandbytes")
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else platform.processor(),
        "settings": {name: str(value) if isinstance(value, Path) else value for name, value in vars(options).items()},
        "versions": {package: importlib.metadata.version(package) for package in packages},
    }


if __name__ == "__main__":
    main()
