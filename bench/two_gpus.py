"""The same arms and seeds on one GPU and on two, through `stage1 run`: how much sooner, and whether the results agree.

    python bench/two_gpus.py --seeds 4 --out bench/two_gpus.json
    python bench/two_gpus.py --parts small --devices cpu      (the same with processes on the processor)

Two experiments: `small`, the quickstart on the embedded model with so many seeds, where several arms share a GPU, and `large`,
the original experiment's arms on random weights in a 7B's shapes in four bits (see `experiment.py`), where each arm has a GPU
to itself. Each is carried out from nothing by `--executor local` and by `--executor ray`, on the first GPU alone and on both; a
short run before them fills the caches of files and kernels. A row says what the whole command took and what its steps took,
how many steps were in work at a time on average, and, sampled twice a second from the driver, how many processes sat on each
GPU. Results are compared with the first row's of their experiment: artifacts that are the same to the byte, how far weights are
apart, answers that are the same, verdicts. A row for which too little time is left (`--stop-after`) is left out; the record
says so.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import fmean
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from stage1.gpus import visible_gpus

ROOT = Path(__file__).resolve().parent.parent
_LEAST_VOCABULARY = 16_384  # the tiny shape's own is smaller than the tokenizer
_GRACE = 20.0  # seconds that an interrupted run has to end itself
_SLACK = 1.15  # a row is begun if so many times what it should take are left


@dataclass(frozen=True)
class Row:
    """One way of carrying an experiment out."""

    part: str
    name: str
    gpus: int
    arguments: tuple[str, ...]
    rank: int
    """Of two rows that are left, the one that goes first."""
    share: float
    """Of the first row's seconds, what this one is thought to take."""


ROWS = (
    Row("small", "local, one GPU", 1, ("--workers", "1"), 0, 1.0),
    Row("small", "local, two GPUs", 2, ("--workers", "2"), 1, 0.6),
    Row("large", "local, one GPU", 1, ("--workers", "1"), 2, 1.0),
    Row("large", "local, two GPUs", 2, (), 3, 0.6),
    Row("small", "local, two GPUs shared", 2, (), 4, 0.6),
    Row("small", "local, one GPU shared", 1, ("--workers", "4"), 5, 0.7),
    Row("large", "ray, two GPUs", 2, ("--executor", "ray"), 6, 0.8),
    Row("small", "ray, two GPUs", 2, ("--executor", "ray"), 7, 0.8),
    Row("large", "ray, one GPU", 1, ("--executor", "ray"), 8, 1.1),
    Row("small", "ray, one GPU", 1, ("--executor", "ray"), 9, 1.1),
)


def main() -> int:
    """Run the rows in their order, compare, write the record after each; 1 if a run failed."""
    chosen = _arguments()
    began = time.monotonic()
    work = chosen.work.absolute()
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    bench = Bench(work, chosen, began + chosen.stop_after)
    record: dict[str, Any] = {"what": (__doc__ or "").strip(), **_surroundings(chosen), "rows": [], "left_out": []}
    save = chosen.out.absolute()
    if chosen.warm_up:
        record["warm_up"] = bench.warm_up()
    for row in sorted((row for row in ROWS if row.part in chosen.parts), key=lambda row: row.rank):
        if "ray" in row.arguments and importlib.util.find_spec("ray") is None:
            record["left_out"].append(f"{row.part}: {row.name}: Ray is not installed")
            continue
        if not bench.has_time_for(row):
            record["left_out"].append(f"{row.part}: {row.name}: {bench.left():.0f} s were left")
            continue
        record["rows"].append(bench.carry_out(row))
        record["speed_up"] = speed_ups(record["rows"])
        save.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        print(_line(record["rows"][-1]), flush=True)
    print(json.dumps({name: record.get(name) for name in ("speed_up", "left_out")}, indent=1), flush=True)
    return int(any(row["exit_code"] != 0 for row in record["rows"]))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", choices=("small", "large"), default=("small", "large"))
    parser.add_argument("--seeds", type=int, default=4, help="of the small experiment")
    parser.add_argument("--devices", choices=("cuda", "cpu"), default="cuda" if visible_gpus() else "cpu")
    parser.add_argument("--set", action="append", default=[], metavar="K=V", help="overrides of the small experiment")
    parser.add_argument("--size", default="7b", help="shapes of the large one")
    for name, default in {"large-seeds": 4, "train": 80, "heldout": 60, "pairs": 200, "tokens": 100}.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--no-warm-up", dest="warm_up", action="store_false")
    parser.add_argument("--work", type=Path, default=Path("/tmp/two-gpus"), help="is emptied")
    parser.add_argument("--stop-after", type=float, default=560.0, help="seconds")
    parser.add_argument("--out", type=Path, default=Path("two_gpus.json"))
    return parser.parse_args()


