"""Trains on several devices of this machine: a process per device, watched, and ended together."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Literal

import torch
from pydantic import BaseModel, ConfigDict

from compiler.records import Demonstration, PairLogProbs, PreferencePair
from models.errors import ModelError
from models.loading import pick_device
from trainers.errors import TrainingDiverged, TrainingError
from trainers.examples import Examples
from trainers.fit import TrainSummary
from trainers.resume import Keeping

_GRACE = 3.0  # seconds in which the process that failed first is told from those that failed because of it
_PATIENCE = 10.0  # seconds that processes have to end themselves


class TrainingJob(BaseModel):
    """Everything that the processes of a training are told, as JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    devices: int
    strategy: Literal["ddp", "fsdp"]
    device_type: str
    model: dict[str, Any]
    recipe: dict[str, Any]
    adapter: dict[str, Any] | None
    seed: int
    demonstrations: tuple[Demonstration, ...]
    pairs: tuple[PreferencePair, ...]
    reference: tuple[PairLogProbs, ...]
    checkpoint: Path | None
    out: Path
    token_budget: int | None
    keeping: dict[str, Any] | None
    meeting_point: Path
    """A file through which the processes find each other."""


def train_on_devices(
    model: Mapping[str, Any],
    *,
    devices: int,
    strategy: Literal["ddp", "fsdp"],
    recipe: Mapping[str, Any],
    adapter: Mapping[str, Any] | None,
    seed: int,
    examples: Examples,
    checkpoint: Path | None,
    out: Path,
    loggers: Sequence[Any] = (),
    token_budget: int | None = None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
    keeping: Keeping | None = None,
    warn: Callable[[str], None] = lambda _: None,
    device_type: str | None = None,
) -> TrainSummary:
    """Like `trainers.fit.train`, with every global batch divided among processes: the same result to float order.

    Args:
        model: settings of the base model, which every process loads for itself.
        devices: GPUs of this machine, or processes on its CPU where it has none.
        strategy: `ddp`: the whole model on every device; `fsdp`: every weight sharded over the devices (FSDP2).
        device_type: `cuda` or `cpu`; None takes what there is.

    Raises:
        TrainingError: as `train`; too few devices, or a process died: then no other is left behind.
    """
    where = device_type or pick_device().type
    _check(model, devices, strategy, where)
    started = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="training-") as folder:
        job = TrainingJob(
            devices=devices,
            strategy=strategy,
            device_type=where,
            model=dict(model),
            recipe=dict(recipe),
            adapter=dict(adapter) if adapter is not None else None,
            seed=seed,
            demonstrations=tuple(examples.demonstrations),
            pairs=tuple(examples.pairs),
            reference=tuple(examples.reference),
            checkpoint=checkpoint.absolute() if checkpoint else None,
            out=out.absolute(),
            token_budget=token_budget,
            keeping=asdict(keeping) if keeping else None,
            meeting_point=Path(folder) / "meeting-point",
        )
        (Path(folder) / "job.json").write_text(job.model_dump_json(), encoding="utf-8")
        _follow(Path(folder), devices, _Listener(loggers, on_progress, warn))
    for logger in loggers:
        logger.finalize("success")
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    return TrainSummary(**summary, seconds=time.perf_counter() - started)


def _check(model: Mapping[str, Any], devices: int, strategy: str, device_type: str) -> None:
    if device_type == "cuda" and devices > torch.cuda.device_count():
        raise TrainingError(
            f"runtime.devices is {devices}, but this machine has {torch.cuda.device_count()}: lower it, or take another machine"
        )
    if strategy == "fsdp" and model.get("quantization", "none") != "none":
        raise TrainingError("runtime.strategy fsdp cannot shard four-bit weights: set it to ddp, or quantization to none")


@dataclass(frozen=True)
class _Listener:
    """Passes on what the first process tells."""

    loggers: Sequence[Any]
    on_progress: Callable[[int, int], None]
    warn: Callable[[str], None]

    def hear(self, told: Mapping[str, Any]) -> None:
        if "progress" in told:
            self.on_progress(*told["progress"])
        if "curves" in told:
            step, values = told["curves"]
            for logger in self.loggers:
                logger.log_metrics(values, step=step)
        if "warning" in told:
            self.warn(told["warning"])


class ProcessFailed(TrainingError):
    """A process of a training failed or died."""

    details: str = ""
    """Its traceback, or the last it wrote to stderr."""


