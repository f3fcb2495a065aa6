"""What lies in the artifacts beside the scores, for the checks on data and results."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from compiler.records import Answer, Demonstration, Item, PairLogProbs, PreferencePair
from datagen.near_duplicates import near_duplicate_pairs
from evaluators.evidence import ArmRun, Material, Training
from evaluators.evidence.material import BASE
from stage1.curves import read_curves
from stage1.store import Artifact

ISOLATION = "isolation.json"
"""Beside the answers of an arm: what sentinel prompts were answered before it and after it."""


class Materials:
    """Reads the inputs of an `analyze` step, each artifact once: arms share most of them."""

    def __init__(self, inputs: Mapping[str, Artifact]) -> None:
        self._inputs = inputs
        self._read: dict[tuple[str, str], Any] = {}
        self._trained = {a.manifest["fingerprint"]: a for role, a in inputs.items() if role.startswith("train:")}

    def material(self) -> Material:
        """Everything, for every arm and seed with a score."""
        split = self._inputs["instructions"]
        train, heldout = split.read("train.jsonl", Item), split.read("heldout.jsonl", Item)
        keys = [role.removeprefix("score:") for role in self._inputs if role.startswith("score:")]
        return Material(train, near_duplicates(train, heldout), tuple(self._run(key) for key in keys))

    def _run(self, key: str) -> ArmRun:
        arm, seed = arm_and_seed(key)
        respond, train = self._inputs.get(f"respond:{key}"), self._inputs.get(f"train:{key}")
        return ArmRun(
            arm=arm,
            seed=seed,
            answers={} if respond is None else {answer.item_id: answer for answer in respond.read("answers.jsonl", Answer)},
            weights=_weights(respond),
            guard=None if respond is None else respond.manifest["provenance"].get("contamination"),
            isolation=respond.read_json(ISOLATION) if respond is not None and respond.has(ISOLATION) else None,
            training=None if train is None else self._training(key, train),
        )

    def _training(self, key: str, train: Artifact) -> Training:
        recipe = train.manifest["settings"]["recipe"]
        pairs, reference = self._inputs.get(f"pairs:{key}"), self._inputs.get(f"reference:{key}")
        curves: dict[str, list[tuple[int, float]]] = {}
        for row in read_curves(train):
            curves.setdefault(row.name, []).append((row.step, row.value))
        return Training(
            objective=recipe["objective"],
            beta=recipe.get("beta"),
            tokens=sum(self._tokens(stage) for stage in self._lineage(train)),
            curves=curves,
            pairs=() if pairs is None else self._records(pairs, "pairs.jsonl", PreferencePair),
            pairs_asked=pairs.read_json("counts.json")["train"]["asked"] if pairs and pairs.has("counts.json") else None,
            reference=() if reference is None else self._records(reference, "logprobs.jsonl", PairLogProbs),
            labels="true" if pairs is None else pairs.manifest["settings"]["labels"],
            start=train.manifest["inputs"].get("checkpoint", BASE),
            demonstrated=self._demonstrated(train),
        )

    def _lineage(self, train: Artifact) -> list[Artifact]:
        """An arm's training and those before it whose weights it starts from."""
        stages, current = [train], self._parent(train)
        while current is not None:
            stages.append(current)
            current = self._parent(current)
        return stages

    def _parent(self, train: Artifact) -> Artifact | None:
        return self._trained.get(train.manifest["inputs"].get("checkpoint", ""))

    def _tokens(self, train: Artifact) -> int:
        summary = train.read_json("summary.json")
        return int(summary["tokens_forward"]) + int(summary.get("tokens_reference") or 0)

    def _demonstrated(self, train: Artifact) -> frozenset[str]:
        found: set[str] = set()
        for stage in self._lineage(train):
            artifact = self._demonstrations.get(stage.manifest["inputs"].get("demonstrations", ""))
            if artifact is not None:
                rows = self._records(artifact, "demonstrations.jsonl", Demonstration)
                found |= {row.item_id for row in rows if row.split == "train"}
        return frozenset(found)

    @cached_property
    def _demonstrations(self) -> dict[str, Artifact]:
        return {a.manifest["fingerprint"]: a for role, a in self._inputs.items() if role.startswith("demonstrations:")}

    def _records(self, artifact: Artifact, name: str, record: Any) -> Any:
        key = (artifact.manifest["fingerprint"], name)
        if key not in self._read:
            self._read[key] = artifact.read(name, record)
        return self._read[key]


def _weights(respond: Artifact | None) -> str | None:
    """Whose answers these are: of a training, of the base model, or of nothing here."""
    if respond is None or "responses" in respond.manifest["settings"]:
        return None
    return str(respond.manifest["inputs"].get("checkpoint", BASE))


def near_duplicates(train: tuple[Item, ...], heldout: tuple[Item, ...]) -> dict[str, str]:
    """Held-out item -> a training item whose instruction it nearly repeats."""
    pairs = near_duplicate_pairs([item.instruction for item in (*train, *heldout)])
    across = ((one, other - len(train)) for one, other in sorted(pairs) if one < len(train) <= other)
    return {heldout[other].id: train[one].id for one, other in across}


def arm_and_seed(key: str) -> tuple[str, int | None]:
    """`sft:2` is arm sft of seed 2, `base` an untrained arm."""
    arm, *seed = key.split(":")
    return arm, int(seed[0]) if seed else None
