"""A recipe in TRL's words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from trainers.recipe import Recipe


def training_options(recipe: Recipe, steps: int, seed: int, device: torch.device, folder: Path) -> dict[str, Any]:
    """What `SFTConfig` and `DPOConfig` have in common: our optimizer, schedule and clipping; nothing beside the training."""
    return {
        "output_dir": str(folder),
        "seed": seed,
        "use_cpu": device.type == "cpu",
        "num_train_epochs": 1,  # the loader holds every step of the training
        "per_device_train_batch_size": 1,
        "gradient_accumulation_steps": 1,  # an item of the loader is a global batch
        "learning_rate": recipe.learning_rate,
        "lr_scheduler_type": "constant_with_warmup" if recipe.schedule == "constant" else recipe.schedule,
        "warmup_steps": recipe.warmup_steps(steps),
        "optim": "adamw_torch",
        "weight_decay": recipe.weight_decay,
        "max_grad_norm": recipe.max_grad_norm,
        "max_length": None,  # what is too long was dropped and counted before
        "bf16": False,  # as it was loaded: no autocast on top
        "gradient_checkpointing": False,  # switched on by the engine, which can also switch it off
        "remove_unused_columns": False,
        "logging_strategy": "no",
        "save_strategy": "no",
        "eval_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
    }


def sft_options() -> dict[str, Any]:
    """For rows of token ids with labels."""
    return {"dataset_kwargs": {"skip_prepare_dataset": True}}


def preference_options(recipe: Recipe) -> dict[str, Any]:
    """Which of TRL's losses add up to the recipe's.

    TRL has no cDPO, but robust DPO (Chowdhury et al. 2024, arXiv 2403.00409), which with the same smoothing e and
    D(m) = -log sigmoid(m) is R(m) = ((1 - e) D(m) - e D(-m)) / (1 - 2e). So cDPO, (1 - e) D(m) + e D(-m), is
    2 (1 - e) D(m) - (1 - 2e) R(m).
    """
    smoothing = recipe.label_smoothing
    if recipe.loss == "ipo":
        losses = {"ipo": 1.0}
    elif recipe.length_normalised:
        losses = {"sigmoid_norm": 1.0}
    elif smoothing:
        losses = {"sigmoid": 2 * (1 - smoothing), "robust": 2 * smoothing - 1}
    else:
        losses = {"sigmoid": 1.0}
    if recipe.sft_weight:
        losses["sft"] = recipe.sft_weight
    return {
        "beta": recipe.beta,
        "loss_type": list(losses),
        "loss_weights": list(losses.values()),
        "label_smoothing": smoothing,
        "disable_dropout": False,  # an adapter's dropout is a setting of the experiment
    }
