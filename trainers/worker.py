"""One process of a training on several devices: `python -m trainers.worker JOB RANK`, started by `trainers.launch`.

It tells its parent what happens, one JSON object a line on stdout, and ends at once when its stdin closes: its parent is gone.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lightning.pytorch.loggers import Logger

from models.errors import ModelError
from trainers.errors import TrainingDiverged, TrainingError

if TYPE_CHECKING:
    from trainers.launch import TrainingJob

Tell = Callable[[Mapping[str, Any]], None]


def main(job_file: Path, rank: int) -> int:
    """The exit code; what went wrong has been told."""
    tell = _voice()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        _work(job_file, rank, tell)
    except BaseException as error:
        tell({"error": described(error)})
        return 1
    return 0


def _work(job_file: Path, rank: int, tell: Tell) -> None:
    import torch
    from torch import distributed

    from models.contamination import check_contamination
    from models.loading import load_base
    from trainers.examples import Examples
    from trainers.fit import train
    from trainers.launch import TrainingJob
    from trainers.resume import Keeping
    from trainers.strategy import DdpPeers, FsdpPeers

    job = TrainingJob.model_validate_json(job_file.read_bytes())
    device = torch.device("cpu")
    if job.device_type == "cuda":
        device = torch.device("cuda", rank)
        torch.cuda.set_device(device)
    sharded = job.strategy == "fsdp"
    base = replace(load_base(job.model, "cpu" if sharded else device), device=device)  # shards move to the device one by one
    check_contamination(base.tokenizer)
    backend = "gloo" if device.type == "cpu" else "cpu:gloo,cuda:nccl"  # a few numbers are agreed upon on the host
    distributed.init_process_group(backend, init_method=job.meeting_point.as_uri(), rank=rank, world_size=job.devices)
    train(
        base,
        recipe=job.recipe,
        adapter=job.adapter,
        seed=job.seed,
        examples=Examples(job.demonstrations, job.pairs, job.reference),
        checkpoint=job.checkpoint,
        out=job.out,
        loggers=[_Relay(tell)],
        token_budget=job.token_budget,
        on_progress=(lambda done, total: tell({"progress": [done, total]})) if rank == 0 else None,
        keeping=_keeping(Keeping, job),
        warn=(lambda line: tell({"warning": line})) if rank == 0 else lambda _: None,
        peers=FsdpPeers(device) if sharded else DdpPeers(),
    )


def _keeping(kind: Any, job: TrainingJob) -> Any:
    if job.keeping is None:
        return None
    paths = {name: Path(job.keeping[name]) for name in ("folder", "aside")}
    return kind(**{**job.keeping, **paths})


class _Relay(Logger):
    """Sends curves to the parent."""

    name = version = "relay"

    def __init__(self, tell: Tell) -> None:
        super().__init__()
        self._tell = tell

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        self._tell({"curves": [step or 0, dict(metrics)]})

    def log_hyperparams(self, params: Any, *args: Any, **kwargs: Any) -> None:
        pass


def _voice() -> Tell:
    """The parent's ear is kept for what is told; whatever libraries print goes to stderr."""
    ear = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def tell(what: Mapping[str, Any]) -> None:
        ear.write(json.dumps(what) + "\n")
        ear.flush()

    return tell


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


def described(error: BaseException) -> dict[str, Any]:
    """An error as JSON, for `trainers.launch.exception_of`."""
    if isinstance(error, TrainingDiverged):
        return {"kind": "diverged", "step": error.step, "loss": error.loss, "grad_norm": error.grad_norm, "ids": error.ids}
    if isinstance(error, (TrainingError, ModelError)):
        return {"kind": "training" if isinstance(error, TrainingError) else "model", "message": str(error)}
    last = " ".join(str(error).split())[:300]
    details = "".join(traceback.format_exception(error))
    return {"kind": "other", "message": f"failed ({type(error).__name__}: {last})", "details": details}


if __name__ == "__main__":
    code = main(Path(sys.argv[1]), int(sys.argv[2]))
    sys.stderr.flush()
    os._exit(code)  # no clean-up that could wait for a process that is gone
