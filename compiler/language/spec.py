"""A whole spec."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from compiler.language.arms import Arm
from compiler.language.base import ArmKey, Name, Part
from compiler.language.data import Data
from compiler.language.evidence import Analysis, Claim, Evaluation
from compiler.language.model import Model
from compiler.language.recipes import Recipe

Seed = Annotated[int, Field(ge=0, lt=2**32)]


class Tracking(Part):
    """Where runs are recorded. Changes no result."""

    model_config = ConfigDict(title="the tracking")

    uri: Annotated[
        str | None,
        Field(
            min_length=1, max_length=1000, description="MLflow tracking URI; null: a local sqlite store beside the artifacts."
        ),
    ] = None


class Runtime(Part):
    """How the work is carried out. Changes no result."""

    model_config = ConfigDict(title="the runtime")

    generation_batch_size: Annotated[
        int | None, Field(ge=1, le=65_536, description="Prompts answered at once; null: chosen for the model. A count.")
    ] = None
    devices: Annotated[
        int,
        Field(ge=1, le=64, description="GPUs of one machine that train an arm together (without GPUs: processes). A count."),
    ] = 1
    strategy: Annotated[
        Literal["ddp", "fsdp"],
        Field(description="With several devices: `ddp` holds the whole model on each, `fsdp` shards every weight over them."),
    ] = "ddp"
    keep_every_seconds: Annotated[
        float | None,
        Field(
            ge=0,
            description="How often a training keeps what it needs to go on when interrupted. In seconds; null: not by time.",
        ),
    ] = 300.0
    keep_every_steps: Annotated[
        int | None, Field(ge=1, description="The same in optimizer steps, a count; null: not by steps.")
    ] = None


class Spec(Part):
    """An experiment: arms, data, criteria, tests and claims."""

    model_config = ConfigDict(title="an experiment")

    extends: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=1000,
            exclude=True,  # followed before the spec is looked at: what is left of it says nothing
            description="Another spec that this one changes, a path seen from this file; mappings are taken over key by key, "
            "and an arm, a recipe or a claim that is set to null is left out.",
        ),
    ] = None
    experiment: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$",
            max_length=100,
            description="The experiment's name: letters, digits, `_`, `.`, `-`.",
        ),
    ]
    description: Annotated[
        str | None, Field(max_length=10_000, description="What it is about, for people. Changes no result.")
    ] = None
    level: Annotated[
        Literal["mvp", "publication"],
        Field(description="How strict the method checks are: a trial run, or evidence for others."),
    ] = "mvp"
    seeds: Annotated[
        tuple[Seed, ...],
        Field(min_length=1, max_length=1000, description="Training seeds; every trained arm runs once per seed."),
    ] = (1, 2, 3)
    model: Annotated[Model, Field(description="The base model that every arm starts from.")] = Model()
    data: Annotated[Data, Field(description="What the arms learn from and are scored on.")] = Data()
    recipes: Annotated[dict[Name, Recipe], Field(default_factory=dict, description="Ways of training, by name.")]
    arms: Annotated[dict[ArmKey, Arm], Field(min_length=1, description="What is compared, by name.")]
    evaluation: Annotated[Evaluation, Field(description="How every arm is measured.")] = Evaluation()
    analysis: Annotated[Analysis, Field(description="What counts as evidence.")] = Analysis()
    claims: Annotated[dict[Name, Claim], Field(default_factory=dict, description="What the experiment is to show, by name.")]
    tracking: Annotated[Tracking, Field(description="Where runs are recorded. Changes no result.")] = Tracking()
    runtime: Annotated[Runtime, Field(description="How the work is carried out. Changes no result.")] = Runtime()
