"""The records that travel between steps: one JSON object a line, validated on the way in."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Kind = Literal["completion", "qa", "generation", "response"]
Split = Literal["train", "validation", "heldout"]
ConstraintType = Literal["one_word", "yes_no", "number", "list", "sentences", "words_max", "contains", "starts_with"]
NegativeType = Literal["unwarranted_refusal", "format_violation", "incorrect_factual", "off_topic", "verbose_vague"]
RejectedType = NegativeType | Literal["random"]


class Record(BaseModel):
    """Strict and immutable: an unknown or mistyped field is an error, not a surprise later."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Constraint(Record):
    """An explicit demand on the form of the answer, such as `list` of n = 3 or `contains` text = "because"."""

    type: ConstraintType
    n: int | None = None
    text: str | None = None


class Item(Record):
    """One instruction, with all that is known about a good answer to it."""

    id: str
    kind: Kind
    instruction: Annotated[str, Field(min_length=1)]
    answers: tuple[str, ...] | None = None
    """Accepted reference answers, the first being canonical; None where there is no single right answer."""
    constraint: Constraint | None = None
    good_answer: str | None = None
    """A fixed good answer, written by no arm: the chosen side of held-out pairs."""
    family: str = ""
    """The template this instruction came from; items of a family are clustered in the statistics."""
    entity: str = ""
    """What the instruction asks about, such as `France`."""
    topic: str = ""


class Demonstration(Record):
    """One example for supervised fine-tuning."""

    item_id: str
    instruction: str
    response: str
    split: Literal["train", "validation"]


class PreferencePair(Record):
    """A chosen and a rejected answer to one instruction."""

    id: str
    item_id: str
    instruction: str
    chosen: str
    rejected: str
    negative_type: RejectedType
    split: Split


class Answer(Record):
    """What a model wrote after `Response:`, raw: up to the END marker (kept), end-of-sequence or the token limit."""

    item_id: str
    split: Split
    response: str
    tokens: int
    """Generated tokens, the END marker's included."""
    hit_token_limit: bool


class PairLogProbs(Record):
    """Summed log-probabilities (nats) of both sides of a pair given its prompt, and how many tokens they sum over."""

    pair_id: str
    chosen: float
    rejected: float
    chosen_tokens: int
    rejected_tokens: int


class ItemScore(Record):
    """The criteria of one answer: true, false, or null where a criterion does not apply or failed to judge."""

    item_id: str
    criteria: dict[str, bool | float | None]
    """A number only for criteria of one's own with ordinal scores: from 0, the worst, to 1, the best."""
    preference: dict[str, bool] = Field(default_factory=dict)
    """Per negative type: whether the held-out pair's chosen side got the higher mean token log-probability."""
    failures: dict[str, str] = Field(default_factory=dict)
    """Criteria that could not judge this answer (null there), and why."""
