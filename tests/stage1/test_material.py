"""What the analysis reads beside the scores: trainings with their lineage, pairs shared between arms, near-duplicates."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from compiler.plan import Step
from compiler.records import Answer, Demonstration, Item, PairLogProbs, PreferencePair
from evaluators.evidence.material import BASE
from stage1.steps.material import Materials, near_duplicates
from stage1.store import Artifact, Store


def item(name: str, instruction: str) -> Item:
    """An item that matters by its wording."""
    return Item(id=name, kind="qa", instruction=instruction)


TRAIN = (item("t1", "What is the capital of France?"), item("t2", "Name a river in Spain."))
HELDOUT = (item("h1", "what is the capital of France"), item("h2", "Who wrote Faust?"), item("h3", "Who wrote Faust"))
PAIR = PreferencePair(
    id="t1/off_topic", item_id="t1", instruction="?", chosen="Paris", rejected="Bananas.", negative_type="off_topic", split="train"
)  # fmt: skip


def test_only_near_duplicates_across_the_split_count() -> None:
    """A held-out item that repeats a training item is named with it; held-out items that repeat each other are not."""
    assert near_duplicates(TRAIN, HELDOUT) == {"h1": "t1"}


def test_a_training_is_read_with_its_lineage(tmp_path: Path) -> None:
    """DPO after SFT: tokens of both trainings and of the reference, the pairs, the items demonstrated before, sentinel hashes."""
    store = Store(tmp_path)

    def artifact(name: str, settings: dict[str, Any], inputs: dict[str, str], rows: dict[str, Any], **values: Any) -> Artifact:
        step = Step(id=name, kind="score", version=1, settings=settings, inputs={}, fingerprint=name)
        with store.writing(step, {"contamination": {"inputs": 3}}, inputs) as draft:
            for file, records in rows.items():
                draft.write(f"{file}.jsonl", records)
            for file, value in values.items():
                draft.write_json(f"{file}.json", value)
        return store.open(name)

    point = Answer(item_id="h1", split="heldout", response=" Paris", tokens=2, hit_token_limit=False)
    rows = [
        Demonstration(item_id="t1", instruction="?", response="Paris", split="train"),
        Demonstration(item_id="t2", instruction="?", response="Ebro", split="validation"),
    ]
    reference = PairLogProbs(pair_id=PAIR.id, chosen=-1, rejected=-9, chosen_tokens=2, rejected_tokens=3)
    split = artifact("split", {}, {}, {"train": TRAIN, "heldout": HELDOUT})
    demonstrations = artifact("demos", {}, {}, {"demonstrations": rows})
    sft = artifact(
        "sft", {"recipe": {"objective": "sft"}}, {"demonstrations": "demos"}, {"curves": []}, summary={"tokens_forward": 100}
    )
    dpo = artifact(
        "dpo", {"recipe": {"objective": "dpo", "beta": 0.1}}, {"checkpoint": "sft", "pairs": "pairs"}, {"curves": []},
        summary={"tokens_forward": 40, "tokens_reference": 20},
    )  # fmt: skip
    found = Materials(
        {
            "instructions": split, "score:sft:1": sft, "train:sft:1": sft, "demonstrations:sft:1": demonstrations,
            "score:two:1": dpo, "train:two:1": dpo,
            "pairs:two:1": artifact("pairs", {"labels": "shuffled"}, {}, {"pairs": [PAIR]}, counts={"train": {"asked": 9}}),
            "reference:two:1": artifact("reference", {}, {}, {"logprobs": [reference]}),
            "respond:two:1": artifact("respond", {}, {"checkpoint": "dpo"}, {"answers": [point]}, isolation={"identical": True}),
        }
    ).material()  # fmt: skip
    one, two = found.runs

    assert (one.training.tokens, one.training.is_dpo, one.answers, one.guard) == (100, False, {}, None)
    assert (two.training.tokens, two.training.beta, two.training.labels) == (160, 0.1, "shuffled")
    assert (two.training.pairs, two.training.reference) == ((PAIR,), (reference,))
    assert (one.training.start, two.training.start, two.weights) == (BASE, "sft", "dpo")
    assert (one.training.pairs_asked, two.training.pairs_asked) == (None, 9)
    assert two.training.demonstrated == {"t1"}
    assert (two.answers, two.guard, two.isolation) == ({"h1": point}, {"inputs": 3}, {"identical": True})
    assert found.near_duplicates == {"h1": "t1"}
