"""The front door of training: one arm, one seed, from examples to a checkpoint, curves and a summary."""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from compiler.estimates.micro_batches import Recompute
from models.adapters import trainable
from models.batches import tree_tokens
from models.lean.install import lean
from models.loading import LoadedBase
from models.nf4 import resident_bf16
from trainers.errors import TrainingDiverged, TrainingError
from trainers.examples import Examples, Prepared, forward_tokens, longest_sequence, prepare, sequences
from trainers.memory_policy import choose
from trainers.random_state import seed_of
from trainers.recipe import Recipe
from trainers.resume import Keeper, Keeping, found_by_all, identity
from trainers.surroundings import undisturbed

if TYPE_CHECKING:
    from trainers.data import GlobalBatches
    from trainers.module import TrainingModule
    from trainers.strategy import Peers

__all__ = ["Examples", "TrainSummary", "train"]

_VALIDATIONS = 4  # points of the validation curve after its first


@dataclass(frozen=True)
class TrainSummary:
    """What a training did. Everything but `seconds` is in `summary.json`, whose bytes therefore depend on the inputs alone."""

    objective: str
    steps: int
    """Optimizer steps."""
    epochs: float
    """Passes over the training examples that these steps amount to."""
    examples: int
    """Training examples (SFT) or pairs (DPO), once each."""
    examples_seen: int
    """The same, as often as they were seen."""
    validation_examples: int
    dropped_too_long: int
    """Training examples over `max_length`, never trained on."""
    validation_dropped_too_long: int
    tokens_forward: int
    """Prompt and response tokens read by the training steps, both sides of pairs; no padding, no validation.

    A response that several pairs of a prompt share in a step is read, and counted, once.
    """
    tokens_reference: int
    """The same for the reference log-probabilities of the training pairs; 0 for SFT."""
    first_loss: float
    """Of the first global batch, before any update."""
    final_loss: float
    """Of the last global batch, before its update."""
    trainable_params: int
    total_params: int
    seconds: float
    """Wall time of the training itself."""


def train(
    loaded: LoadedBase,
    *,
    recipe: Mapping[str, Any],
    adapter: Mapping[str, Any] | None,
    seed: int,
    examples: Examples,
    checkpoint: Path | None,
    out: Path,
    loggers: Sequence[Any] = (),
    token_budget: int | None = None,
    memory_limit: int | None = None,
    recompute: Recompute | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    keeping: Keeping | None = None,
    warn: Callable[[str], None] = lambda _: None,
    peers: Peers | None = None,
) -> TrainSummary:
    """Trains and writes `checkpoint/`, `curves.jsonl` and `summary.json` under `out`.

    On a CPU the same inputs and thread count give the same bytes, interrupted in between or not. Among several processes,
    all call this with the same arguments but for `loaded.device`, and the first one writes.

    Args:
        loaded: the base model; bit-identical and frozen again afterwards.
        recipe: objective and its settings, as `trainers.recipe.Recipe`.
        adapter: rank, alpha, dropout, targets; None trains all weights.
        seed: of a fresh adapter, the order of the examples, and dropout.
        examples: demonstrations, or pairs with the parent's log-probabilities; their validation rows draw curves only.
        checkpoint: the parent's, to go on from; None starts from the base model.
        out: an existing folder.
        loggers: Lightning loggers that get the curves too.
        token_budget: train until about this many forward tokens are used, instead of `epochs`.
        memory_limit: bytes that the process may take of the device; None takes what is free.
        recompute: what to compute again in backward passes; None leaves it to the memory.
        on_progress: called with (steps done, steps in all).
        keeping: where to keep the state of the training, and to look for one to go on from; None starts anew. `engine: trl`
            keeps none: it starts anew.
        warn: told, in one line, of a kept state that is gone on from, or that cannot be used.
        peers: the processes among which every global batch is divided; None: this one alone.

    Raises:
        TrainingError: there is nothing to train on, it does not fit the model, or the weights are too coarse to be trained.
        TrainingDiverged: NaN or infinity; `diverged.json` under `out` says where.
        ModelError: the checkpoint does not fit the base model or the adapter settings.
    """
    from trainers.data import GlobalBatches
    from trainers.strategy import Peers

    settings = Recipe.model_validate(dict(recipe))
    prepared = prepare(examples, loaded.tokenizer, settings)
    _check_context(loaded, prepared)
    data = GlobalBatches(prepared, settings, seed, token_budget)
    together, steps = peers or Peers(), len(data.train_batches)
    if settings.engine == "trl" and together.size > 1:
        raise TrainingError("engine trl trains on one device: set runtime.devices to 1, or engine to stage1")
    losses: list[float] = []

    def on_step(step: int, loss: float) -> None:
        losses.append(loss)
        if on_progress:
            on_progress(step, steps)

    started = time.perf_counter()
    own_seed = seed_of(seed, together.rank)
    with (
        _let_go(loaded.device),
        trainable(loaded, adapter, checkpoint, seed) as training,
        undisturbed(own_seed, loaded.device),
    ):
        _check_precision(loaded.model)
        counts = [(p.numel(), p.requires_grad) for p in loaded.model.parameters()]
        keeper = Keeper(keeping, identity(prepared, data.train_batches, recipe, loaded.model), warn) if keeping else None
        resumed = found_by_all(keeper, together) if keeper else None
        if resumed:
            data.done = resumed.step
            warn(f"goes on after step {resumed.step} of {steps}, where it was interrupted")
        together.prepare(loaded.model)
        logs = [_curves(out), *loggers] if together.rank == 0 else []
        with _failures_explained(out, loaded.device, keeper):
            if settings.engine == "trl":
                from trainers.trl_engine.engine import fit as fit_with_trl

                fit_with_trl(training, data, settings, seed, logs, on_step, _validation_points(steps))
            else:
                policy = together.agreed(choose(loaded, memory_limit, recompute, **_sizes(data, together)))
                options: dict[str, Any] = {"peers": together, "keeper": keeper, "resumed": resumed}
                options |= _validation(data)
                _fit(_module(settings)(loaded, settings, policy, steps, on_step, **options), data, logs)
        together.gather(loaded.model)
        if together.rank == 0:
            training.save(out / "checkpoint")
    summary = _summary(settings, prepared, data, losses, counts, time.perf_counter() - started)
    if together.rank == 0:
        _write_json(out / "summary.json", {name: value for name, value in asdict(summary).items() if name != "seconds"})
    return summary


