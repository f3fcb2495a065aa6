"""`analysis.assumptions`: what is believed of the answers before any are seen; only the expected power rests on it."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from compiler.language.base import Part

_UNLESS = "Default: what a finished run of this experiment measured, else"


class Assumptions(Part):
    """What the expected power is simulated from; no result depends on it."""

    model_config = ConfigDict(title="the assumptions")

    base_rate: Annotated[
        float,
        Field(
            gt=0,
            lt=1,
            description="Pass rate of the arm that is not better. A fraction. "
            f"{_UNLESS} 0.65, at which the tests' error rates were checked.",
        ),
    ] = 0.65
    discordance: Annotated[
        float | None,
        Field(
            gt=0,
            lt=1,
            description="Share of the items on which two checkpoints differ at the smallest effect; it then takes the place of "
            "`item_sd`. A fraction. Default: null, what the standard deviations below make of it (0.33 with all defaults).",
        ),
    ] = None
    item_sd: Annotated[
        float,
        Field(
            ge=0,
            le=10,
            description="Standard deviation of the difficulty of items. In logits. "
            f"{_UNLESS} 1.5, at which the tests' error rates were checked.",
        ),
    ] = 1.5
    item_arm_sd: Annotated[
        float,
        Field(
            ge=0,
            le=10,
            description="Standard deviation of an arm's own way with an item. In logits. "
            f"{_UNLESS} 0.7, at which the tests' error rates were checked.",
        ),
    ] = 0.7
    seed_sd: Annotated[
        float,
        Field(
            ge=0,
            le=0.3,
            description="Standard deviation of an arm's rate between training seeds. A fraction. "
            f"{_UNLESS} 0.015, the middle of the 0 to 3 points over which the tests' error rates were checked.",
        ),
    ] = 0.015
    items_per_family: Annotated[
        float | None,
        Field(
            ge=1,
            le=1000,
            description="Held-out items per template family; items of a family are clustered. A count. "
            "Default: null, what a finished run measured, else as in a draw of that size from the built-in bank "
            "(1.13 of 130 items, 1.46 of 400).",
        ),
    ] = None
    family_share: Annotated[
        float,
        Field(
            ge=0,
            le=1,
            description="Share of both item variances that the items of a family have in common. A fraction. "
            "Default: 0.3, about what item differences within families of the built-in bank showed (0.28 over two runs).",
        ),
    ] = 0.3
