"""What all parts of the language share: strictness, names, decoding settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field


class Part(BaseModel):
    """A mapping of the spec: unknown keys, wrong types, NaN and infinities are errors. Its `title` is its name in messages."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


AnyPart = TypeVar("AnyPart", bound=Part)

Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$", max_length=80)]
"""Recipes and claims: what file names, MLflow and step ids all accept."""

ArmKey = Annotated[str, Field(pattern=r"^[A-Za-z]([A-Za-z0-9_-]|[0-9]\.[0-9])*$", max_length=80)]
"""Arms: the same, and decimal points, as in `sft_dpo_beta_0.05`."""

Temperature = Annotated[float, Field(ge=0, le=10, description="Sampling temperature; 0 takes the likeliest token (greedy).")]
MaxNewTokens = Annotated[
    int,
    Field(ge=1, le=32_768, description="Most tokens an answer may have; one that reaches it is marked as cut off. In tokens."),
]


class Decode(Part):
    """How tokens are drawn."""

    model_config = ConfigDict(title="decoding settings")

    temperature: Temperature = 0.0
    max_new_tokens: MaxNewTokens = 80


def form_of(forms: Mapping[type, str]) -> Callable[[Any], str | None]:
    """For a value that may be written in several forms: tells by its type which one was meant."""
    return lambda value: forms.get(type(value))


def overlaid(base: AnyPart, over: Part, leave: frozenset[str] = frozenset()) -> AnyPart:
    """`base` with what was written in `over` in its place: mappings key by key, lists and mixes whole."""
    written: dict[str, Any] = {}
    for name in over.model_fields_set - leave:
        new, old = getattr(over, name), getattr(base, name)
        written[name] = overlaid(old, new) if isinstance(old, Part) and isinstance(new, Part) else new
    return base.model_copy(update=written) if written else base
