"""How an arm is trained, with every default filled in."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Recipe(BaseModel):
    """A resolved recipe: checked again here, because a typo that is passed over would be a silent confound."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    objective: Literal["sft", "dpo"]
    epochs: Annotated[float, Field(gt=0)]
    learning_rate: Annotated[float, Field(gt=0)]
    batch_size: Annotated[int, Field(ge=1)]
    """Examples (SFT) or pairs (DPO) per optimizer step."""
    max_length: Annotated[int, Field(ge=1)]
    """Longest prompt and response together, in tokens; longer examples are dropped and counted."""
    micro_batch_size: Annotated[int, Field(ge=1)] | None = None
    """Examples or pairs per forward pass; None bounds them by tokens. Changes nothing but float order."""
    schedule: Literal["linear", "cosine", "constant"] = "linear"
    warmup_ratio: Annotated[float, Field(ge=0, lt=1)] = 0.0
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    max_grad_norm: Annotated[float, Field(gt=0)] = 1.0
    loss_on: Literal["response", "all"] = "response"
    """SFT only."""
    beta: Annotated[float, Field(gt=0)] = 0.1
    """DPO only, as are the settings of its variants."""
    loss: Literal["sigmoid", "ipo"] = "sigmoid"
    label_smoothing: Annotated[float, Field(ge=0, lt=0.5)] = 0.0
    length_normalised: bool = False
    sft_weight: Annotated[float, Field(ge=0)] = 0.0
    engine: Literal["stage1", "trl"] = "stage1"
    """Whose trainer carries it out."""
    match: Any = None
    """Said by the spec, carried out by the caller, who hands over a token budget."""

    def warmup_steps(self, steps: int) -> int:
        """Of so many steps; the first of them has rate 0, so one step alone is no warm-up: it would train nothing."""
        return min(math.ceil(self.warmup_ratio * steps), steps - 1)
