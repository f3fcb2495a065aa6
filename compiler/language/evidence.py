"""`evaluation`, `analysis` and `claims`: what is measured, how it is judged, and what is to be shown."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import ConfigDict, Field

from compiler.language.assumptions import Assumptions
from compiler.language.base import Decode, MaxNewTokens, Part, Temperature
from compiler.language.data import ArmName

Criterion = Literal[
    "ends_with_end", "proper_structure", "no_rambling", "addresses_instruction", "appropriate_length", "no_unwarranted_refusal",
    "factually_correct", "coherent", "on_topic",
]  # fmt: skip
CRITERIA: tuple[Criterion, ...] = get_args(Criterion)
PREFERENCE_ACCURACY = "preference_accuracy"
Endpoint = Literal[
    "ends_with_end", "proper_structure", "no_rambling", "addresses_instruction", "appropriate_length", "no_unwarranted_refusal",
    "factually_correct", "coherent", "on_topic", "preference_accuracy",
]  # fmt: skip
"""What a claim can be about: a criterion, or the preference accuracy."""
Expectation = Literal["greater", "less", "different", "equivalent", "not_worse"]


class EvaluationDecode(Decode):
    """How held-out items are answered."""

    model_config = ConfigDict(title="decoding settings")

    temperature: Temperature = 0.0
    max_new_tokens: MaxNewTokens = 150


class Evaluation(Part):
    """How every arm is measured."""

    model_config = ConfigDict(title="the evaluation")

    decode: Annotated[EvaluationDecode, Field(description="How the arms' answers to the held-out items are drawn.")] = (
        EvaluationDecode()
    )
    criteria: Annotated[tuple[Criterion, ...], Field(min_length=1, description="The criteria that answers are scored on.")] = (
        CRITERIA
    )
    primary: Annotated[
        tuple[Endpoint, ...],
        Field(description="The endpoints that decide, named before the run; claims without `on` are about these."),
    ] = ()
    gate: Annotated[
        Literal["warn", "stop"],
        Field(
            description="Once the untrained arms are scored and before anything is trained: what to do when they leave a claim "
            "less room than its effect needs. `warn` says so and goes on, `stop` ends the run there."
        ),
    ] = "warn"


class Correction(Part):
    """How p-values are corrected for the number of tests."""

    model_config = ConfigDict(title="a correction")

    primary: Annotated[
        Literal["holm", "bonferroni", "none"], Field(description="Over the tests of the claims: family-wise error rate.")
    ] = "holm"
    secondary: Annotated[Literal["bh", "by", "none"], Field(description="Over all other tests: false discovery rate.")] = "bh"


class Analysis(Part):
    """What counts as evidence."""

    model_config = ConfigDict(title="the analysis")

    alpha: Annotated[
        float, Field(gt=0, lt=0.5, description="Probability of a false positive over the primary tests. A fraction.")
    ] = 0.05
    smallest_effect: Annotated[
        float,
        Field(
            gt=0,
            lt=1,
            description="Smallest difference of interest between two arms' rates; also the margin of equivalence. A fraction.",
        ),
    ] = 0.10
    power: Annotated[
        float, Field(gt=0.5, lt=1, description="Wanted probability of finding the smallest effect. A fraction.")
    ] = 0.8
    correction: Annotated[Correction, Field(description="Corrections for the number of tests.")] = Correction()
    assumptions: Annotated[
        Assumptions, Field(description="What is believed before any answer is seen: only the expected power rests on it.")
    ] = Assumptions()


class Claim(Part):
    """One thing that the experiment is to show, as a contrast of two arms."""

    model_config = ConfigDict(title="a claim")

    says: Annotated[str, Field(min_length=1, max_length=1000, description="The claim in one sentence, for the report.")]
    compare: Annotated[tuple[ArmName, ArmName], Field(description="The two arms: first against second.")]
    expect: Annotated[
        Expectation,
        Field(description="The first arm's rate against the second's (`not_worse`: by less than the smallest effect)."),
    ]
    kind: Annotated[
        Literal["recipe", "checkpoint"],
        Field(
            description="`recipe`: this way of training is better (needs several seeds); `checkpoint`: these very weights are."
        ),
    ] = "recipe"
    on: Annotated[
        tuple[Endpoint, ...] | None,
        Field(min_length=1, description="Criteria, or `preference_accuracy`; null: the primary endpoints."),
    ] = None
    isolates: Annotated[
        tuple[str, ...],
        Field(
            description="What may differ between the two arms, such as `from`, `train.beta` or `engine`; "
            "all else is a confound."
        ),
    ] = ()
