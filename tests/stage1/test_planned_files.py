"""Files that a plan refers to are read as they were when it was made, or not at all."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from compiler import compile_spec
from compiler.plan import Step
from compiler.records import Item
from stage1.steps import instructions
from stage1.steps.job import Job
from stage1.steps.planned_files import ChangedFile, NotText, planned_text
from stage1.store import Artifact, Store
from stage1.store.files import sha256
from stage1.world import DiskWorld

SPEC = """
experiment: demo
data: {instructions: {source: items.jsonl, train: 2, validation: 0, heldout: 2, stratify: kind, seed: 7}}
arms: {base: {}}
"""
ITEMS = [Item(id=f"i{n}", kind="qa", instruction=f"What is {n} plus {n}?").model_dump_json() for n in range(4)]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def planned_step() -> Step:
    """The step that draws the items, planned with the file as it is."""
    plan = compile_spec("spec.yaml", SPEC, [], DiskWorld()).plan
    assert plan is not None
    return plan.step("instructions")


def carried_out(step: Step) -> Artifact:
    """The artifact of that step, from the file as it is."""

    def no_model() -> None:
        raise AssertionError("asked for a model")

    store = Store(Path("runs"))
    with store.writing(step, {}, {}) as draft:
        instructions.run(Job(step, {}, draft, no_model, DiskWorld().read_text, lambda done, total: None, tuple))  # type: ignore[arg-type]
    return store.open(step.fingerprint)


def test_instructions_that_changed_since_the_plan_are_refused() -> None:
    """What was drawn from another file is never kept under the fingerprint of the one that was planned with."""
    source = Path("items.jsonl")
    source.write_text("\n".join(ITEMS))
    step = planned_step()
    source.write_text("\n".join(ITEMS).replace("plus", "minus"))

    with pytest.raises(ChangedFile, match=r"items\.jsonl has changed since the plan was made; plan again"):
        carried_out(step)

    assert Store(Path("runs")).known() == frozenset()
    source.write_text("\n".join(ITEMS))
    assert len(carried_out(step).read("heldout.jsonl", Item)) == 2


@pytest.mark.parametrize(
    "content", ["\ufeff" + "\n".join(ITEMS), "\r\n".join(ITEMS), "\r\n".join(ITEMS[:2]) + "\n" + "\n".join(ITEMS[2:])]
)
def test_instructions_may_be_written_by_any_editor(content: str) -> None:
    """A byte-order mark, lines that end as on Windows, and lines that end in both ways are what was planned with."""
    Path("items.jsonl").write_bytes(content.encode())

    assert len(carried_out(planned_step()).read("train.jsonl", Item)) == 2


def test_a_planned_file_in_another_encoding_is_refused() -> None:
    """The message says which one and where."""
    path = Path("answers.jsonl")
    path.write_bytes("Zürich".encode("latin-1"))
    job = SimpleNamespace(read_text=DiskWorld().read_text)

    with pytest.raises(NotText, match=r"answers\.jsonl is not UTF-8 text .* at byte 1"):
        planned_text(job, str(path), sha256(path))  # type: ignore[arg-type]
