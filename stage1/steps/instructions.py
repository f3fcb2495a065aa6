"""Step `instructions`: draw the training, validation and held-out items from the bank or a JSONL file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from compiler.language.data import BANK
from compiler.records import Item
from datagen.bank import load_bank
from datagen.instructions import read_items
from datagen.split import Split, draw_split
from stage1.steps.job import Job
from stage1.steps.planned_files import planned_text


def run(job: Job) -> None:
    """Write `train.jsonl`, `validation.jsonl`, `heldout.jsonl` and `counts.json`.

    Raises:
        ChangedFile: the source is no longer what was planned with.
    """
    split = drawn(job.settings, lambda path: planned_text(job, path, job.settings["source_digest"]))
    parts = {"train": split.train, "validation": split.validation, "heldout": split.heldout}
    for name, items in parts.items():
        job.draft.write(f"{name}.jsonl", items)
    job.draft.write_json("counts.json", {name: _counts(items) for name, items in parts.items()})


def drawn(settings: Mapping[str, Any], read_text: Callable[[str], str]) -> Split:
    """The items of an `instructions` step with these settings.

    Raises:
        ValueError: a line of the source is no item, or there are too few.
    """
    source = settings["source"]
    pool = load_bank() if source == BANK else read_items(read_text(source), source)
    sizes = {part: settings[part] for part in ("train", "validation", "heldout")}
    return draw_split(pool, **sizes, stratify=settings["stratify"], seed=settings["seed"])


def _counts(items: tuple[Item, ...]) -> dict[str, object]:
    return {"items": len(items), "by_kind": dict(sorted(Counter(item.kind for item in items).items()))}
