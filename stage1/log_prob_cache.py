"""Log-probabilities that a model has computed once: kept by what was read together, shared by all steps that ask the model.

A folder per model as planned, and in that of a trained one a folder per content of its checkpoint: one that is made again
(on a GPU) has other weights under the same fingerprint. A file per step that found something new, named by the hash of its
content: one that is not what was written is noticed and passed over, and what several processes write at once adds up.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from compiler.plan import Plan, Step, fingerprint
from stage1.store.files import write_whole

if TYPE_CHECKING:
    from models.pairs import Tree
    from stage1.store import Artifact


def log_prob_cache(step: Step, checkpoint: Artifact | None, folder_of: Callable[[str], Path]) -> LogProbCache:
    """What the very model that a step asks has computed, the weights that its checkpoint's manifest promises included.

    Args:
        step: of kind `reference` or `prefer`.
        checkpoint: of the training that the step asks; None asks the base model, which its settings identify.
        folder_of: the folder of a model as planned.
    """
    if checkpoint is None:
        return LogProbCache(folder_of(model_asked(step, None)))
    folder = folder_of(model_asked(step, checkpoint.manifest["fingerprint"]))
    return LogProbCache(folder / _content(checkpoint))


def _content(checkpoint: Artifact) -> str:
    """Fingerprint of the checkpoint's own files: curves and times of the training say nothing about the weights."""
    files = checkpoint.manifest["files"]
    return fingerprint({name: files[name]["sha256"] for name in files if name.startswith("checkpoint/")})


def model_asked(step: Step, checkpoint: str | None) -> str:
    """Fingerprint of the model that a step asks, as planned, by which its folder is named: base, precision, training."""
    return fingerprint({"model": step.settings["model"], "checkpoint": checkpoint, "version": step.version})


def models_asked(plan: Plan) -> Iterator[str]:
    """The same for all steps of a plan that ask for log-probabilities."""
    for step in plan.steps:
        if step.kind in ("reference", "prefer"):
            source = step.inputs.get("checkpoint")
            yield model_asked(step, plan.step(source).fingerprint if source else None)


class LogProbCache:
    """Summed log-probabilities of the responses to a prompt, in nats, by the token ids of the prompt and of all of them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, list[float]] | None = None

    def recall(self, tree: Tree) -> list[float] | None:
        """What was computed for exactly these token ids, if it was."""
        if self._known is None:
            self._known = _read(self._folder)
        return self._known.get(_key(tree))

    def learn(self, sums: Mapping[Tree, Sequence[float]]) -> None:
        """Keep new ones, all or none."""
        if not sums:
            return
        content = "".join(json.dumps([_key(tree), list(values)]) + "\n" for tree, values in sums.items()).encode()
        self._folder.mkdir(parents=True, exist_ok=True)
        write_whole(self._folder / f"{hashlib.sha256(content).hexdigest()}.jsonl", content)


def _key(tree: Tree) -> str:
    """Of the ids, and of where each response begins."""
    return hashlib.sha256(json.dumps([(sequence.prompt_ids, sequence.response_ids) for sequence in tree]).encode()).hexdigest()


def _read(folder: Path) -> dict[str, list[float]]:
    known: dict[str, list[float]] = {}
    for path in sorted(folder.glob("*.jsonl")):
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() == path.stem:
            known.update(json.loads(line) for line in content.splitlines())
    return known
