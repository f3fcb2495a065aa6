"""Trains the same small arms on one device and on two, by ddp and by FSDP2, and compares every loss and the checkpoints.

    python bench/two_devices.py [--device cuda|cpu] [--devices 2] [--base tiny-base] [--items 96] [--out bench/two_devices.json]
    python bench/two_devices.py --arms "dpo, adapter" --rows ddp fsdp      (some of it: a row starts processes)

Rows: `one` against itself (a second run), `ddp` and `fsdp` against `one`, and `ddp, killed`: one process is killed with -9 half
way, the same call goes on from the kept state and is compared with `ddp` undisturbed. On a GPU the synchronisations of host and
device that a training step makes are counted too.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import psutil
import torch
from safetensors.torch import load_file

from compiler.records import Demonstration, PreferencePair
from datagen.bank import load_bank
from datagen.heldout_pairs import build_heldout_pairs
from models.loading import LoadedBase, load_base
from models.pairs import pair_log_probs
from trainers.errors import TrainingError
from trainers.fit import Examples, train
from trainers.launch import train_on_devices
from trainers.resume import Keeping

os.environ.setdefault("NCCL_NVLS_ENABLE", "0")  # multicast over NVLink touches what other tenants of a host share
ROWS = ("ddp", "fsdp", "killed")
ADAPTER = {"rank": 16, "alpha": 32, "dropout": 0.0, "targets": "all-linear"}
RECIPE: Mapping[str, Any] = {"batch_size": 16, "max_length": 256, "epochs": 2, "warmup_ratio": 0.1}


@dataclass(frozen=True)
class Arm:
    """One training, told alike to every strategy."""

    name: str
    model: Mapping[str, Any]
    device: str
    devices: int
    told: Mapping[str, Any]

    def on_one(self, base: LoadedBase, out: Path, **options: Any) -> float:
        """Seconds on one device."""
        out.mkdir()
        return train(base, out=out, **self.told, **options).seconds

    def on_several(self, strategy: Any, out: Path, **options: Any) -> float:
        """Seconds on several devices, the start of their processes included."""
        out.mkdir()
        return train_on_devices(
            self.model, devices=self.devices, strategy=strategy, device_type=self.device, out=out, **self.told, **options
        ).seconds


def main() -> int:
    """Run, compare, print a table, write a record; 1 if something differs by more than float order."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu", choices=("cuda", "cpu"))
    parser.add_argument("--devices", type=int, default=2)
    parser.add_argument("--base", default="tiny-base")
    parser.add_argument("--dtype", default="float32", choices=("float32", "bfloat16"))
    parser.add_argument("--items", type=int, default=96)
    parser.add_argument("--tolerance", type=float, default=1e-3, help="largest relative difference of a loss")
    parser.add_argument("--arms", nargs="+", help="some of the arms, by name")
    parser.add_argument("--rows", nargs="+", choices=ROWS, default=ROWS, help="some of the rows; `one, again` is always there")
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    if chosen.device == "cpu":
        torch.set_num_threads(chosen.devices)
    model = {"base": chosen.base, "dtype": chosen.dtype}
    base = load_base(model, chosen.device if chosen.device == "cpu" else "cuda:0")
    arms = [Arm(name, model, chosen.device, chosen.devices, told) for name, told in _trainings(base, chosen.items).items()]
    arms = [arm for arm in arms if chosen.arms is None or arm.name in chosen.arms]
    rows: list[dict[str, Any]] = []
    record = {
        "date": datetime.now(UTC).date().isoformat(),
        "device": torch.cuda.get_device_name() if chosen.device == "cuda" else platform.processor() or platform.machine(),
        "devices": chosen.devices,
        "versions": {"torch": torch.__version__, "python": platform.python_version()},
        "settings": {"base": chosen.base, "dtype": chosen.dtype, "items": chosen.items, **RECIPE},
        "syncs_per_step": None,
        "rows": rows,
    }
    for arm in arms:
        with tempfile.TemporaryDirectory() as folder:
            for row in _compared(arm, base, Path(folder), chosen.rows):
                rows.append(row)
                print(_line(row), flush=True)
                _write(record, chosen.out)
    if chosen.device == "cuda":
        record["syncs_per_step"] = _syncs(arms[-1], base)
        _write(record, chosen.out)
    print(f"host-device synchronisations per training step: {record['syncs_per_step']}")
    return int(any(row["failed"] or row["loss_difference"] > chosen.tolerance for row in rows))


def _write(record: Mapping[str, Any], out: Path | None) -> None:
    """After every row: what was measured is kept, whatever comes."""
    if out:
        out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def _trainings(base: LoadedBase, items: int) -> dict[str, dict[str, Any]]:
    chosen = load_bank()[:items]
    demonstrations = [
        Demonstration(item_id=item.id, instruction=item.instruction, response=(item.answers or ("Yes.",))[0], split=_split(at))
        for at, item in enumerate(chosen)
    ]
    split = {item.id: _split(at) for at, item in enumerate(chosen)}
    built = build_heldout_pairs(chosen, seed=1).pairs
    pairs = [PreferencePair(**{**pair.model_dump(), "split": split[pair.item_id]}) for pair in built]
    sft = {**RECIPE, "objective": "sft", "learning_rate": 1e-3}
    dpo = {**RECIPE, "objective": "dpo", "learning_rate": 2e-4}
    common: dict[str, Any] = {"seed": 1, "checkpoint": None}
    whole = {**common, "recipe": sft, "adapter": None, "examples": Examples(demonstrations=demonstrations)}
    return {
        **({"sft, all weights": whole} if base.model.dtype.itemsize >= 4 else {}),  # in half precision these are not trained
        "sft, adapter": {**common, "recipe": sft, "adapter": ADAPTER, "examples": Examples(demonstrations=demonstrations)},
        "dpo, adapter": {
            **common,
            "recipe": dpo,
            "adapter": ADAPTER,
            "examples": Examples(pairs=pairs, reference=pair_log_probs(base, pairs)),
        },
    }


