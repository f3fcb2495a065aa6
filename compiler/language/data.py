"""`data`: instructions, demonstrations for supervised fine-tuning, and preference pairs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, ConfigDict, Discriminator, Field, Tag, WithJsonSchema

from compiler.language.base import Decode, MaxNewTokens, Part, Temperature, form_of
from compiler.records import NegativeType

BANK = "bank"
BANK_ITEMS = 2682
"""Instructions in the built-in bank, so that a plan can say that too many are asked for."""
CHOSEN = "chosen"
"""A source of demonstrations that is no arm: the chosen answers of the preference pairs."""

ORIGINAL_MIX: Mapping[NegativeType, float] = {
    "unwarranted_refusal": 0.30,
    "format_violation": 0.25,
    "incorrect_factual": 0.20,
    "off_topic": 0.15,
    "verbose_vague": 0.10,
}
UNIFORM_MIX: Mapping[NegativeType, float] = dict.fromkeys(ORIGINAL_MIX, 0.2)

ArmName = Annotated[str, Field(min_length=1)]
Share = Annotated[float, Field(ge=0, le=1, description="Share of the pairs, as a fraction; the shares of a mix sum to 1.")]


Mix = Annotated[
    Annotated[Literal["original", "uniform", "empirical", "random"], Tag("<a mix by name>")]
    | Annotated[dict[NegativeType, Share], Field(title="a mix"), Tag("<a mix by shares>")],
    Discriminator(form_of({str: "<a mix by name>", dict: "<a mix by shares>"})),
]


_MIXES: Mapping[str, Mapping[NegativeType, float]] = {"original": ORIGINAL_MIX, "uniform": UNIFORM_MIX}


def shares_of(mix: Mix) -> Mix:
    """A mix by its shares where it has them, so that `uniform` and five times 0.2 are the same; else by its name."""
    shares = _MIXES.get(mix, mix) if isinstance(mix, str) else mix
    return shares if isinstance(shares, str) else {kind: share for kind, share in shares.items() if share > 0}


class Instructions(Part):
    """Which instructions are trained on, and which are kept for the evaluation."""

    model_config = ConfigDict(title="the instructions")

    source: Annotated[
        str,
        Field(
            min_length=1,
            max_length=1000,
            description="`bank` (the built-in instruction bank) or the path of a JSONL file of items.",
        ),
    ] = BANK
    train: Annotated[int, Field(ge=1, le=1_000_000, description="Training instructions. A count.")] = 200
    validation: Annotated[
        int, Field(ge=0, le=1_000_000, description="Instructions for the validation curves only; never trained on. A count.")
    ] = 20
    heldout: Annotated[
        int, Field(ge=1, le=1_000_000, description="Held-out instructions, on which every arm is scored. A count.")
    ] = 130
    stratify: Annotated[
        Literal["kind"] | None,
        Field(description="`kind`: every part gets each kind of instruction in the same proportion; null: none."),
    ] = "kind"
    seed: Annotated[
        int, Field(ge=0, lt=2**32, description="Seed of the data: the split, sampled demonstrations and the draw of negatives.")
    ] = 7


class DemonstrationDecode(Decode):
    """How demonstrations are drawn."""

    model_config = ConfigDict(title="decoding settings")

    temperature: Temperature = 0.5
    max_new_tokens: MaxNewTokens = 80


class Demonstrations(Part):
    """The examples of supervised fine-tuning: answers to the training instructions, cleaned."""

    model_config = ConfigDict(title="the demonstrations", serialize_by_alias=True)

    from_: Annotated[
        ArmName | None,
        Field(
            alias="from",
            description="The arm that writes them; `chosen`: the chosen answers of the pairs; null: the base model.",
        ),
    ] = None
    few_shot: Annotated[
        int,
        Field(ge=0, le=16, description="Worked examples shown to an untrained arm that writes or is asked few-shot. A count."),
    ] = 4
    decode: Annotated[DemonstrationDecode, Field(description="How their tokens are drawn.")] = DemonstrationDecode()


class Chosen(Part):
    """The chosen side of the preference pairs."""

    model_config = ConfigDict(title="the chosen answers", serialize_by_alias=True)

    from_: Annotated[
        ArmName | None,
        Field(
            alias="from",
            description="The arm that answers the training instructions; arms trained by DPO need one.",
        ),
    ] = None
    decode: Annotated[Decode, Field(description="How its tokens are drawn; greedy by default.")] = Decode()


class Preferences(Part):
    """Preference pairs: a chosen answer and one that is worse in a known way."""

    model_config = ConfigDict(title="the preferences")

    pairs: Annotated[int, Field(ge=1, le=10_000_000, description="Preference pairs to build. A count.")] = 500
    chosen: Annotated[Chosen, Field(description="Where the chosen answers come from.")] = Chosen()
    rejected: Annotated[
        Mix,
        Field(
            description="The rejected side: shares of the five negative types, or `original` (the usual shares), `uniform`, "
            "`empirical` (the failure shares of the base model's own answers) or `random` (another item's chosen answer)."
        ),
    ] = "original"
    labels: Annotated[
        Literal["true", "shuffled"],
        BeforeValidator(lambda value: "true" if value is True else value),
        WithJsonSchema({"enum": ["true", "shuffled", True]}),
        Field(description="`shuffled` swaps chosen and rejected in half of the pairs at random: a control."),
    ] = "true"


class Data(Part):
    """What the arms learn from and are scored on."""

    model_config = ConfigDict(title="the data")

    instructions: Annotated[Instructions, Field(description="The instructions, and how they are split.")] = Instructions()
    demonstrations: Annotated[Demonstrations, Field(description="Examples for supervised fine-tuning.")] = Demonstrations()
    preferences: Annotated[Preferences, Field(description="Pairs for preference optimization.")] = Preferences()


class ArmData(Part):
    """What one arm does differently with data; the instructions are the same for all arms, or they could not be compared."""

    model_config = ConfigDict(title="the data of an arm")

    demonstrations: Annotated[
        Demonstrations | None,
        Field(description="As in `data.demonstrations`; keys that are not given keep the value they have there."),
    ] = None
    preferences: Annotated[
        Preferences | None,
        Field(description="As in `data.preferences`; keys that are not given keep the value they have there."),
    ] = None
