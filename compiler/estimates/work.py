"""The work of one step: tokens, FLOPs and passes, from the plan's own settings and stated assumptions about lengths.

A token costs 2N FLOPs forward (N: parameters it is multiplied with; Kaplan et al. 2020, arXiv 2001.08361), 4N more where all
weights are trained and 2N more with an adapter, whose backward pass needs the gradients of activations but not of weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from compiler.estimates.devices import ALONE, Together
from compiler.estimates.micro_batches import CPU_TOKENS, MicroBatch, Recompute
from compiler.estimates.shapes import ModelShape
from compiler.plan import Step

Steps = Mapping[str, Step]
"""By id."""

GENERATION_BATCH = 130
"""Prompts answered at once where the spec leaves it open."""
READING_TOKENS = 8192
"""Padded tokens at once where log-probabilities are read."""
ANSWER_PAIRS = 5
"""Held-out pairs per held-out item: one for each negative type."""


@dataclass(frozen=True, slots=True)
class Lengths:
    """Mean lengths in tokens; assumptions, until a run has measured them."""

    prompt: float = 20
    """An instruction with its format."""
    answer: float = 30
    """An answer of a model that stops by itself: trained, or shown examples; one that was not runs to the limit."""
    example: float = 35
    """A worked example of a few-shot prompt."""
    longest: float = 4
    """The longest sequence as a multiple of the mean one: it decides about memory."""


@dataclass(frozen=True, slots=True)
class Work:
    """What a step does to the model; all zero for one that needs none."""

    tokens_read: float = 0
    """Prompt and response tokens through the model at once."""
    tokens_written: float = 0
    """Tokens generated one after the other."""
    optimizer_steps: int = 0
    passes: float = 0
    """Forward passes, a backward pass counted as two."""
    written_at_once: float = 0
    """Sequences that share one pass of generation."""
    flops: float = 0


def work_of(
    step: Step,
    steps: Steps,
    shape: ModelShape,
    lengths: Lengths,
    generation_batch: int | None = None,
    micro: MicroBatch | None = None,
    together: Together = ALONE,
) -> Work:
    """The work of one step; `steps` has those it reads, by the ids that its inputs name.

    `micro` and `together` are of a training step, whose passes are those that devices do side by side.
    """
    if "responses" in step.settings:  # answered elsewhere
        return Work()
    if step.kind in ("generate", "respond"):
        return _generation(step, steps, shape, lengths, generation_batch or GENERATION_BATCH)
    if step.kind in ("reference", "prefer"):
        count = _pairs(steps[step.inputs["pairs"]], steps)
        tokens = 2 * count * (lengths.prompt + lengths.answer)
        computed = tokens * _tree_share(steps[step.inputs["pairs"]], steps, lengths)
        flops = _flops(computed, (lengths.prompt + lengths.answer) / 2, shape)
        return Work(tokens_read=tokens, passes=ceil(computed / READING_TOKENS), flops=flops)
    if step.kind == "train":
        return _training(step, steps, shape, lengths, micro or MicroBatch(CPU_TOKENS, "none"), together)
    return Work()


def _flops(tokens: float, context: float, shape: ModelShape) -> float:
    """FLOPs of a forward pass over tokens that see `context` others on average."""
    attention = 4 * shape.layers * shape.heads * shape.head_size * context
    return tokens * (2 * shape.computing + attention)


def _generation(step: Step, steps: Steps, shape: ModelShape, lengths: Lengths, batch: int) -> Work:
    count = _items(step, steps)
    prompt = lengths.prompt + step.settings["prompt"]["few_shot"] * lengths.example
    limit = step.settings["decode"]["max_new_tokens"]
    stops = "checkpoint" in step.inputs or step.settings["prompt"]["style"] == "few-shot"
    answer = min(lengths.answer, limit) if stops else limit
    rounds = ceil(count / batch)
    longest = min(limit, answer * 2)
    return Work(
        tokens_read=count * prompt,
        tokens_written=count * answer,
        passes=rounds * (1 + longest),
        written_at_once=min(count, batch),
        flops=_flops(count * (prompt + answer), (prompt + answer) / 2, shape),
    )


def _items(step: Step, steps: Steps) -> int:
    asked = steps[step.inputs["instructions"]].settings
    return int(asked["heldout"] if step.kind == "respond" else asked["train"] + asked["validation"])


def _pairs(step: Step, steps: Steps) -> int:
    if step.kind == "heldout_pairs":
        return int(steps[step.inputs["instructions"]].settings["heldout"]) * ANSWER_PAIRS
    asked = steps[step.inputs["instructions"]].settings
    beside = int(asked["validation"]) / max(1, int(asked["train"]))
    return ceil(int(step.settings["pairs"]) * (1 + beside))


def trained_tokens(step: Step, steps: Steps, lengths: Lengths) -> float:
    """Prompt and response tokens that a training reads, over all its epochs."""
    if "match" in step.inputs:
        matched = steps[step.inputs["match"]]
        reference = _epoch(matched, steps, lengths) if matched.settings["recipe"]["objective"] == "dpo" else 0.0
        return trained_tokens(matched, steps, lengths) + reference
    return _epoch(step, steps, lengths) * float(step.settings["recipe"]["epochs"])


def _epoch(step: Step, steps: Steps, lengths: Lengths) -> float:
    return _examples(step, steps) * sequence_tokens(step.settings["recipe"], lengths)


def _examples(step: Step, steps: Steps) -> int:
    if step.settings["recipe"]["objective"] == "dpo":
        return int(steps[step.inputs["pairs"]].settings["pairs"])
    demonstrations = steps[step.inputs["demonstrations"]]
    return int(steps[demonstrations.inputs["instructions"]].settings["train"])


def sequence_tokens(recipe: Mapping[str, Any], lengths: Lengths) -> float:
    """Tokens of one example: a prompt and its response, both of them twice for a pair."""
    sides = 2 if recipe["objective"] == "dpo" else 1
    return sides * min(lengths.prompt + lengths.answer, float(recipe["max_length"]))


def _tree_share(pairs: Step, steps: Steps, lengths: Lengths) -> float:
    """What is computed of what pairs say: a prompt's pairs are one tree, prompt and chosen answer read once for all of them."""
    if pairs.kind == "heldout_pairs":
        each = float(ANSWER_PAIRS)
    else:
        each = max(1.0, int(pairs.settings["pairs"]) / max(1, int(steps[pairs.inputs["instructions"]].settings["train"])))
    return (lengths.prompt + (1 + each) * lengths.answer) / (2 * each * (lengths.prompt + lengths.answer))


