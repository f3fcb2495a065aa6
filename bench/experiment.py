"""The whole original experiment through `stage1 run`, timed step by step, where no weights can be fetched.

    python bench/experiment.py --size 32b --seeds 3 --out experiment.json

writes a model folder with random weights in the shapes of Qwen2.5, runs experiment.yaml on it, and collects what the run says
of its steps. Everything is the product's own, unchanged: the folder goes through the door that a download goes through, and
answers, demonstrations, negatives, trainings, scores and the analysis are made as they always are. What is not real:

- The weights are drawn, so that answers are noise and verdicts mean nothing. Answers run to the token limit, all of them: those
  of a real model mostly end earlier.
- The tokenizer is the embedded model's. The ids above its own, which alone are ever written, are invented words, and one in
  `NEW_PROMPT_EVERY` opens a new prompt, as base models do when they ramble. There the cleaning cuts, so that answers become
  demonstrations and chosen answers, of as many tokens on average, and the negatives are built from them.
- The instructions are the bank's without their constraints ("in one word"): noise would meet none and be dropped.
- Demonstrations and chosen answers are drawn at temperature 1, so that they differ whatever drawn weights are like; all answers
  may have 150 tokens, where the original allows 80 for those.
- Learning rates are next to nothing: a rate changes no amount of work, and what is fitted to noise would answer with END alone.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import product
from pathlib import Path
from typing import Any

from random_base import SHAPES, Shape, four_bit

from datagen.bank import load_bank
from models.weights import TINY_BASE_FOLDER

NEW_PROMPT_EVERY = 45
_LEAST_VOCABULARY = 16_384  # the tiny shape's own is smaller than the tokenizer
_GRACE = 20.0  # seconds that an interrupted run has to end itself
_COUNTS = {"train": 200, "heldout": 130, "pairs": 500, "tokens": 150}
_PACKAGES = ("torch", "transformers", "bitsandbytes", "peft", "lightning")


def make_model(folder: Path, shape: Shape, device: str) -> None:
    """A folder as `save_pretrained` leaves it of an NF4 model: shards, index, configuration, tokenizer; a layer a shard."""
    import torch
    from transformers import BitsAndBytesConfig, Qwen2Config, Qwen2ForCausalLM

    folder.mkdir(parents=True)
    first = write_tokenizer(folder, shape.vocabulary)
    config = Qwen2Config(
        architectures=["Qwen2ForCausalLM"], dtype="bfloat16", hidden_size=shape.hidden, intermediate_size=shape.intermediate,
        num_hidden_layers=shape.layers, num_attention_heads=shape.heads, num_key_value_heads=shape.groups,
        vocab_size=shape.vocabulary, tie_word_embeddings=False, rms_norm_eps=shape.epsilon, max_position_embeddings=32_768,
    )  # fmt: skip
    form = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch.bfloat16)
    (folder / "config.json").write_text(
        json.dumps(config.to_dict() | {"quantization_config": form.to_dict()}), encoding="utf-8"
    )
    with torch.device("meta"):
        model = Qwen2ForCausalLM(config)
    generator = torch.Generator(device=device).manual_seed(0)

    def draw(size: torch.Size) -> torch.Tensor:
        return torch.empty(size, dtype=torch.bfloat16, device=device).normal_(0.0, 0.02, generator=generator)

    def shards() -> Iterator[tuple[str, dict[str, torch.Tensor]]]:
        head = draw(model.lm_head.weight.shape)
        head[:first] = 0  # so that what is written is invented words: no end, no special token, no half a character
        yield "head", {"lm_head.weight": head.cpu()}
        yield "embeddings", {"model.embed_tokens.weight": draw(head.shape).cpu()}
        yield "norm", {"model.norm.weight": torch.ones(shape.hidden, dtype=torch.bfloat16)}
        for number, layer in enumerate(model.model.layers):
            yield f"layer-{number}", dict(_four_bit_layer(layer, f"model.layers.{number}.", draw, device))

    with ThreadPoolExecutor(4) as pool:
        written = list(pool.map(lambda shard: _write_shard(folder, *shard), shards()))
    index = {
        "metadata": {"total_size": sum(size for _, size, _ in written)},
        "weight_map": {name: file for file, _, names in written for name in names},
    }
    (folder / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")


def _four_bit_layer(layer: Any, prefix: str, draw: Callable[[Any], Any], device: str) -> Iterator[tuple[str, Any]]:
    import torch

    for name, module in layer.named_modules():
        if isinstance(module, torch.nn.Linear):
            state = four_bit(module, draw, device).state_dict()
            yield from ((f"{prefix}{name}.{key}", value.cpu().contiguous()) for key, value in state.items())
        elif not list(module.children()) and hasattr(module, "weight"):
            yield f"{prefix}{name}.weight", torch.ones(module.weight.shape, dtype=torch.bfloat16)


def _write_shard(folder: Path, name: str, tensors: Mapping[str, Any]) -> tuple[str, int, list[str]]:
    from safetensors.torch import save_file

    save_file(dict(tensors), folder / f"{name}.safetensors", metadata={"format": "pt"})
    return f"{name}.safetensors", sum(tensor.nbytes for tensor in tensors.values()), list(tensors)


def write_tokenizer(folder: Path, vocabulary: int) -> int:
    """The embedded model's, and a text for every id above its own; returns the first of these."""
    described = json.loads((TINY_BASE_FOLDER / "tokenizer.json").read_text(encoding="utf-8"))
    known = described["model"]["vocab"]
    first: int = 1 + max(*known.values(), *(token["id"] for token in described["added_tokens"]))
    openings = product(range(1000), ("Instruction", "Question", "Input", "User", "Q"))
    new_prompts = (f"Ċ{word}Ġ{number}:" for number, word in openings)
    syllables = [consonant + vowel for consonant, vowel in product("bdfghjklmnprstvwz", "aeiou")]
    words = (space + "".join(word) for word in product(syllables, repeat=3) for space in ("Ġ", ""))
    unknown_words = (word for word in words if word not in known)
    for id in range(first, vocabulary):
        known[next(new_prompts if id % NEW_PROMPT_EVERY == 0 else unknown_words)] = id
    (folder / "tokenizer.json").write_text(json.dumps(described), encoding="utf-8")
    shutil.copy(TINY_BASE_FOLDER / "tokenizer_config.json", folder)
    return first


