"""`arms`: what is compared."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Discriminator, Field, Tag

from compiler.language.base import Part, form_of
from compiler.language.data import ArmData, ArmName
from compiler.language.recipes import Beta, LabelSmoothing, LengthNormalised, Loss, LossOn, SftWeight, Training

PromptStyle = Literal["instruction", "few-shot", "raw"]


class Match(Part):
    """Train until another arm's training has been equalled."""

    model_config = ConfigDict(title="a match")

    tokens: Annotated[
        ArmName,
        Field(
            description="The arm whose tokens are matched: those that its own stage passes forward, its reference's included."
        ),
    ]


def _without_defaults(schema: dict[str, Any]) -> None:
    for settings in schema["properties"].values():
        settings.pop("default", None)


class TrainOverride(Training):
    """A recipe, with some of its settings changed for one arm. What is not given keeps the recipe's value."""

    model_config = ConfigDict(title="an arm's training", json_schema_extra=_without_defaults)

    use: Annotated[str, Field(min_length=1, description="The recipe.")]
    match: Annotated[Match | None, Field(description="Train as long as another arm did, whatever `epochs` says.")] = None
    loss_on: LossOn = "response"
    beta: Beta = 0.1
    loss: Loss = "sigmoid"
    label_smoothing: LabelSmoothing = 0.0
    length_normalised: LengthNormalised = False
    sft_weight: SftWeight = 0.0


_FORMS = {str: "<a recipe's name>", dict: "<an arm's training>", TrainOverride: "<an arm's training>"}

Train = Annotated[
    Annotated[str, Field(min_length=1, description="The name of a recipe."), Tag("<a recipe's name>")]
    | Annotated[TrainOverride, Tag("<an arm's training>")],
    Discriminator(form_of(_FORMS)),
]


def _grid(schema: dict[str, Any]) -> None:
    schema["additionalProperties"] = {"anyOf": [{"type": "array", "minItems": 1}, {"type": "object", "minProperties": 1}]}
    schema["minProperties"] = 1


Vary = Annotated[dict[str, Any], Field(json_schema_extra=_grid)]


class Arm(Part):
    """One way of making a model that answers: where it starts, how it is trained, and how it is asked."""

    model_config = ConfigDict(title="an arm", serialize_by_alias=True)

    from_: Annotated[
        ArmName | None, Field(alias="from", description="The arm whose weights this one starts from; null: the base model.")
    ] = None
    train: Annotated[
        Train | None,
        Field(description="Its recipe, or `{use: RECIPE, ...}` with settings changed; null: it is not trained."),
    ] = None
    prompt: Annotated[
        PromptStyle | None,
        Field(description="How it is asked: `instruction` (default), `few-shot` (examples first), `raw` (no format)."),
    ] = None
    data: Annotated[ArmData | None, Field(description="What it does differently with data.")] = None
    responses: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=1000,
            description="Answers made elsewhere: a JSONL file with `id` (of the held-out item) or `instruction`, and "
            "`response`. Such an arm is neither trained nor asked.",
        ),
    ] = None
    vary: Annotated[
        Vary | None,
        Field(
            exclude=True,  # written out before the spec is looked at
            description="Makes several arms of this one: a grid over any of its settings, such as "
            "`{train.beta: [0.05, 0.1, 0.3]}` for `ARM_beta_0.05` and so on.",
        ),
    ] = None