@dataclass(frozen=True)
class Ended:
    """How a process ended that was not to end."""

    rank: int
    error: Mapping[str, Any] | None
    """What it said of it."""
    code: int | None
    """Its exit code; None where it is still on its way out."""
    last_words: str
    """The end of what it wrote to stderr."""


def _follow(folder: Path, devices: int, listener: _Listener) -> None:
    """Runs the processes to their end, or ends them all."""
    heard: queue.Queue[tuple[int, str | None]] = queue.Queue()
    with _processes(folder, devices, heard) as processes:
        running = set(range(devices))
        while running:
            rank, line = heard.get()
            told = json.loads(line) if line is not None else {}
            failed = "error" in told or (line is None and processes[rank].wait() != 0)
            if failed:
                raise exception_of(_first_cause(folder, processes, heard, rank, told.get("error")), devices)
            if line is None:
                running.discard(rank)
            listener.hear(told)


@contextlib.contextmanager
def _processes(
    folder: Path, devices: int, heard: queue.Queue[tuple[int, str | None]]
) -> Iterator[list[subprocess.Popen[bytes]]]:
    """One per device. None outlives the block, nor this process: a closed stdin ends them."""
    processes: list[subprocess.Popen[bytes]] = []
    try:
        for rank in range(devices):
            with (folder / f"stderr-{rank}").open("wb") as stderr:
                processes.append(_start(folder, rank, devices, stderr))
            threading.Thread(target=_listen, args=(rank, processes[rank].stdout, heard), daemon=True).start()
        yield processes
    finally:
        for process in processes:
            process.terminate()
        deadline = time.monotonic() + _PATIENCE
        for process in processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))
            process.kill()
            process.wait()


def _start(folder: Path, rank: int, devices: int, stderr: IO[bytes]) -> subprocess.Popen[bytes]:
    root = str(Path(__file__).resolve().parent.parent)
    environment = os.environ | {
        "LOCAL_RANK": str(rank),
        "PYTHONPATH": os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])]),
        "OMP_NUM_THREADS": str(max(1, torch.get_num_threads() // devices)),
    }
    return subprocess.Popen(
        [sys.executable, "-m", "trainers.worker", str(folder / "job.json"), str(rank)],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        start_new_session=True,  # Ctrl-C reaches this process, which ends them
    )


def _listen(rank: int, stdout: IO[bytes] | None, heard: queue.Queue[tuple[int, str | None]]) -> None:
    for line in stdout or ():
        heard.put((rank, line.decode()))
    heard.put((rank, None))


def _first_cause(
    folder: Path,
    processes: Sequence[subprocess.Popen[bytes]],
    heard: queue.Queue[tuple[int, str | None]],
    rank: int,
    error: Mapping[str, Any] | None,
) -> Ended:
    """When a process ends, others lose their connection to it: a named reason counts most, then a silent death."""
    ended = {rank: error}
    deadline = time.monotonic() + _GRACE
    with contextlib.suppress(queue.Empty):
        while time.monotonic() < deadline and len(ended) < len(processes):
            other, line = heard.get(timeout=max(0.0, deadline - time.monotonic()))
            told = json.loads(line) if line is not None else {}
            if "error" in told or (line is None and other not in ended and processes[other].wait() != 0):
                ended[other] = told.get("error")

    def weight(candidate: int) -> int:
        said = ended[candidate]
        return 1 if said is None else 0 if said["kind"] != "other" else 2

    first = min(ended, key=weight)  # of equals the one that was heard first
    stderr = (folder / f"stderr-{first}").read_text(encoding="utf-8", errors="replace")
    return Ended(first, ended[first], processes[first].poll(), stderr[-4000:])


def exception_of(ended: Ended, devices: int) -> Exception:
    """The error of a process as if it had happened here."""
    error = ended.error or {"kind": "died"}
    if error["kind"] == "diverged":
        return TrainingDiverged(error["step"], error["loss"], error["grad_norm"], error["ids"])
    if error["kind"] == "model":
        return ModelError(error["message"])
    if error["kind"] == "training":
        return TrainingError(error["message"])
    how = error["message"] if ended.error else _manner(ended.code)
    found = ProcessFailed(f"process {ended.rank + 1} of the training's {devices} {how}; the others were ended")
    found.details = error.get("details") or ended.last_words
    return found


def _manner(code: int | None) -> str:
    if code is not None and code < 0:
        return f"was killed ({signal.Signals(-code).name})"
    return f"ended by itself (exit code {code})"