def _split(at: int) -> Any:
    return "train" if at % 8 else "validation"


def _compared(arm: Arm, base: LoadedBase, folder: Path, rows: Sequence[str]) -> Iterator[dict[str, Any]]:
    one, ddp = folder / "one", folder / "ddp"
    seconds = arm.on_one(base, one)
    again = _row(arm, "one, again", one, folder / "again", lambda out: arm.on_one(base, out))
    yield {**again, "seconds_of_first": round(seconds, 2)}
    if "ddp" in rows:
        yield _row(arm, "ddp", one, ddp, lambda out: arm.on_several("ddp", out))
    if "fsdp" in rows:
        yield _row(arm, "fsdp", one, folder / "fsdp", lambda out: arm.on_several("fsdp", out))
    if "killed" in rows and (ddp / "curves.jsonl").is_file():
        yield _row(arm, "ddp, killed", ddp, folder / "resumed", lambda out: _killed_and_resumed(arm, folder, out))


def _killed_and_resumed(arm: Arm, folder: Path, out: Path) -> float:
    (folder / "kept").mkdir()
    keeping = Keeping(folder / "kept", folder / "aside", every_steps=1, every_seconds=None)

    def kill(done: int, total: int) -> None:
        if done == max(2, total // 2):
            psutil.Process().children()[-1].kill()
            time.sleep(1)

    with contextlib.suppress(TrainingError):
        arm.on_several("ddp", folder / "killed", keeping=keeping, on_progress=kill)
    if not any(keeping.folder.iterdir()):
        raise RuntimeError("the killed training left no state")
    return arm.on_several("ddp", out, keeping=keeping)


def _row(arm: Arm, how: str, expected: Path, out: Path, run: Callable[[Path], float]) -> dict[str, Any]:
    try:
        seconds = run(out)
    except Exception as error:  # a failure is a row of the table
        details = getattr(error, "details", "")
        return {"arm": arm.name, "how": how, "failed": f"{error}", "details": details[-2000:], "loss_difference": 0.0}
    first, second = _curves(expected), _curves(out)
    steps = [key for key in first if key[1] == "train/loss"]
    return {
        "arm": arm.name,
        "how": how,
        "failed": None if first.keys() == second.keys() else "the curves have other points",
        "steps": len(steps),
        "loss_difference": max(abs(first[key] - second.get(key, 0.0)) / abs(first[key]) for key in steps),
        "checkpoint_difference": _checkpoint_difference(expected, out),
        "same_bytes": _weights(expected).read_bytes() == _weights(out).read_bytes(),
        "seconds": round(seconds, 2),
    }


def _curves(folder: Path) -> dict[tuple[int, str], float]:
    rows = map(json.loads, (folder / "curves.jsonl").read_text(encoding="utf-8").splitlines())
    return {(row["step"], row["name"]): row["value"] for row in rows}


def _weights(folder: Path) -> Path:
    return next((folder / "checkpoint").glob("*.safetensors"))


def _checkpoint_difference(expected: Path, out: Path) -> float:
    """Of all weights together, relative to their norm."""
    first, second = load_file(_weights(expected)), load_file(_weights(out))
    apart = sum(float((first[name].double() - second[name].double()).square().sum()) for name in first)
    return float((apart / sum(float(weight.double().square().sum()) for weight in first.values())) ** 0.5)


def _syncs(arm: Arm, base: LoadedBase) -> float:
    """Calls in which the host waited for the device, per optimizer step between the second and the last but one."""
    seen: list[int] = []
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            arm.on_one(base, Path(folder) / "out", on_progress=lambda done, total: seen.append(_count(caught)))
        finally:
            torch.cuda.set_sync_debug_mode("default")
    between = seen[1:-1]
    return (between[-1] - between[0]) / max(1, len(between) - 1)


def _count(caught: list[warnings.WarningMessage]) -> int:
    return sum("synchroniz" in str(warning.message) for warning in caught)


def _line(row: Mapping[str, Any]) -> str:
    start = f"{row['arm']:<18} {row['how']:<12}"
    if row["failed"]:
        return f"{start} FAILED {row['failed']} {row.get('details', '')}"
    return (
        f"{start} {row['steps']:>3} steps {row['seconds']:>8.2f} s  losses {row['loss_difference']:.1e}  "
        f"checkpoint {row['checkpoint_difference']:.1e}{'  same bytes' if row['same_bytes'] else ''}"
    )


if __name__ == "__main__":
    sys.exit(main())
