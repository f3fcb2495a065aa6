"""From resolved arms to steps. Settings hold only what changes a step's result; steps that come out equal are one step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from compiler.confounds import Confounds
from compiler.language.arms import PromptStyle
from compiler.language.base import Decode
from compiler.language.data import CHOSEN, shares_of
from compiler.language.evidence import Claim, EntryPoint
from compiler.language.recipes import DpoRecipe, SftRecipe
from compiler.language.spec import Spec
from compiler.plan import ArmSteps, Step
from compiler.resolve import ResolvedArm, in_order
from compiler.step_table import Owner, StepTable
from compiler.world import InstalledCriterion


@dataclass(frozen=True, slots=True)
class Digests:
    """What identifies the files that a spec refers to."""

    model: str | None
    """Of the weights; None for a hub model, which is identified by its revision."""
    instructions: str | None
    """Of the instruction file; None for the built-in bank."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Of other files by path: criteria of one's own, answers made elsewhere."""
    installed: Mapping[str, InstalledCriterion] = field(default_factory=dict)
    """Criteria of installed packages, by entry point."""


@dataclass(frozen=True, slots=True)
class Lowered:
    """All steps, in an order in which inputs come first."""

    steps: tuple[Step, ...]
    arms: tuple[ArmSteps, ...]
    analyze: str


def lower(spec: Spec, arms: Mapping[str, ResolvedArm], confounds: Confounds, digests: Digests) -> Lowered:
    """The steps of an experiment whose arms are known to fit together; `confounds`: what stands against its claims."""
    return _Lowering(spec, arms, confounds, digests).lowered()


