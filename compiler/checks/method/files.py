"""What an instruction file of one's own shows before any run: near-duplicates, and items without answers (rows 16, 22)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from compiler.checks.method.controls import listed
from compiler.checks.method.design import Design
from compiler.checks.method.finding import Finding
from compiler.diagnostics import quoted
from compiler.language.data import BANK


def check_file(design: Design) -> Iterator[Finding]:
    """Items do not repeat each other in other letters, and those that a claim is about can be scored."""
    source = design.spec.data.instructions.source
    if source == BANK or not design.comparisons:
        return
    items = _items(design.subject.world.read_text(source))
    yield from _repeats(design, items)
    yield from _unscored(design, items)


def _items(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.lstrip("\ufeff").splitlines() if line.strip()]


def _repeats(design: Design, items: list[dict[str, Any]]) -> Iterator[Finding]:
    seen = {" ".join(re.findall(r"\w+", item["instruction"].casefold())) for item in items}
    repeated, about = len(items) - len(seen), [comparison.name for comparison in design.comparisons]
    if repeated:
        yield Finding(
            "M016",
            "blocks",
            tuple(about),
            design.subject.value("data", "instructions", "source"),
            f"{listed(about)}: {repeated} of {len(items)} instructions repeat another, so some are trained on and tested",
            "near-duplicates",
            ("equal but for capitals and punctuation; checked after the run: n-grams, template families",),
            advice="remove them, or give alike instructions the same `family`",
        )


def _unscored(design: Design, items: list[dict[str, Any]]) -> Iterator[Finding]:
    about = [c.name for c in design.comparisons if "factually_correct" in c.endpoints]
    answered = sum(bool(item.get("answers")) for item in items)
    if about and items and answered < len(items) / 2:
        heldout = design.spec.data.instructions.heldout
        scored = round(heldout * answered / len(items))
        yield Finding(
            "M022",
            "weakens",
            tuple(about),
            design.subject.value("data", "instructions", "source"),
            f"{listed(about)}: {quoted('factually_correct')} has nothing to go by for most items",
            "items without answers",
            (f"{answered} of {len(items)} items have `answers`: about {scored} of {heldout} are scored",),
            advice="give the items reference `answers`, or claim another criterion",
        )
