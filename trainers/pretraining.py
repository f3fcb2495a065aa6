"""Pretraining from scratch: next-token loss on packed rows, AdamW, warmup and cosine decay.

An exact plain loop: every token of every row counts once, in the order given. Same model, rows and schedule, same weights
(on one machine and device).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy


@dataclass(frozen=True)
class Schedule:
    """How long and how hard to train."""

    steps: int
    learning_rate: float = 3e-3
    """Peak rate, reached after the warmup."""
    warmup: float = 0.05
    """Share of the steps in which the rate rises linearly from 0."""
    final: float = 0.02
    """Rate at the last step, as a share of the peak."""
    weight_decay: float = 0.1
    """On matrices only, and not on the embedding."""
    betas: tuple[float, float] = (0.9, 0.97)
    max_norm: float = 1.0
    """Gradients are scaled down to this global norm."""

    def __post_init__(self) -> None:
        if self.steps < 1 or self.learning_rate <= 0:
            raise ValueError(f"steps and learning_rate must be positive, got {self.steps} and {self.learning_rate}")

    def factor(self, step: int) -> float:
        """The learning rate of a step (from 0), as a share of the peak: linear warmup, then half a cosine."""
        warm = max(1, round(self.warmup * self.steps))
        if step < warm:
            return (step + 1) / warm
        progress = (step - warm) / max(1, self.steps - 1 - warm)
        return self.final + (1 - self.final) * 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))


@dataclass(frozen=True)
class Progress:
    """Where the training stands after a step."""

    step: int
    """Steps done, from 1."""
    steps: int
    loss: float
    """Mean next-token loss of the step's batch, nats."""
    learning_rate: float
    tokens: int
    """Tokens seen so far."""
    tokens_per_second: float
    """Since the start, the making of batches included."""


def optimizer_for(model: nn.Module, schedule: Schedule) -> torch.optim.AdamW:
    """AdamW with weight decay on the matrices inside the layers, none on embeddings, biases and norms."""
    embeddings = {id(m.weight) for m in model.modules() if isinstance(m, nn.Embedding)}
    parameters = [p for p in model.parameters() if p.requires_grad]
    decayed = [p for p in parameters if p.ndim >= 2 and id(p) not in embeddings]
    kept = [p for p in parameters if p.ndim < 2 or id(p) in embeddings]
    groups = [{"params": decayed, "weight_decay": schedule.weight_decay}, {"params": kept, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=schedule.learning_rate, betas=schedule.betas)


def next_token_loss(model: nn.Module, rows: Tensor) -> Tensor:
    """Mean loss (nats) of predicting each token of rows [B, T + 1] from those before it; bfloat16 autocast on a GPU."""
    with torch.autocast(rows.device.type, dtype=torch.bfloat16, enabled=rows.device.type == "cuda"):
        logits = model(input_ids=rows[:, :-1], use_cache=False).logits
    return cross_entropy(logits.float().flatten(0, 1), rows[:, 1:].flatten())


def pretrain(
    model: nn.Module, batches: Iterator[Tensor], schedule: Schedule, on_step: Callable[[Progress], None] = lambda _: None
) -> None:
    """Trains the model in place, where it lies, on int64 batches of token ids [B, T + 1].

    Raises:
        ValueError: the batches end before the schedule does.
    """
    device = next(model.parameters()).device
    optimizer = optimizer_for(model, schedule)
    rates = torch.optim.lr_scheduler.LambdaLR(optimizer, schedule.factor)
    model.train()
    started, tokens = time.perf_counter(), 0
    for step in range(1, schedule.steps + 1):
        batch = next(batches, None)
        if batch is None:
            raise ValueError(f"the batches ended after {step - 1} of {schedule.steps} steps")
        rate = float(rates.get_last_lr()[0])
        loss = next_token_loss(model, batch.to(device))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), schedule.max_norm)
        optimizer.step()
        rates.step()
        tokens += batch[:, 1:].numel()
        speed = tokens / (time.perf_counter() - started)
        on_step(Progress(step, schedule.steps, loss.item(), rate, tokens, speed))
    model.eval()
