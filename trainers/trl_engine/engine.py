"""`engine: trl`: an arm trained by TRL's own trainers, so that a claim can be shown not to hang on one implementation.

Examples, adapter initialisation, global batches and their order, schedule, optimizer, clipping and what is written are those of
our own trainers; forward passes, losses, the reference and the update are TRL's.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Container, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from datasets import Dataset  # type: ignore[import-untyped]
from transformers import TrainerCallback
from trl import DPOConfig, SFTConfig

from models.adapters import Trainable
from trainers.data import GlobalBatch, GlobalBatches
from trainers.errors import TrainingError
from trainers.examples import DpoExample
from trainers.recipe import Recipe
from trainers.trl_engine.lending import REFERENCE, in_their_precision, lent, steady_reference
from trainers.trl_engine.replicas import DpoReplica, SftReplica, Values
from trainers.trl_engine.rows import row
from trainers.trl_engine.settings import preference_options, sft_options, training_options

VALIDATED = frozenset({"train/loss", "rewards/accuracy", "rewards/margin"})


def fit(
    training: Trainable,
    data: GlobalBatches,
    recipe: Recipe,
    seed: int,
    loggers: Sequence[Any],
    on_step: Callable[[int, float], None],
    validate_after: Container[int],
) -> None:
    """Trains what is trainable, in place.

    Args:
        training: the base model with what is to be trained on it; its weights are the DPO reference.
        data: the global batches, in order.
        recipe: the resolved recipe.
        seed: of dropout.
        loggers: get the curves, as from our own trainers.
        on_step: called with (steps done, loss) of every step.
        validate_after: the numbers of steps done at which the validation curves have a point; 0 is before training.

    Raises:
        TrainingError: more than one GPU is visible, or TRL computes with another reference than the stored one.
        TrainingDiverged: NaN or infinity; the weights were not updated with it.
    """
    device = training.base.device
    if device.type == "cuda" and torch.cuda.device_count() > 1:
        raise TrainingError("engine trl trains on one GPU: make a single one visible with CUDA_VISIBLE_DEVICES")

    def log(step: int, values: Values) -> None:
        for logger in loggers:
            logger.log_metrics(values, step=step)

    def stepped(step: int, values: Values, batch: GlobalBatch) -> None:
        if step == 1 and recipe.objective == "dpo":
            _check_reference(training, values, batch)
        log(step, values)
        on_step(step, values["train/loss"])

    with lent(training.base), TemporaryDirectory() as folder:
        options = training_options(recipe, len(data.train_batches), seed, device, Path(folder))
        trainer = _replica(training, data, recipe, options, stepped)
        if data.validation:
            trainer.add_callback(_Validation(trainer, data.validation, validate_after, log))
        trainer.train()
    if training.adapter is not None and REFERENCE in training.adapter.peft_config:
        training.adapter.delete_adapter(REFERENCE)


def _replica(training: Trainable, data: GlobalBatches, recipe: Recipe, options: dict[str, Any], on_step: Any) -> Any:
    """One of TRL's trainers, which looks at the first row only: its batches are given."""
    model = training.adapter if training.adapter is not None else training.base.model
    given: dict[str, Any] = {
        "model": model,
        "train_dataset": Dataset.from_list([row(data.train_batches[0][0], recipe)]),
        "processing_class": copy.deepcopy(training.base.tokenizer),  # it gets a padding token
        "batches": data.train_batches,
        "recipe": recipe,
        "on_step": on_step,
    }
    with in_their_precision(model):
        if recipe.objective == "sft":
            return SftReplica(args=SFTConfig(**options, **sft_options()), **given)
        if training.adapter is None:  # TRL would read the reference from where the base model came from
            given["ref_model"] = copy.deepcopy(model).requires_grad_(False)
        trainer = DpoReplica(args=DPOConfig(**options, **preference_options(recipe)), **given)
    steady_reference(model)
    return trainer


def _check_reference(training: Trainable, values: Values, batch: GlobalBatch) -> None:
    """Before any update TRL's policy is its reference, and both are what the stored log-probabilities were computed with.

    Raises:
        TrainingError: they are not. (With dropout the policy is not its reference, and there is nothing to compare.)
    """
    if training.adapter is not None and training.adapter.peft_config["default"].lora_dropout:
        return
    stored = [example.reference_chosen for example in batch if isinstance(example, DpoExample)]
    expected = sum(stored) / len(stored)
    off = abs(values["logps/chosen"] - expected)
    reward = max(abs(values["rewards/chosen"]), abs(values["rewards/rejected"]))
    if off > 0.5 + 0.02 * abs(expected) or reward > 0.01:
        raise TrainingError(
            f"TRL starts with another reference than the stored one (mean log-probability {values['logps/chosen']:.3f} and "
            f"{expected:.3f}, reward {reward:.3f} instead of 0): use engine stage1, or report this"
        )


class _Validation(TrainerCallback):
    """Draws the validation curves."""

    def __init__(self, trainer: Any, batch: GlobalBatch, after: Container[int], log: Callable[[int, Values], None]) -> None:
        self._trainer, self._batch, self._after, self._log = trainer, batch, after, log

    def on_train_begin(self, *_: Any, **__: Any) -> None:
        """Before the first step."""
        self._draw(0)

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """After an update."""
        self._draw(state.global_step)

    def _draw(self, step: int) -> None:
        if step in self._after:
            values = self._trainer.mean_over(self._batch).items()
            self._log(step, {f"validation/{name.rpartition('/')[2]}": value for name, value in values if name in VALIDATED})