def _repeated_work(recipe: Mapping[str, Any], recompute: Recompute) -> float:
    """Forward passes beyond the one that is learnt from.

    TRL recomputes activations and, for DPO, reads its reference anew; our own trainer recomputes as far as memory asks for it:
    two of the three matrices of the gated blocks are about half of a pass.
    """
    if recipe.get("engine") == "trl":
        return 2 if recipe["objective"] == "dpo" else 1
    return {"none": 0.0, "selective": 0.55, "full": 1.0}[recompute]


def _training(step: Step, steps: Steps, shape: ModelShape, lengths: Lengths, micro: MicroBatch, together: Together) -> Work:
    recipe = step.settings["recipe"]
    tokens = trained_tokens(step, steps, lengths)
    seen = tokens / sequence_tokens(recipe, lengths)
    updates = max(1, round(seen / recipe["batch_size"]))
    trees = recipe["objective"] == "dpo" and recipe.get("engine") != "trl"
    share = _tree_share(steps[step.inputs["pairs"]], steps, lengths) if trees else 1.0
    in_a_batch = share * recipe["batch_size"] * sequence_tokens(recipe, lengths)
    size = recipe["micro_batch_size"]
    parts = ceil((recipe["batch_size"] / size if size else in_a_batch / micro.tokens) / together.devices)
    backward = 2 if step.settings["model"]["adapter"] is not None else 3
    again = _repeated_work(recipe, micro.recompute)
    return Work(
        tokens_read=tokens,
        optimizer_steps=updates,
        passes=updates * parts * (3 + again),
        flops=(backward + again) * _flops(share * tokens, sequence_tokens(recipe, lengths) / 4, shape),
    )