@contextmanager
def _let_go(device: torch.device) -> Iterator[None]:
    """Afterwards nothing of a training takes memory: its parts refer to each other, and Python would see to them much later."""
    try:
        yield
    finally:
        gc.collect()
        if device.type == "cuda":
            torch.cuda.empty_cache()


@contextmanager
def _failures_explained(out: Path, device: torch.device, keeper: Keeper | None) -> Iterator[None]:
    """What can go wrong while a training runs, said in one line; of a divergence more is written down."""
    try:
        yield
    except TrainingDiverged as diverged:
        if keeper:
            keeper.forget()
        _write_json(out / "diverged.json", {"message": str(diverged), "step": diverged.step, "ids": diverged.ids})
        raise
    except torch.OutOfMemoryError as error:
        raise TrainingError(
            f"training does not fit on {device} beside the model: set micro_batch_size to 1, or lower max_length"
        ) from error


def _sizes(data: GlobalBatches, together: Peers) -> dict[str, Any]:
    """What the choice of a memory policy asks about the data, and about the processes."""
    of_batches = [tree_tokens(sequences(batch)) for batch in data.train_batches]
    prompts = sum(len({example.group for example in batch}) for batch in data.train_batches)
    most = ceil(max(of_batches) / together.size)
    return {"most": most, "together": ceil(sum(of_batches) / prompts), "may_lay_out": not together.lockstep}


def _validation(data: GlobalBatches) -> dict[str, Any]:
    return {"validation": data.validation, "validate_after": _validation_points(len(data.train_batches))}


def _module(recipe: Recipe) -> type[TrainingModule]:
    from trainers.dpo import DpoModule
    from trainers.sft import SftModule

    return SftModule if recipe.objective == "sft" else DpoModule


def _curves(out: Path) -> Any:
    from trainers.curves import CurvesFile

    return CurvesFile(out / "curves.jsonl")


def _fit(module: TrainingModule, data: GlobalBatches, loggers: list[Any]) -> None:
    from lightning.pytorch import Trainer

    device, size = module.base.device, module.peers.size
    trainer = Trainer(
        accelerator="gpu" if device.type == "cuda" else "cpu",
        strategy=module.peers.lightning_strategy(),
        devices=size if size > 1 or device.type == "cpu" else [device.index or 0],
        max_epochs=1,  # the loader holds every step of the training
        limit_val_batches=0,  # validation is part of the training step, so that it is in its place after an interruption
        num_sanity_val_steps=0,
        log_every_n_steps=1,
        logger=loggers,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
    )
    with resident_bf16(module.model) if module.policy.laid_out else nullcontext(), lean(module.model, module.policy.recompute):
        try:
            trainer.fit(module, datamodule=data)
        finally:
            data.trainer = None
            for optimizer in trainer.optimizers:
                optimizer.state.clear()  # an error's traceback would hold it as long as the error is looked at


def _validation_points(steps: int) -> set[int]:
    """At even distances, and after the last step."""
    return {*range(0, steps, ceil(steps / _VALIDATIONS)), steps}


def _check_context(loaded: LoadedBase, prepared: Prepared[Any]) -> None:
    longest = longest_sequence(prepared.train + prepared.validation)
    if longest > loaded.context:
        raise TrainingError(
            f"an example of {longest} tokens exceeds the {loaded.context} positions of {loaded.settings.base}: "
            f"set max_length to {loaded.context} or less"
        )


def _check_precision(model: Any) -> None:
    """AdamW's steps at the learning rates of post-training are below what 16 bits can tell apart: they are rounded away."""
    coarse = next((str(p.dtype) for p in model.parameters() if p.requires_grad and p.dtype.itemsize < 4), None)
    if coarse is not None:
        kind = coarse.removeprefix("torch.")
        raise TrainingError(f"weights in {kind} lose most updates to rounding: set dtype to float32, or train an adapter")


def _summary(
    recipe: Recipe,
    prepared: Prepared[Any],
    data: GlobalBatches,
    losses: list[float],
    counts: list[tuple[int, bool]],
    seconds: float,
) -> TrainSummary:
    seen = sum(map(len, data.train_batches))
    return TrainSummary(
        objective=recipe.objective,
        steps=len(losses),
        epochs=seen / len(prepared.train),
        examples=len(prepared.train),
        examples_seen=seen,
        validation_examples=len(prepared.validation),
        dropped_too_long=prepared.dropped_too_long,
        validation_dropped_too_long=prepared.validation_dropped_too_long,
        tokens_forward=data.forward_tokens,
        tokens_reference=forward_tokens(prepared.train) if recipe.objective == "dpo" else 0,
        first_loss=losses[0],
        final_loss=losses[-1],
        trainable_params=sum(size for size, trained in counts if trained),
        total_params=sum(size for size, _ in counts),
        seconds=seconds,
    )


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
