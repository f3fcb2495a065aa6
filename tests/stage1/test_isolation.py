"""Arms answer one at a time on one base model, and the evidence for it lies beside their answers."""

import json

import pytest
import torch

from compiler.plan import Step
from compiler.records import Answer, Item
from models.adapters import trainable
from models.contamination import SENTINELS
from models.errors import ModelError
from stage1.steps import answers
from stage1.steps.job import Job
from stage1.steps.resident import Resident
from stage1.store import Artifact, Draft

MODEL = {"base": "tiny-base", "revision": None, "quantization": "none", "dtype": "float32", "digest": None}
ITEMS = [
    Item(id=f"i{n}", kind="qa", instruction=f"What is the capital of {name}?") for n, name in enumerate(("France", "Peru"))
]


@pytest.fixture(scope="module")
def resident():
    """The embedded base model."""
    return Resident()


@pytest.fixture(scope="module")
def checkpoint(resident, tmp_path_factory):
    """An arm's checkpoint that changes what the model computes."""
    folder = tmp_path_factory.mktemp("arm")
    with trainable(resident.base(MODEL), {"rank": 4, "alpha": 8}, None, 1) as training, torch.no_grad():
        for parameter in (p for p in resident.base(MODEL).model.parameters() if p.requires_grad):
            parameter.add_(0.02)
        training.save(folder / "checkpoint")
    return Artifact(folder, {})


@pytest.mark.parametrize("trained", [True, False])
def test_evidence_lies_beside_the_answers(resident, checkpoint, tmp_path, trained):
    """Digests of the sentinels' logits are the same at loading, before and after an arm, and others with its checkpoint on."""
    (tmp_path / "items").mkdir()
    (tmp_path / "items/heldout.jsonl").write_text("".join(item.model_dump_json() + "\n" for item in ITEMS))
    settings = {
        "model": MODEL,
        "prompt": {"style": "instruction", "few_shot": 0},
        "decode": {"temperature": 0, "max_new_tokens": 4},
    }
    step = Step(id="respond/sft", kind="respond", version=1, settings=settings, inputs={}, fingerprint="f")
    draft = Draft(tmp_path, {}, lambda: tmp_path / "scratch", tmp_path / "damaged", lambda model: tmp_path / model)
    inputs = {"instructions": Artifact(tmp_path / "items", {})} | ({"checkpoint": checkpoint} if trained else {})

    answers.run(
        Job(
            step=step,
            inputs=inputs,
            draft=draft,
            models=lambda: resident,
            read_text=lambda path: "",
            progress=lambda done, total: None,
            curve_loggers=lambda: (),
        )
    )

    evidence = json.loads((tmp_path / "isolation.json").read_text())
    assert evidence["sentinels"] == list(SENTINELS)
    assert evidence["identical"] is True
    assert evidence["loaded"] == evidence["before"] == evidence["after"]
    assert (evidence["within"] != evidence["before"]) == trained
    assert all(len(digest) == 64 for digest in evidence["before"].values())
    lines = (tmp_path / "answers.jsonl").read_text().splitlines()
    assert [Answer.model_validate_json(line).item_id for line in lines] == ["i0", "i1"]
    assert draft.provenance["nf4_laid_out_in_bf16"] is False


@pytest.mark.parametrize(("when", "words"), [("within", "after this arm's"), ("before", "before this arm's")])
def test_a_changed_base_model_stops_the_step(checkpoint, when, words):
    """The smallest change of one weight is found, said to be within the arm or before it, and not handed on to the next step."""
    resident = Resident()
    weight = resident.base(MODEL).model.model.norm.weight
    if when == "before":
        weight.data[0] = torch.nextafter(weight.data[0], torch.tensor(9.0))

    with pytest.raises(ModelError, match=f"computes other logits {words}"), resident.isolated(MODEL, checkpoint):
        if when == "within":
            weight.data[0] = torch.nextafter(weight.data[0], torch.tensor(9.0))

    with resident.isolated(MODEL, checkpoint) as (_, evidence):
        pass
    assert evidence.identical


def test_an_error_within_is_told_as_it_is(resident, checkpoint):
    """A failure while answering is not mistaken for a lack of isolation, and leaves the base model clean."""
    with pytest.raises(KeyError, match="mine"), resident.isolated(MODEL, checkpoint):
        raise KeyError("mine")

    with resident.isolated(MODEL, None) as (_, evidence):
        pass
    assert evidence.identical
