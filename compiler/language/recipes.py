"""`recipes`: how an arm is trained."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Discriminator, Field, Tag

from compiler.language.base import Part

Epochs = Annotated[float, Field(gt=0, le=1000, description="Passes over the training data; a fraction is allowed.")]
LearningRate = Annotated[float, Field(gt=0, le=1, description="Peak learning rate of AdamW.")]
LossOn = Annotated[
    Literal["response", "all"],
    Field(description="Tokens the loss is taken on: `response` (the response and END), or `all` (the instruction too)."),
]
Beta = Annotated[
    float, Field(gt=0, le=100, description="Strength of the pull towards the reference model (beta of Rafailov et al. 2023).")
]


class Training(Part):
    """What every recipe has."""

    epochs: Epochs = 3
    learning_rate: LearningRate = 2.0e-4
    batch_size: Annotated[
        int, Field(ge=1, le=65_536, description="Examples (SFT) or pairs (DPO) per optimizer step. A count.")
    ] = 8
    micro_batch_size: Annotated[
        int | None, Field(ge=1, le=65_536, description="Examples or pairs in memory at once; null: as many as fit. A count.")
    ] = None
    max_length: Annotated[
        int,
        Field(
            ge=8,
            le=1_048_576,
            description="Longest prompt and response together, in tokens; longer examples are dropped and counted.",
        ),
    ] = 512
    schedule: Annotated[
        Literal["linear", "cosine", "constant"], Field(description="How the learning rate falls after the warm-up.")
    ] = "linear"
    warmup_ratio: Annotated[
        float, Field(ge=0, lt=1, description="Share of the steps in which the learning rate rises. A fraction.")
    ] = 0.1
    weight_decay: Annotated[float, Field(ge=0, le=1, description="Decoupled weight decay of AdamW.")] = 0.0
    max_grad_norm: Annotated[float, Field(gt=0, le=1e6, description="Gradients are scaled down to this global norm.")] = 1.0


class SftRecipe(Training):
    """Supervised fine-tuning on demonstrations."""

    model_config = ConfigDict(title="an sft recipe")

    objective: Annotated[Literal["sft"], Field(description="Supervised fine-tuning.")]
    loss_on: LossOn = "response"


class DpoRecipe(Training):
    """Direct preference optimization (Rafailov et al. 2023, arXiv 2305.18290), sigmoid loss."""

    model_config = ConfigDict(title="a dpo recipe")

    objective: Annotated[Literal["dpo"], Field(description="Direct preference optimization.")]
    beta: Beta = 0.1
    epochs: Epochs = 1
    learning_rate: LearningRate = 5.0e-6


def _objective(value: Any) -> str | None:
    objective = value.get("objective") if isinstance(value, dict) else getattr(value, "objective", None)
    return {"sft": "<an sft recipe>", "dpo": "<a dpo recipe>"}.get(objective) if isinstance(objective, str) else None


Recipe = Annotated[
    Annotated[SftRecipe, Tag("<an sft recipe>")] | Annotated[DpoRecipe, Tag("<a dpo recipe>")],
    Discriminator(_objective),
]
