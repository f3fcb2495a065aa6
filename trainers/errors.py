"""What can stop a training, said in one line that ends with the way out."""

from __future__ import annotations

from collections.abc import Sequence


class TrainingError(Exception):
    """A training cannot start with these examples and this recipe. The message says why, and what to do."""


class TrainingDiverged(TrainingError):
    """The loss or a gradient became NaN or infinite; nothing of the training is kept."""

    def __init__(self, step: int, loss: float, grad_norm: float, ids: Sequence[str]) -> None:
        super().__init__(
            f"training diverged at step {step} (loss {loss}, gradient norm {grad_norm}) on {', '.join(ids[:3])}"
            f"{f' and {len(ids) - 3} more' if len(ids) > 3 else ''}: lower the learning rate, or look at these examples"
        )
        self.step, self.loss, self.grad_norm, self.ids = step, loss, grad_norm, tuple(ids)
