"""Step `instructions`: draw the training, validation and held-out items from the bank or a JSONL file."""

from __future__ import annotations

from collections import Counter

from compiler.records import Item
from datagen.bank import load_bank
from datagen.instructions import read_items
from datagen.split import draw_split
from stage1.steps.job import Job


def run(job: Job) -> None:
    """Write `train.jsonl`, `validation.jsonl`, `heldout.jsonl` and `counts.json`."""
    settings = job.settings
    split = draw_split(
        _pool(job),
        train=settings["train"],
        validation=settings["validation"],
        heldout=settings["heldout"],
        stratify=settings["stratify"],
        seed=settings["seed"],
    )
    parts = {"train": split.train, "validation": split.validation, "heldout": split.heldout}
    for name, items in parts.items():
        job.draft.write(f"{name}.jsonl", items)
    job.draft.write_json("counts.json", {name: _counts(items) for name, items in parts.items()})


def _pool(job: Job) -> tuple[Item, ...]:
    source = job.settings["source"]
    return load_bank() if source == "bank" else read_items(job.read_text(source), source)


def _counts(items: tuple[Item, ...]) -> dict[str, object]:
    return {"items": len(items), "by_kind": dict(sorted(Counter(item.kind for item in items).items()))}