class Bench:
    """Prepares the experiments, carries rows out, and compares what they leave."""

    def __init__(self, work: Path, chosen: argparse.Namespace, ends: float) -> None:
        """`ends`: on the monotonic clock."""
        self._work, self._chosen, self._ends = work, chosen, ends
        self._first: dict[str, tuple[Path, float]] = {}
        self._specs: dict[str, tuple[str, ...]] = {}

    def left(self) -> float:
        """Seconds."""
        return self._ends - time.monotonic()

    def has_time_for(self, row: Row) -> bool:
        """Whether what is left is enough, by the first row of its experiment."""
        needed = self._first[row.part][1] * row.share * _SLACK if row.part in self._first else 60.0
        return self.left() > needed + _GRACE

    def warm_up(self) -> dict[str, Any]:
        """A run of the smallest experiment."""
        spec = ROOT / "tests" / "stage1" / "nano.yaml"
        return self._run("warm-up", 1, [str(spec), "--only", "sft", "--workers", "1"])

    def carry_out(self, row: Row) -> dict[str, Any]:
        """A record of the row."""
        name = f"{row.part}-{row.name.replace(', ', '-').replace(' ', '-')}"
        told = {"part": row.part, "name": row.name, "gpus": row.gpus, "arguments": row.arguments}
        told |= self._run(name, row.gpus, [*self._spec(row.part), *row.arguments])
        if row.part in self._first:
            told["against_first"] = agreement(self._first[row.part][0], self._work / name)
        else:
            self._first[row.part] = (self._work / name, told["seconds"])
        return told

    def _spec(self, part: str) -> tuple[str, ...]:
        if part not in self._specs:
            self._specs[part] = self._small() if part == "small" else self._large()
        return self._specs[part]

    def _small(self) -> tuple[str, ...]:
        seeds = ",".join(map(str, range(1, self._chosen.seeds + 1)))
        overrides = [f"seeds=[{seeds}]", *self._chosen.set]
        return (str(ROOT / "specs" / "quickstart.yaml"), *(word for told in overrides for word in ("--set", told)))

    def _large(self) -> tuple[str, ...]:
        from experiment import SHAPES, command, make_model

        began = time.monotonic()
        shape = SHAPES[self._chosen.size]
        shape = replace(shape, vocabulary=max(shape.vocabulary, _LEAST_VOCABULARY))
        make_model(self._work / "model", shape, self._chosen.devices)
        print(f"model folder written in {time.monotonic() - began:.0f} s", flush=True)
        told = command(self._work, argparse.Namespace(**vars(self._chosen) | {"seeds": self._chosen.large_seeds}))
        return tuple(told[told.index("run") + 1 : told.index("--log-format")])

    def _run(self, name: str, gpus: int, arguments: Sequence[str]) -> dict[str, Any]:
        folder = self._work / name
        folder.mkdir()
        visible = ",".join(gpu.id for gpu in visible_gpus()[:gpus])
        paths = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
        environment = os.environ | {"PYTHONPATH": paths, "NCCL_NVLS_ENABLE": "0"}
        if self._chosen.devices == "cuda":
            environment |= {"CUDA_VISIBLE_DEVICES": visible}
        elif "--workers" not in arguments and "--executor" not in arguments:
            arguments = [*arguments, "--workers", str(gpus)]
        command = [sys.executable, "-m", "stage1", "run", *arguments, "--log-format", "json"]
        return Followed(self.left()).run(command, folder, environment)


