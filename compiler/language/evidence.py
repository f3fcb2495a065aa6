"""`evaluation`, `analysis` and `claims`: what is measured, how it is judged, and what is to be shown."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import BeforeValidator, ConfigDict, Discriminator, Field, Tag, WithJsonSchema
from pydantic_core import PydanticKnownError

from compiler.language.assumptions import Assumptions
from compiler.language.base import Decode, MaxNewTokens, Part, Temperature, form_of
from compiler.language.data import ArmName

Criterion = Literal[
    "ends_with_end", "proper_structure", "no_rambling", "addresses_instruction", "appropriate_length", "no_unwarranted_refusal",
    "factually_correct", "coherent", "on_topic",
]  # fmt: skip
CRITERIA: tuple[Criterion, ...] = get_args(Criterion)
PREFERENCE_ACCURACY = "preference_accuracy"
OWN = "own."
"""How the endpoint of a criterion of one's own begins."""
OwnName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
_ENDPOINTS = (*CRITERIA, PREFERENCE_ACCURACY)


def _known_or_own(value: object) -> object:
    if isinstance(value, str) and not value.startswith(OWN) and value not in _ENDPOINTS:
        expected = ", ".join(map(repr, _ENDPOINTS[:-1]))
        raise PydanticKnownError("literal_error", {"expected": f"{expected} or {_ENDPOINTS[-1]!r}"})
    return value


Endpoint = Annotated[
    str,
    BeforeValidator(_known_or_own),
    WithJsonSchema({"anyOf": [{"enum": [*_ENDPOINTS]}, {"type": "string", "pattern": r"^own\.[a-z][a-z0-9_]*$"}]}),
]
"""What a claim can be about: a criterion, one of one's own (`own.NAME`), or the preference accuracy."""
Expectation = Literal["greater", "less", "different", "equivalent", "not_worse"]


class EvaluationDecode(Decode):
    """How held-out items are answered."""

    model_config = ConfigDict(title="decoding settings")

    temperature: Temperature = 0.0
    max_new_tokens: MaxNewTokens = 150


class EntryPoint(Part):
    """A criterion that an installed package declares."""

    model_config = ConfigDict(title="an installed criterion")

    entry_point: Annotated[
        str, Field(min_length=1, max_length=200, description="The criterion's name in the entry point group `stage1.criteria`.")
    ]


_FORMS = {str: "<a file>", dict: "<an installed criterion>", EntryPoint: "<an installed criterion>"}
OwnCriterion = Annotated[
    Annotated[str, Field(min_length=1, max_length=1000, description="A Python file."), Tag("<a file>")]
    | Annotated[EntryPoint, Tag("<an installed criterion>")],
    Discriminator(form_of(_FORMS)),
]


class Evaluation(Part):
    """How every arm is measured."""

    model_config = ConfigDict(title="the evaluation")

    decode: Annotated[EvaluationDecode, Field(description="How the arms' answers to the held-out items are drawn.")] = (
        EvaluationDecode()
    )
    criteria: Annotated[tuple[Criterion, ...], Field(min_length=1, description="The criteria that answers are scored on.")] = (
        CRITERIA
    )
    own_criteria: Annotated[
        dict[OwnName, OwnCriterion],
        Field(
            description="Criteria of one's own: NAME -> the Python file whose `CRITERION` (or one of whose `CRITERIA`) has "
            "that name, or `{entry_point: NAME}` of an installed package. Its code is run. Claims call it `own.NAME`.",
        ),
    ] = Field(default_factory=dict, json_schema_extra={"default": {}})
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

    @property
    def own_files(self) -> tuple[str, ...]:
        """The files of one's own criteria."""
        return tuple(each for each in self.own_criteria.values() if isinstance(each, str))

    @property
    def measured(self) -> tuple[str, ...]:
        """All criteria, those of one's own last."""
        return (*self.criteria, *(f"{OWN}{name}" for name in self.own_criteria))


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
