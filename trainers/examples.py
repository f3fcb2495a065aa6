"""Training examples as token ids: encoded once, too long ones dropped and counted, never cut."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from compiler.records import Demonstration, PairLogProbs, PreferencePair
from models.pairs import encode_pair
from models.prompt_format import Encoded, encode, render_prompt
from trainers.errors import TrainingError
from trainers.recipe import Recipe


@dataclass(frozen=True)
class Examples:
    """What an arm is trained on: demonstrations, or pairs with their log-probabilities under the reference model.

    Rows whose split is `validation` are never trained on; they draw the validation curves.
    """

    demonstrations: Sequence[Demonstration] = ()
    pairs: Sequence[PreferencePair] = ()
    reference: Sequence[PairLogProbs] = ()


@dataclass(frozen=True)
class SftExample:
    """A prompt and the response to learn."""

    id: str
    tokens: Encoded

    @property
    def group(self) -> str:
        """Demonstrations go alone."""
        return self.id


@dataclass(frozen=True)
class DpoExample:
    """A pair, and the reference model's summed log-probabilities of its sides."""

    id: str
    group: str
    """The item it belongs to: pairs of one prompt stay in one optimizer step."""
    chosen: Encoded
    rejected: Encoded
    reference_chosen: float
    reference_rejected: float


E = TypeVar("E", SftExample, DpoExample)


@dataclass(frozen=True)
class Prepared(Generic[E]):
    """Examples that fit."""

    train: tuple[E, ...]
    validation: tuple[E, ...]
    dropped_too_long: int
    """Training examples over `max_length`."""
    validation_dropped_too_long: int


def prepare(examples: Examples, tokenizer: Any, recipe: Recipe) -> Prepared[Any]:
    """Encodes what the recipe's objective needs.

    Raises:
        TrainingError: nothing to train on, a pair without reference log-probabilities, or all examples too long.
    """
    rows: Sequence[Demonstration | PreferencePair] = examples.demonstrations if recipe.objective == "sft" else examples.pairs
    wanted = "demonstrations" if recipe.objective == "sft" else "preference pairs"
    if not any(row.split == "train" for row in rows):
        raise TrainingError(f"there are no {wanted} to train on: look at what the earlier steps dropped, and why")
    encoder: Callable[[Any], Any] = (
        _sft_encoder(tokenizer) if recipe.objective == "sft" else _dpo_encoder(tokenizer, examples.reference)
    )
    train, dropped = _fitting((encoder(row) for row in rows if row.split == "train"), recipe.max_length)
    validation, validation_dropped = _fitting((encoder(row) for row in rows if row.split == "validation"), recipe.max_length)
    if not train:
        raise TrainingError(f"all {dropped} {wanted} are longer than max_length {recipe.max_length} tokens: raise max_length")
    return Prepared(train, validation, dropped, validation_dropped)


def sequences(examples: Iterable[SftExample | DpoExample]) -> list[Encoded]:
    """What a forward pass over these examples reads. A response that several pairs of a prompt share is read once."""
    rows = list(examples)
    if rows and isinstance(rows[0], DpoExample):
        return list(dict.fromkeys(side for row in rows if isinstance(row, DpoExample) for side in (row.chosen, row.rejected)))
    return [row.tokens for row in rows if isinstance(row, SftExample)]


def longest_sequence(examples: Iterable[SftExample | DpoExample]) -> int:
    """Tokens of the longest sequence."""
    return max(map(len, sequences(examples)), default=0)


def forward_tokens(examples: Iterable[SftExample | DpoExample]) -> int:
    """Prompt and response tokens that one optimizer step on these examples reads; no padding."""
    return sum(map(len, sequences(examples)))


def _sft_encoder(tokenizer: Any) -> Callable[[Any], SftExample]:
    def encode_row(row: Demonstration) -> SftExample:
        return SftExample(row.item_id, encode(tokenizer, render_prompt(row.instruction), row.response))

    return encode_row


def _dpo_encoder(tokenizer: Any, reference: Sequence[PairLogProbs]) -> Callable[[Any], DpoExample]:
    by_id = {row.pair_id: row for row in reference}

    def encode_row(row: PreferencePair) -> DpoExample:
        if row.id not in by_id:
            raise TrainingError(f"pair {row.id} has no reference log-probabilities: compute them for the same pairs")
        chosen, rejected = encode_pair(tokenizer, row)
        found = by_id[row.id]
        if (found.chosen_tokens, found.rejected_tokens) != (len(chosen.response_ids), len(rejected.response_ids)):
            raise TrainingError(f"the reference log-probabilities of pair {row.id} are of other tokens: compute them again")
        return DpoExample(row.id, row.item_id, chosen, rejected, found.chosen, found.rejected)

    return encode_row


def _fitting(examples: Iterable[E], max_length: int) -> tuple[tuple[E, ...], int]:
    every = tuple(examples)
    kept = tuple(example for example in every if longest_sequence([example]) <= max_length)
    return kept, len(every) - len(kept)
