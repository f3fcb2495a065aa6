"""What the embedded base model does on the bank: how often it answers, stops and rambles, few-shot and zero-shot."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from compiler.records import Item
from datagen.bank import load_bank
from datagen.exemplars import EXEMPLARS
from models.generation import Decode, generate
from models.loading import LoadedBase, load_base
from models.prompt_format import encode_prompt, render_prompt

_MARKER_LINE = re.compile(r"^END[ \t]*$", re.MULTILINE)
_FIRST_SENTENCE = re.compile(r"\A\s*(.*?[.!?](?=\s|$)|[^\n]*)")
STYLES = ("few_shot", "zero_shot")
SAMPLES = 12
SHOTS = 4
"""Worked examples before an instruction, as many as the quickstart shows."""


@dataclass(frozen=True)
class Reply:
    """What the model wrote to one item."""

    item: Item
    text: str
    finished: bool
    """The model ended by itself, by the marker or by end-of-text, before the token limit."""

    @property
    def answer(self) -> str:
        """The text before the first marker line."""
        return _MARKER_LINE.split(self.text, maxsplit=1)[0].strip()

    @property
    def marked(self) -> bool:
        """END stands on a line of its own."""
        return _MARKER_LINE.search(self.text) is not None


def contains_answer(text: str, answers: Iterable[str]) -> bool:
    """One of the reference answers occurs as whole words, in any letter case."""
    return any(re.search(rf"(?<!\w){re.escape(a)}(?!\w)", text, re.IGNORECASE) for a in answers)


def holds_answer(reply: Reply) -> bool:
    """The answer holds a reference answer, wherever."""
    return contains_answer(reply.answer, reply.item.answers or ())


def opens_with_answer(reply: Reply) -> bool:
    """Its first sentence or line holds a reference answer: a fact met while rambling does not count."""
    opening = _FIRST_SENTENCE.search(reply.answer)
    return contains_answer(opening[1] if opening else "", reply.item.answers or ())


def _share(replies: Sequence[Reply], passes: Callable[[Reply], bool]) -> float | None:
    return round(sum(map(passes, replies)) / len(replies), 4) if replies else None


def rates(replies: Sequence[Reply]) -> dict[str, Any]:
    """Shares of the replies; `contained` and `opens_with_answer` among items that have reference answers, also per kind."""
    checkable = [reply for reply in replies if reply.item.answers]
    by_kind: dict[str, list[Reply]] = defaultdict(list)
    for reply in checkable:
        by_kind[reply.item.kind].append(reply)
    return {
        "items": len(replies),
        "items_with_answers": len(checkable),
        "contained": _share(checkable, holds_answer),
        "opens_with_answer": _share(checkable, opens_with_answer),
        "contained_by_kind": {kind: _share(by_kind[kind], holds_answer) for kind in sorted(by_kind)},
        "opens_with_answer_by_kind": {kind: _share(by_kind[kind], opens_with_answer) for kind in sorted(by_kind)},
        "ends_with_marker": _share(replies, lambda r: r.marked),
        "runs_to_the_limit": _share(replies, lambda r: not r.finished),
        "one_line": _share(replies, lambda r: "\n" not in r.answer),
        "median_words": sorted(len(r.answer.split()) for r in replies)[len(replies) // 2] if replies else None,
    }


def samples(replies: Sequence[Reply]) -> list[dict[str, str]]:
    """Evenly spaced replies, to be read."""
    step = max(1, len(replies) // SAMPLES)
    return [{"instruction": r.item.instruction, "response": r.text} for r in replies[::step][:SAMPLES]]


def replies_to(loaded: LoadedBase, prompts: Sequence[tuple[Item, str]], limit: int) -> list[Reply]:
    """Greedy replies of at most `limit` tokens, in the order of the prompts."""
    ids = [encode_prompt(loaded.tokenizer, prompt) for _, prompt in prompts]
    written = generate(loaded, ids, Decode(temperature=0, max_new_tokens=limit))
    return [Reply(item, out.text, not out.hit_token_limit) for (item, _), out in zip(prompts, written, strict=True)]


def prompts(instruction: str) -> dict[str, str]:
    """The prompt styles that are measured: the experiment's own, alone and after worked examples."""
    return {
        "few_shot": render_prompt(instruction, "few-shot", EXEMPLARS[:SHOTS]),
        "zero_shot": render_prompt(instruction),
    }


def measure(folder: Path, device: str, limit: int, count: int = 0) -> dict[str, Any]:
    """Rates and samples of a model folder per prompt style, in float32: on the bank, or on about `count` items of it."""
    loaded = load_base({"base": str(folder)}, "cpu")
    loaded = replace(loaded, model=loaded.model.to(device), device=torch.device(device))
    bank = load_bank()
    items = bank[:: max(1, len(bank) // count)] if count else bank
    report: dict[str, Any] = {"parameters": loaded.model.num_parameters(), "token_limit": limit}
    for style in STYLES:
        asked = [(item, prompts(item.instruction)[style]) for item in items]
        found = replies_to(loaded, asked, limit)
        report[style] = rates(found) | {"samples": samples(found)}
    return report