@dataclass
class Followed:
    """One command, listened to until its end or until it has had its seconds."""

    seconds: float
    begun: dict[str, float] = field(default_factory=dict)
    ended: dict[str, float] = field(default_factory=dict)
    took: dict[str, float] = field(default_factory=dict)
    other: list[str] = field(default_factory=list)

    def run(self, command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> dict[str, Any]:
        """What it took, and what it kept busy."""
        self._began = time.monotonic()
        process = subprocess.Popen(
            command, cwd=folder, env=dict(environment), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        timers = [
            threading.Timer(max(1.0, self.seconds - _GRACE), process.send_signal, (signal.SIGINT,)),
            threading.Timer(max(2.0, self.seconds), process.kill),
        ]
        for timer in timers:
            timer.daemon = True
            timer.start()
        with Sampled() as sampled:
            for line in process.stderr or ():
                self._hear(line.rstrip())
            code = process.wait()
        for timer in timers:
            timer.cancel()
        whole = time.monotonic() - self._began
        return {"exit_code": code, "seconds": round(whole, 2), **self._steps(), "gpus_in_use": sampled.told()} | (
            {"other_output": self.other[-40:]} if self.other else {}
        )

    def _hear(self, line: str) -> None:
        now = time.monotonic() - self._began
        try:
            told = json.loads(line)
            event = told["event"]
        except (ValueError, KeyError, TypeError):
            self.other.append(line)
            return
        if event == "step_started":
            self.begun.setdefault(told["step"], now)
        elif event == "step_finished":
            self.ended[told["step"]], self.took[told["step"]] = now, told["seconds"]
        elif event not in {"step_progress", "arm_ready", "run_started"}:
            self.other.append(line)

    def _steps(self) -> dict[str, Any]:
        if not self.ended:
            return {"steps": 0}
        span = max(self.ended.values()) - min(self.begun.values())
        return {
            "steps": len(self.ended),
            "seconds_of_steps": round(span, 2),
            "seconds_to_first_step": round(min(self.begun.values()), 2),
            "steps_at_a_time": round(sum(self.took.values()) / span, 2),
            "seconds_by_kind": _by_kind(self.took),
        }


def _by_kind(took: Mapping[str, float]) -> dict[str, float]:
    kinds: dict[str, float] = {}
    for step, seconds in took.items():
        kind = step.split("/")[0]
        kinds[kind] = round(kinds.get(kind, 0.0) + seconds, 2)
    return kinds


class Sampled:
    """Twice a second: who sits on each GPU, and how busy it is."""

    def __init__(self) -> None:
        self._seen: list[list[tuple[int, int, int]]] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Sampled:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def told(self) -> list[dict[str, Any]]:
        """Per GPU of the machine."""
        return [
            {
                "most_processes": max(sample[0] for sample in of_one),
                "mean_busy_percent": round(fmean(sample[1] for sample in of_one), 1),
                "most_memory_gb": round(max(sample[2] for sample in of_one) / 1e9, 1),
            }
            for of_one in zip(*self._seen, strict=True)
        ]

    def _look(self) -> None:
        try:
            import pynvml

            pynvml.nvmlInit()
        except Exception:  # no driver: nothing to be seen
            return
        handles = [pynvml.nvmlDeviceGetHandleByIndex(number) for number in range(pynvml.nvmlDeviceGetCount())]
        while not self._over.wait(0.5):
            self._seen.append(
                [
                    (
                        len(pynvml.nvmlDeviceGetComputeRunningProcesses(handle)),
                        pynvml.nvmlDeviceGetUtilizationRates(handle).gpu,
                        pynvml.nvmlDeviceGetMemoryInfo(handle).used,
                    )
                    for handle in handles
                ]
            )


def agreement(first: Path, second: Path) -> dict[str, Any]:
    """How far two runs of one plan agree."""
    ours, theirs = dict(_manifests(first)), dict(_manifests(second))
    both = sorted(ours.keys() & theirs.keys())
    same = [name for name in both if _hashes(ours[name]) == _hashes(theirs[name])]
    answers = [pair for name in both for pair in _answers(first, second, name)]
    apart = [_weights_apart(first, second, name) for name in both if ours[name]["kind"] == "train"]
    return {
        "artifacts": len(ours),
        "missing": len(ours.keys() ^ theirs.keys()),
        "same_bytes": len(same),
        "other_bytes_by_kind": _counted(ours[name]["kind"] for name in both if name not in set(same)),
        "answers": len(answers),
        "same_answers": sum(one == other for one, other in answers),
        "weights_apart_at_most": max(apart, default=None),
        **_verdicts(first, second, both, ours),
    }


def _manifests(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in (folder / "runs" / "artifacts").glob("*/manifest.json"):
        yield path.parent.name, json.loads(path.read_text(encoding="utf-8"))


def _hashes(manifest: Mapping[str, Any]) -> dict[str, str]:
    return {name: told["sha256"] for name, told in manifest["files"].items()}


def _counted(names: Iterator[str] | Any) -> dict[str, int]:
    counts: dict[str, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    return counts


def _file(folder: Path, fingerprint: str, name: str) -> Path:
    return folder / "runs" / "artifacts" / fingerprint / name


def _answers(first: Path, second: Path, fingerprint: str) -> list[tuple[str, str]]:
    paths = [_file(folder, fingerprint, "answers.jsonl") for folder in (first, second)]
    if not all(path.is_file() for path in paths):
        return []
    told = [[json.loads(line)["response"] for line in path.read_text(encoding="utf-8").splitlines()] for path in paths]
    return list(zip(*told, strict=True))


def _weights_apart(first: Path, second: Path, fingerprint: str) -> float:
    """Of all trained weights together, relative to their norm."""
    from safetensors.numpy import load_file

    one, other = (load_file(next(_file(folder, fingerprint, "checkpoint").glob("*.safetensors"))) for folder in (first, second))
    apart = sum(float(((one[name].astype("f8") - other[name].astype("f8")) ** 2).sum()) for name in one)
    return float((apart / sum(float((weight.astype("f8") ** 2).sum()) for weight in one.values())) ** 0.5)


def _verdicts(first: Path, second: Path, both: Sequence[str], manifests: Mapping[str, Any]) -> dict[str, Any]:
    name = next((name for name in both if manifests[name]["kind"] == "analyze"), None)
    if name is None:
        return {"verdicts_agree": None}
    one, other = (json.loads(_file(folder, name, "analysis.json").read_text(encoding="utf-8")) for folder in (first, second))
    verdicts = [{claim["claim"]: claim["verdict"] for claim in told["claims"]} for told in (one, other)]
    effects = [
        [contrast["effect"] for claim in told["claims"] for contrast in claim["contrasts"] if contrast["effect"] is not None]
        for told in (one, other)
    ]
    apart = [abs(a - b) for a, b in zip(*effects, strict=False)]
    return {"verdicts_agree": verdicts[0] == verdicts[1], "effects_apart_at_most": max(apart, default=None)}


def speed_ups(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each row's times against the first row's of its experiment, and of its executor where that ran on one GPU."""
    found = []
    for row in rows:
        for base in rows:
            alike = base["part"] == row["part"] and base is not row and base["gpus"] < row["gpus"]
            if alike and base["exit_code"] == row["exit_code"] == 0:
                times = {name: round(base[name] / row[name], 2) for name in ("seconds", "seconds_of_steps") if row.get(name)}
                found.append({"part": row["part"], "of": row["name"], "over": base["name"], **times})
    return found


def _surroundings(chosen: argparse.Namespace) -> dict[str, Any]:
    settings = {name: value for name, value in vars(chosen).items() if name not in {"out", "work"}}
    packages = [name for name in ("torch", "transformers", "lightning", "peft", "ray") if importlib.util.find_spec(name)]
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "gpus": [gpu.name for gpu in visible_gpus()],
        "processors": os.cpu_count(),
        "versions": {name: version(name) for name in packages},
        "settings": settings,
    }


def _line(row: Mapping[str, Any]) -> str:
    at_once = row.get("steps_at_a_time", "-")
    told = f"{row['part']:<6} {row['name']:<24} {row['seconds']:>8.1f} s, {row['steps']} steps, {at_once} at a time"
    if row["exit_code"]:
        return f"{told}  FAILED ({row['exit_code']})\n" + "\n".join(row.get("other_output", [])[-12:])
    return f"{told}  {json.dumps(row['gpus_in_use'])}  {json.dumps(row.get('against_first', {}))}"


if __name__ == "__main__":
    sys.exit(main())
