"""What went wrong in a step that is complete all the same is said when it happens."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from compiler.plan import Step
from compiler.records import Answer, Demonstration, Item
from stage1.steps import preferences, train
from stage1.steps.job import Job
from stage1.store import Artifact, Store

ITEMS = [Item(id=f"i{n}", kind="qa", instruction=f"Name the capital of country {n}.") for n in range(8)]


def artifact(store: Store, name: str, **rows: Any) -> Artifact:
    """A complete artifact of these files."""
    step = Step(id=name, kind="score", version=1, settings={}, inputs={}, fingerprint=name)
    with store.writing(step, {}, {}) as draft:
        for file, records in rows.items():
            draft.write(f"{file}.jsonl", records)
    return store.open(name)


def notes_of(module: Any, store: Store, step: Step, inputs: dict[str, Artifact]) -> list[str]:
    """What a step says while it makes its artifact."""
    said: list[str] = []
    with store.writing(step, {}, {}) as draft:
        module.run(Job(step, inputs, draft, _NoModel, str, lambda done, total: None, tuple, said.append))  # type: ignore[arg-type]
    return said


class _NoModel:
    def base(self, settings: Any) -> None:
        """Nothing is trained here."""


@pytest.mark.parametrize(
    ("usable", "told"),
    [(8, []), (2, ["2 of the 8 pairs asked for could be made; dropped above all chosen answers: empty (6)"])],
)
def test_pairs_that_could_not_be_made_are_told_when_it_happens(tmp_path: Path, usable: int, told: list[str]) -> None:
    """Fewer than nine tenths of the pairs asked for: how many, and what was dropped most."""
    store = Store(tmp_path)
    said = [f" City {n} is the capital.\nEND" if n < usable else "" for n in range(len(ITEMS))]
    answers = [
        Answer(item_id=item.id, split="train", response=response, tokens=9, hit_token_limit=False)
        for item, response in zip(ITEMS, said, strict=True)
    ]
    settings = {"pairs": 8, "rejected": {"unwarranted_refusal": 1.0}, "labels": "true", "seed": 1}
    step = Step(id="preferences", kind="preferences", version=1, settings=settings, inputs={}, fingerprint="p")
    inputs = {
        "instructions": artifact(store, "split", train=ITEMS, validation=[]),
        "chosen": artifact(store, "chosen", answers=answers),
    }

    assert notes_of(preferences, store, step, inputs) == told


@pytest.mark.parametrize(
    ("losses", "told"),
    [((0.87, 0.5, 0.3), []), ((0.87, 9.0, 8.4), ["the loss ended higher than it began: 0.87 at the first step, 8.4"])],
)
def test_a_loss_that_rose_is_told_when_the_training_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, losses: tuple[float, ...], told: list[str]
) -> None:
    """First and last loss, on the console; a training whose loss fell says nothing."""

    def trained(base: Any, *, out: Path, **told: Any) -> None:
        rows = [{"step": step, "name": "train/loss", "value": loss} for step, loss in enumerate(losses)]
        (out / "curves.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    monkeypatch.setattr(train, "train", trained)
    store = Store(tmp_path)
    settings = {"recipe": {"objective": "sft"}, "model": {"adapter": None}, "seed": 1}
    step = Step(id="train/sft", kind="train", version=1, settings=settings, inputs={}, fingerprint="t")
    rows = [Demonstration(item_id="i1", instruction="?", response="x", split="train")]
    inputs = {"demonstrations": artifact(store, "demonstrations", demonstrations=rows)}

    notes = notes_of(train, store, step, inputs)

    assert [note.partition(" over the last fifth")[0] for note in notes] == told
