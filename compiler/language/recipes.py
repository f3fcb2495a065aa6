"""`recipes`: how an arm is trained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Discriminator, Field, SerializerFunctionWrapHandler, Tag, model_serializer

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
Engine = Annotated[
    Literal["stage1", "trl"],
    Field(
        description="Whose trainer carries it out: `stage1`, or `trl` (its SFTTrainer or DPOTrainer, on the same batches), "
        "to show that a result does not hang on one implementation."
    ),
]
Loss = Annotated[
    Literal["sigmoid", "ipo"],
    Field(
        description="Loss on the margin of a pair: `sigmoid` (DPO, Rafailov et al. 2023) or `ipo` (a squared distance of the "
        "mean margin per token to 1 / (2 beta), Azar et al. 2023)."
    ),
]
LabelSmoothing = Annotated[
    float,
    Field(
        ge=0,
        lt=0.5,
        description="Share of pairs assumed to be labelled the wrong way round (cDPO, Mitchell 2023), with the sigmoid loss. "
        "A fraction.",
    ),
]
LengthNormalised = Annotated[
    bool,
    Field(
        description="Whether the sigmoid loss compares mean instead of summed log-ratios (length-normalised DPO, Lambert et "
        "al. 2024); beta is then usually 2 to 10."
    ),
]
SftWeight = Annotated[
    float,
    Field(
        ge=0,
        le=1000,
        description="Weight of the chosen response's mean negative log-likelihood per token, added to the loss (RPO, Pang et "
        "al. 2024); 0: none.",
    ),
]

NEUTRAL: Mapping[str, Any] = {
    "engine": "stage1", "loss": "sigmoid", "label_smoothing": 0.0, "length_normalised": False, "sft_weight": 0.0,
    "seed_offset": 0,
}  # fmt: skip
"""Settings that recipes gained after plans had been made, with the values that change nothing.

At these values they are left out of a recipe's data, so that plans from before, and what was trained by them, stay as they are.
"""


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
    engine: Engine = "stage1"
    seed_offset: Annotated[
        int,
        Field(
            ge=0,
            lt=2**31,
            description="Added to every training seed of an arm: a second arm that differs in nothing else shows what chance "
            "does (an A/A comparison). Larger than the seeds, or the two share trainings.",
        ),
    ] = 0


class _Recipe(Training):
    @model_serializer(mode="wrap")
    def _without_neutral(self, whole: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in whole(self).items() if name not in NEUTRAL or value != NEUTRAL[name]}


class SftRecipe(_Recipe):
    """Supervised fine-tuning on demonstrations."""

    model_config = ConfigDict(title="an sft recipe")

    objective: Annotated[Literal["sft"], Field(description="Supervised fine-tuning.")]
    loss_on: LossOn = "response"


class DpoRecipe(_Recipe):
    """Direct preference optimization (Rafailov et al. 2023, arXiv 2305.18290) and its variants."""

    model_config = ConfigDict(title="a dpo recipe")

    objective: Annotated[Literal["dpo"], Field(description="Direct preference optimization.")]
    beta: Beta = 0.1
    epochs: Epochs = 1
    learning_rate: LearningRate = 5.0e-6
    loss: Loss = "sigmoid"
    label_smoothing: LabelSmoothing = 0.0
    length_normalised: LengthNormalised = False
    sft_weight: SftWeight = 0.0


def with_neutral(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """A recipe's data with what was left out of it."""
    known = (DpoRecipe if recipe["objective"] == "dpo" else SftRecipe).model_fields
    return {name: value for name, value in NEUTRAL.items() if name in known} | dict(recipe)


def _objective(value: Any) -> str | None:
    objective = value.get("objective") if isinstance(value, dict) else getattr(value, "objective", None)
    return {"sft": "<an sft recipe>", "dpo": "<a dpo recipe>"}.get(objective) if isinstance(objective, str) else None


Recipe = Annotated[
    Annotated[SftRecipe, Tag("<an sft recipe>")] | Annotated[DpoRecipe, Tag("<a dpo recipe>")],
    Discriminator(_objective),
]
