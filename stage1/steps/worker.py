"""Finds the code for each kind of step; imported code stays out of the way until its kind is needed."""

from __future__ import annotations

import importlib
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from compiler.language.spec import Runtime
from compiler.plan import Step, StepKind
from stage1.failures import GpuGone
from stage1.gpus import SEAT_GPUS
from stage1.steps.job import Job
from stage1.store import Artifact, Draft

_MODULES: Mapping[StepKind, str] = {
    "instructions": "instructions",
    "generate": "answers",
    "demonstrations": "demonstrations",
    "preferences": "preferences",
    "heldout_pairs": "heldout_pairs",
    "reference": "log_probabilities",
    "train": "train",
    "respond": "answers",
    "prefer": "log_probabilities",
    "score": "score",
    "gate": "gate",
    "analyze": "analyze",
}


def _code(step: Step) -> Any:
    """The module that makes the step's artifact."""
    name = "outside_answers" if "responses" in step.settings else _MODULES[step.kind]
    return importlib.import_module(f"stage1.steps.{name}")


class StepWorker:
    """The runner's worker: calls `run(job)` of the module that makes a step's kind of artifact."""

    def __init__(
        self,
        read_text: Callable[[str], str],
        progress: Callable[[Step, int, int], None],
        curve_loggers: Callable[[Step], Sequence[Any]],
        note: Callable[[Step, str], None],
        runtime: Runtime,
    ) -> None:
        self._read_text = read_text
        self._progress = progress
        self._curve_loggers = curve_loggers
        self._note = note
        self._runtime = runtime
        self._resident: Any = None
        logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # tells of a CPU kernel that it misses and nobody asked for

    def prepare(self, step: Step) -> None:
        """Import the step's code and load its base model; trainings over several devices load theirs themselves."""
        _code(step)
        if "model" in step.settings and self._runtime.devices == 1:
            self._models().base(step.settings["model"])

    def work(self, step: Step, inputs: Mapping[str, Artifact], draft: Draft) -> None:
        """Fill the draft with the step's files."""
        job = Job(
            step=step,
            inputs=inputs,
            draft=draft,
            models=self._models,
            read_text=self._read_text,
            note=lambda text: self._note(step, text),
            runtime=self._runtime,
            progress=lambda done, total: self._progress(step, done, total),
            curve_loggers=lambda: self._curve_loggers(step),
        )
        _code(step).run(job)

    def _models(self) -> Any:
        if self._resident is None:
            import torch

            from stage1.steps.resident import Resident

            if (given := os.environ.get(SEAT_GPUS)) and not torch.cuda.is_available():
                raise GpuGone(f"PyTorch does not see GPU {given}, which is this process's own")
            self._resident = Resident()
        return self._resident