class _Lowering:
    def __init__(self, spec: Spec, arms: Mapping[str, ResolvedArm], confounds: Confounds, digests: Digests) -> None:
        self.spec = spec
        self.arms = arms
        self.confounds = confounds
        self.steps = StepTable()
        self.data_seed = spec.data.instructions.seed
        self.model = spec.model.model_dump(mode="json", exclude={"adapter"}) | {"digest": digests.model}
        self.trainable = self.model | {"adapter": spec.model.model_dump(mode="json")["adapter"]}
        self.only_model = {"model": self.model}
        self.digests = digests
        self.criteria = self._criteria()
        self.asked: dict[tuple[str, int], dict[str, Any]] = {}
        """Per prompt, what a `respond` step is told."""
        self.evaluation_decode = spec.evaluation.decode.model_dump(mode="json")
        self.gate: tuple[str, ...] = ()
        """The step that trainings wait for: whether the untrained arms leave room for what is claimed."""
        self.trained: dict[str, bool] = {}
        """Whether an arm's weights have been trained, by itself or by those it comes from."""
        self.checkpoints: dict[tuple[str, int | None], str] = {}
        self.common_pairs: dict[int | None, str] = {}
        """Per seed, the pairs of the arms that have no data of their own."""
        self.references: dict[tuple[str, str | None], str] = {}
        """Per step of pairs and checkpoint."""
        instructions = spec.data.instructions.model_dump(mode="json") | {"source_digest": digests.instructions}
        self.instructions = self.steps.add("instructions", "instructions", instructions, {}, Owner())
        inputs: dict[str, str | None] = {"instructions": self.instructions}
        self.heldout_pairs = self.steps.add("heldout_pairs", "heldout_pairs", {"seed": self.data_seed}, inputs, Owner())

    def _criteria(self) -> dict[str, Any]:
        """What a score step is told; one's own criteria by their file's content or their package's version."""
        evaluation = self.spec.evaluation
        own = {name: self._own(where) for name, where in evaluation.own_criteria.items()}
        return {"criteria": list(evaluation.criteria)} | ({"own": own} if own else {})

    def _own(self, where: str | EntryPoint) -> dict[str, Any]:
        if isinstance(where, EntryPoint):
            return asdict(self.digests.installed[where.entry_point])
        return {"file": where, "digest": self.digests.files[where]}

    def lowered(self) -> Lowered:
        """Every arm and seed, then the analysis."""
        made: dict[str, list[ArmSteps]] = {}
        ordered = list(in_order(self.arms))
        for arm in ordered:
            self.trained[arm.name] = arm.recipe is not None or (arm.parent is not None and self.trained[arm.parent])
        untrained = [arm for arm in ordered if not self.trained[arm.name]]  # they need no trained one
        for arm in untrained:
            made[arm.name] = [self._arm(arm, None)]
        self.gate = self._gate(made)
        for arm in ordered:
            if self.trained[arm.name]:
                made[arm.name] = [self._arm(arm, seed) for seed in self._seeds(arm.name)]
        arms = tuple(entry for name in self.arms for entry in made[name])
        analyze = self._analyze(arms)
        return Lowered(self.steps.steps, arms, analyze)

    def _seeds(self, arm: str) -> tuple[int | None, ...]:
        return self.spec.seeds if self.trained[arm] else (None,)

    def _arm(self, arm: ResolvedArm, seed: int | None) -> ArmSteps:
        owner = Owner(arm.name, seed)
        if arm.responses is not None:
            return self._answered_elsewhere(arm.name, arm.responses, owner)
        start = self._checkpoint(arm.parent, seed)
        train = self._train(arm, arm.recipe, start, owner) if arm.recipe is not None else None
        checkpoint = train or start
        if checkpoint is not None:
            self.checkpoints[arm.name, seed] = checkpoint
        inputs = {"instructions": self.instructions, "checkpoint": checkpoint}
        respond = self.steps.add("respond", owner.named("respond", arm.name), self._asked(arm), inputs, owner)
        inputs = {"pairs": self.heldout_pairs, "checkpoint": checkpoint}
        prefer = self.steps.add("prefer", owner.named("prefer", arm.name), self.only_model, inputs, owner)
        inputs = {"instructions": self.instructions, "answers": respond, "logprobs": prefer, "pairs": self.heldout_pairs}
        score = self.steps.add("score", owner.named("score", arm.name), self.criteria, inputs, owner)
        return ArmSteps(arm=arm.name, seed=seed, train=checkpoint, respond=respond, prefer=prefer, score=score)

    def _answered_elsewhere(self, name: str, path: str, owner: Owner) -> ArmSteps:
        """Answers are brought in and scored; there is no model, so nothing can be said about what it would prefer."""
        settings = {"responses": path, "digest": self.digests.files[path]}
        inputs: dict[str, str | None] = {"instructions": self.instructions}
        respond = self.steps.add("respond", owner.named("respond", name), settings, inputs, owner)
        score = self.steps.add("score", owner.named("score", name), self.criteria, inputs | {"answers": respond}, owner)
        return ArmSteps(arm=name, seed=None, train=None, respond=respond, prefer=None, score=score)

    def _asked(self, arm: ResolvedArm) -> dict[str, Any]:
        prompt = self._prompt(arm.prompt, arm)
        settings = {"model": self.model, "prompt": prompt, "decode": self.evaluation_decode}
        return self.asked.setdefault((prompt["style"], prompt["few_shot"]), settings)

    def _checkpoint(self, arm: str | None, seed: int | None) -> str | None:
        return self.checkpoints.get((arm, seed)) if arm is not None and self.trained[arm] else None

    def _train(self, arm: ResolvedArm, recipe: SftRecipe | DpoRecipe, start: str | None, owner: Owner) -> str:
        matched = self._checkpoint(arm.match, owner.seed)
        inputs: dict[str, str | None] = {"checkpoint": start, "match": matched}
        if recipe.objective == "dpo":
            pairs = self._preferences(arm, owner)
            inputs |= {"pairs": pairs, "reference": self._reference(arm, pairs, start, owner)}
        else:
            inputs["demonstrations"] = self._demonstrations(arm, owner)
        resolved = recipe.model_dump(mode="json") | {"match": "tokens" if matched else None}
        seed = ((owner.seed or 0) + resolved.pop("seed_offset", 0)) % 2**32
        settings = {"model": self.trainable, "recipe": resolved, "seed": seed}
        return self.steps.add("train", owner.named("train", arm.name), settings, inputs, owner, after=self.gate)

    def _reference(self, arm: ResolvedArm, pairs: str, start: str | None, owner: Owner) -> str:
        if (pairs, start) not in self.references:
            writer = Owner(arm.name, owner.seed if start is not None else self.steps.seed_of(pairs))
            name = writer.named("reference", *((arm.name,) if arm.own_data else ()), arm.parent or "base-model")
            inputs = {"pairs": pairs, "checkpoint": start}
            self.references[pairs, start] = self.steps.add("reference", name, self.only_model, inputs, writer)
        return self.references[pairs, start]

    def _demonstrations(self, arm: ResolvedArm, owner: Owner) -> str:
        source = arm.demonstrations.from_
        if source == CHOSEN:
            answers, writer = self._chosen(arm, owner)
        else:
            style: PromptStyle = (
                "few-shot" if arm.demonstrations.few_shot and not self._is_trained(source) else self._style(source)
            )
            answers, writer = self._generate(source, self._prompt(style, arm), arm.demonstrations.decode, owner)
        settings = {"clean": source != CHOSEN}
        inputs: dict[str, str | None] = {"instructions": self.instructions, "answers": answers}
        name = writer.named("demonstrations", *((arm.name,) if arm.own_data else ()))
        return self.steps.add("demonstrations", name, settings, inputs, writer)

    def _preferences(self, arm: ResolvedArm, owner: Owner) -> str:
        if arm.own_data:
            return self._new_preferences(arm, owner)
        if owner.seed not in self.common_pairs:
            self.common_pairs[owner.seed] = self._new_preferences(arm, owner)
        return self.common_pairs[owner.seed]

    def _new_preferences(self, arm: ResolvedArm, owner: Owner) -> str:
        chosen, writer = self._chosen(arm, owner)
        preferences = arm.preferences
        settings = {"pairs": preferences.pairs, "rejected": shares_of(preferences.rejected), "labels": preferences.labels}
        observed = None
        if preferences.rejected == "empirical":
            observed, _ = self._generate(None, self._prompt("instruction", arm), self.spec.evaluation.decode, owner)
        inputs = {"instructions": self.instructions, "chosen": chosen, "observed": observed}
        name = writer.named("preferences", *((arm.name,) if arm.own_data else ()))
        return self.steps.add("preferences", name, settings | {"seed": self.data_seed}, inputs, writer)

    def _chosen(self, arm: ResolvedArm, owner: Owner) -> tuple[str, Owner]:
        source = arm.preferences.chosen.from_
        asked = self._prompt(self._style(source), self.arms.get(source or "", arm))
        return self._generate(source, asked, arm.preferences.chosen.decode, owner)

    def _generate(self, source: str | None, prompt: dict[str, Any], decode: Decode, owner: Owner) -> tuple[str, Owner]:
        """The step in which an arm answers the training instructions, and whose it is (no seed where the arm has none)."""
        writer = Owner(owner.arm, owner.seed if self._is_trained(source) else None)
        settings = {"model": self.model, "prompt": prompt, "decode": decode.model_dump(mode="json"), "seed": self.data_seed}
        inputs = {"instructions": self.instructions, "checkpoint": self._checkpoint(source, writer.seed)}
        words = (source or "base-model", *((prompt["style"],) if prompt["style"] != "instruction" else ()))
        return self.steps.add("generate", writer.named("generate", *words), settings, inputs, writer, after=self.gate), writer

    def _is_trained(self, arm: str | None) -> bool:
        return arm is not None and self.trained[arm]

    def _style(self, arm: str | None) -> PromptStyle:
        return self.arms[arm].prompt if arm is not None else "instruction"

    def _prompt(self, style: PromptStyle, arm: ResolvedArm) -> dict[str, Any]:
        return {"style": style, "few_shot": arm.demonstrations.few_shot if style == "few-shot" else 0}

    def _gate(self, untrained: Mapping[str, Sequence[ArmSteps]]) -> tuple[str, ...]:
        """The step between the untrained arms' scores and the first training; none where nothing could be said there."""
        scores = {_role("score", entry): entry.score for entries in untrained.values() for entry in entries}
        if not scores or not self.spec.claims or len(untrained) == len(self.arms):
            return ()
        settings = {
            "policy": self.spec.evaluation.gate,
            "analysis": self.spec.analysis.model_dump(mode="json", exclude={"assumptions"}),
            "claims": [
                {
                    "name": name,
                    "compare": list(claim.compare),
                    "expect": claim.expect,
                    "kind": claim.kind,
                    "on": self._on(claim),
                }
                for name, claim in sorted(self.spec.claims.items())
            ],
            "arms": {name: list(self._seeds(name)) for name in untrained},
            "criteria": list(self.spec.evaluation.measured),
        }
        return (self.steps.add("gate", "gate", settings, {"instructions": self.instructions, **scores}, Owner()),)

    def _on(self, claim: Claim) -> list[str]:
        return list(claim.on or self.spec.evaluation.primary)

    def _analyze(self, arms: tuple[ArmSteps, ...]) -> str:
        spec = self.spec
        settings = {
            "analysis": spec.analysis.model_dump(mode="json", exclude={"assumptions"}),
            "claims": [self._claim(name, claim) for name, claim in sorted(spec.claims.items())],
            "arms": {name: list(self._seeds(name)) for name in self.arms},
            "lineage": {name: self._builds_on(arm) for name, arm in self.arms.items() if self.trained[name]},
            "criteria": list(spec.evaluation.measured),
            "primary": list(spec.evaluation.primary),
            "level": spec.level,
        }
        inputs: dict[str, str | None] = {"instructions": self.instructions}
        for entry in arms:
            inputs |= self._left_by(entry)
        return self.steps.add("analyze", "analyze", settings, inputs, Owner())

    def _left_by(self, entry: ArmSteps) -> dict[str, str | None]:
        """What one arm and seed leave for the analysis: scores, answers, and the training with the data that it saw."""
        found: dict[str, str | None] = {_role("score", entry): entry.score, _role("respond", entry): entry.respond}
        if entry.train is not None:
            read = self.steps.inputs_of(entry.train)
            found[_role("train", entry)] = entry.train
            found |= {_role(role, entry): read.get(role) for role in ("pairs", "reference", "demonstrations")}
        return found

    def _claim(self, name: str, claim: Claim) -> dict[str, Any]:
        """A claim with its endpoints, and what stands against it; nothing where one of its arms is missing."""
        confounds = list(self.confounds.get(name, ()))
        return {"name": name, **claim.model_dump(mode="json"), "on": self._on(claim), "confounds": confounds}

    def _builds_on(self, arm: ResolvedArm) -> list[str]:
        """The trained arms whose seed k goes into this arm's seed k, by weights or by data."""
        return sorted({need.arm for need in arm.needs() if need.arm != arm.match and self.trained[need.arm]})


def _role(kind: str, entry: ArmSteps) -> str:
    """The role of what an arm and seed left: `score:sft:2`, `score:base`."""
    return f"{kind}:{entry.arm}" + (f":{entry.seed}" if entry.seed is not None else "")