def command(work: Path, wanted: argparse.Namespace) -> list[str]:
    """What is run, the instructions that it reads written."""
    items = work / "instructions.jsonl"
    told = (item.model_copy(update={"constraint": None}).model_dump_json() for item in load_bank())
    items.write_text("\n".join(told) + "\n", encoding="utf-8")
    chosen = {
        "model.base": work / "model",
        "seeds": list(range(1, wanted.seeds + 1)),
        "data.instructions.source": items,
        "data.instructions.train": wanted.train,
        "data.instructions.heldout": wanted.heldout,
        "data.preferences.pairs": wanted.pairs,
        "data.demonstrations.decode.max_new_tokens": wanted.tokens,
        "data.preferences.chosen.decode.max_new_tokens": wanted.tokens,
        "evaluation.decode.max_new_tokens": wanted.tokens,
    }
    stage1 = [sys.executable, "-m", "stage1", "run", str(Path(__file__).with_suffix(".yaml"))]
    settings = [word for name, value in chosen.items() for word in ("--set", f"{name}={value}")]
    return [*stage1, *settings, "--log-format", "json", "--store", str(work / "runs")]


class Run:
    """One `stage1 run`, followed line by line."""

    def __init__(self, steps: list[dict[str, Any]], save: Callable[[], None]) -> None:
        self._steps, self._save, self._began = steps, save, time.monotonic()
        self.told: dict[str, Any] = {"other_output": []}

    def follow(self, command: list[str], work: Path, seconds: float) -> int:
        """Its exit code; it is interrupted after so many seconds, and goes on where it was when called again."""
        process = subprocess.Popen(command, cwd=work, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        timers = [
            threading.Timer(seconds, process.send_signal, [signal.SIGINT]),
            threading.Timer(seconds + _GRACE, process.kill),
        ]
        for timer in timers:
            timer.start()
        for line in process.stderr or ():
            self._hear(line.rstrip(), round(time.monotonic() - self._began, 2))
        code = process.wait()
        for timer in timers:
            timer.cancel()
        self.told |= {"exit_code": code, "seconds": round(time.monotonic() - self._began, 2)}
        return code

    def _hear(self, line: str, now: float) -> None:
        told: dict[str, Any] = json.loads(line) if line.startswith('{"time"') else {"event": None}
        event = told["event"]
        if event == "step_finished":
            self._steps.append({name: told[name] for name in ("step", "kind", "seconds")} | _kept(Path(told["artifact"])))
            self.told["seconds_to_last_step"] = now
            self._save()
            line = f"{told['step']:36} {told['seconds']:8.2f} s  GPU peak {self._steps[-1].get('gpu_peak_gb')} GB"
        elif event == "step_started":
            self.told.setdefault("seconds_to_first_step", now)
        elif event is None:
            self.told["other_output"] = [*self.told["other_output"], line][-40:]
        if event not in {"step_started", "step_progress", "arm_ready"}:
            print(f"{now:8.2f}  {line}", flush=True)


def _kept(artifact: Path) -> dict[str, Any]:
    """What the step's own record says that bears on its time."""
    provenance = json.loads((artifact / "manifest.json").read_text(encoding="utf-8"))["provenance"]
    kept = {name: provenance[name] for name in ("lengths", "nf4_laid_out_in_bf16") if name in provenance}
    for name, peak in {"gpu_peak_gb": "gpu_peak_memory_bytes", "process_peak_gb": "peak_memory_bytes"}.items():
        if provenance.get(peak):
            kept[name] = round(provenance[peak] / 1e9, 2)
    for name in ("counts", "summary"):
        if (artifact / f"{name}.json").is_file():
            kept[name] = json.loads((artifact / f"{name}.json").read_text(encoding="utf-8"))
    return kept


def _by_kind(steps: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    seconds = {
        kind: [step["seconds"] for step in steps if step["kind"] == kind] for kind in {step["kind"]: 0 for step in steps}
    }
    return {kind: {"steps": len(each), "seconds": round(sum(each), 2)} for kind, each in seconds.items()}


def _surroundings(wanted: argparse.Namespace) -> dict[str, Any]:
    import torch

    settings = {name: value for name, value in vars(wanted).items() if name not in {"out", "work", "resume"}}
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "device": torch.cuda.get_device_name(0) if wanted.device == "cuda" else wanted.device,
        "processors": os.cpu_count(),
        "versions": {name: version(name) for name in _PACKAGES},
        "settings": settings | {"new_prompt_every": NEW_PROMPT_EVERY},
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=SHAPES, default="32b")
    parser.add_argument("--device", default="cuda")
    for name, default in {"seeds": 3, **_COUNTS}.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument(
        "--work", type=Path, default=Path("/tmp/experiment"), help="where model, instructions and artifacts are"
    )
    parser.add_argument("--resume", action="store_true", help="go on with what is kept there; else it is removed first")
    parser.add_argument("--stop-after", type=float, default=560.0, help="seconds, the making of the model folder included")
    parser.add_argument("--out", type=Path, default=Path("experiment.json"))
    return parser.parse_args()


def main() -> int:
    """Model folder, then the run; the result is written after every step. Returns the run's exit code."""
    began, wanted = time.monotonic(), _arguments()
    work, out = wanted.work.absolute(), wanted.out.absolute()
    if not wanted.resume:
        shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True, exist_ok=True)
    before = work / "result.json"
    result: dict[str, Any] = json.loads(before.read_text(encoding="utf-8")) if before.is_file() else {"runs": [], "steps": []}
    result |= {"what": __doc__, **_surroundings(wanted)}

    def save() -> None:
        result["by_kind"] = _by_kind(result["steps"])
        for path in (before, out):
            path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")

    if not (work / "model" / "model.safetensors.index.json").is_file():
        shutil.rmtree(work / "model", ignore_errors=True)
        shape = SHAPES[wanted.size]
        make_model(work / "model", replace(shape, vocabulary=max(shape.vocabulary, _LEAST_VOCABULARY)), wanted.device)
        gigabytes = sum(file.stat().st_size for file in (work / "model").iterdir()) / 1e9
        result["model_folder"] = {"gigabytes": round(gigabytes, 2), "seconds_to_write": round(time.monotonic() - began, 1)}
        print(f"model folder: {result['model_folder']}", flush=True)
    command_line = command(work, wanted)
    run = Run(result["steps"], save)
    result["runs"].append(run.told)
    code = run.follow(command_line, work, wanted.stop_after - (time.monotonic() - began))
    result["seconds_of_all_runs"] = round(sum(run["seconds"] for run in result["runs"]), 2)
    save()
    print(json.dumps({name: result[name] for name in ("by_kind", "seconds_of_all_runs", "device")}, indent=1), flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
