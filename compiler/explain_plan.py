"""What a plan would do, step by step, and why: reuse what is complete, run what is new or has changed, name the change."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from compiler.language.recipes import with_neutral
from compiler.plan import Plan, Step, StepKind

Action = Literal["reuse", "run"]
Consumers = Mapping[str, tuple[Step, str]]
"""Step id -> the first step that reads it, and in which role."""

_ABSENT = object()


@dataclass(frozen=True, slots=True)
class Change:
    """A setting with its value before and now."""

    name: str
    """As in the spec: `recipes.dpo.beta`."""
    old: Any
    new: Any
    what: Literal["changed", "added", "removed"] = "changed"

    def __str__(self) -> str:
        if self.what != "changed":
            return f"{self.name} is {'new' if self.what == 'added' else 'gone'}"
        return f"{self.name} {_shown(self.old)} -> {_shown(self.new)}"


@dataclass(frozen=True, slots=True)
class StepOutlook:
    """What becomes of one step."""

    id: str
    kind: StepKind
    arm: str | None
    seed: int | None
    action: Action
    why: str
    """A few words: `complete`, `new`, `recipes.dpo.beta 0.1 -> 0.3`, `train/sft/seed-1 changes`."""
    changes: tuple[Change, ...] = ()
    """Settings of its own that changed."""
    upstream: tuple[str, ...] = ()
    """Steps it reads whose results change."""


@dataclass(frozen=True, slots=True)
class PlanOutlook:
    """What becomes of every step, in the order of the plan."""

    steps: tuple[StepOutlook, ...]

    def counts(self) -> dict[StepKind, dict[Action, int]]:
        """Per kind of step, how many are reused and how many run."""
        counted: dict[StepKind, dict[Action, int]] = {}
        for step in self.steps:
            counted.setdefault(step.kind, {"reuse": 0, "run": 0})[step.action] += 1
        return counted

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {"counts": self.counts(), "steps": [asdict(step) for step in self.steps]}


def explain_plan(plan: Plan, complete: Container[str], previous: Plan | None = None) -> PlanOutlook:
    """Say per step whether it is reused or run, and why.

    Args:
        plan: what is to be done.
        complete: the fingerprints of the steps whose results are kept.
        previous: the last plan of the same experiment, to name what changed since.
    """
    before = {step.id: step for step in previous.steps} if previous is not None else {}
    now = {step.id: step for step in plan.steps}
    consumers = _consumers(plan)
    outlooks = []
    for step in plan.steps:
        if step.fingerprint in complete:
            outlooks.append(_outlook(step, "reuse", "complete"))
        elif step.id not in before:
            outlooks.append(_outlook(step, "run", "new"))
        elif before[step.id].fingerprint == step.fingerprint:
            outlooks.append(_outlook(step, "run", "not complete yet"))
        else:
            outlooks.append(_changed(step, before[step.id], before, now, _Names(plan, consumers)))
    return PlanOutlook(tuple(outlooks))


def _outlook(
    step: Step, action: Action, why: str, changes: tuple[Change, ...] = (), upstream: tuple[str, ...] = ()
) -> StepOutlook:
    return StepOutlook(step.id, step.kind, step.arm, step.seed, action, why, changes, upstream)


def _changed(step: Step, old: Step, before: Mapping[str, Step], now: Mapping[str, Step], names: _Names) -> StepOutlook:
    changes = tuple({str(change): change for change in _changes(step, old, names)}.values())
    if old.version != step.version:
        changes = (Change(f"version of `{step.kind}`", old.version, step.version), *changes)
    upstream = tuple(
        source
        for role, source in step.inputs.items()
        if role not in old.inputs or before[old.inputs[role]].fingerprint != now[source].fingerprint
    )
    reasons = [str(change) for change in changes] or [f"{source} changes" for source in upstream] or [_follows(step, old)]
    more = f" and {len(reasons) - 3} more" if len(reasons) > 3 else ""
    return _outlook(step, "run", ", ".join(reasons[:3]) + more, changes, upstream)


def _follows(step: Step, old: Step) -> str:
    """Why a step runs again of which no setting that is written in a spec changes, and nothing that it reads."""
    return "reads less than before" if step.settings == old.settings else "what stands against its claims"


def _changes(step: Step, old: Step, names: _Names) -> Iterator[Change]:
    for path, was, now in _differences(_named(old.settings), _named(step.settings)):
        is_seeds = path[0] == "arms" and _ABSENT not in (was, now)
        name = "seeds" if is_seeds else names.of(step, path)
        if was is _ABSENT:
            yield Change(name, None, now, "added")
        else:
            yield Change(name, was, None, "removed") if now is _ABSENT else Change(name, was, now)


def _differences(was: Any, now: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    """Where two settings differ: as deep as both are mappings."""
    if isinstance(was, dict) and isinstance(now, dict):
        for key in dict.fromkeys((*was, *now)):
            yield from _differences(was.get(key, _ABSENT), now.get(key, _ABSENT), (*path, key))
    elif was != now:
        yield path, was, now


_DERIVED = frozenset({"lineage", "confounds"})
"""Settings that follow from others, which are told themselves."""


def _named(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings with claims by their names (their place in a list says nothing), and without what follows from others."""
    said = {key: value for key, value in settings.items() if key not in _DERIVED}
    if "recipe" in said:
        said["recipe"] = with_neutral(said["recipe"])
    return said | {"claims": {claim["name"]: _named(claim) for claim in said["claims"]}} if "claims" in said else said


def _consumers(plan: Plan) -> Consumers:
    consumers: dict[str, tuple[Step, str]] = {}
    for step in plan.steps:
        for role, source in step.inputs.items():
            consumers.setdefault(source, (step, role))
    return consumers


class _Names:
    """What a step's setting is called in the spec it was lowered from."""

    def __init__(self, plan: Plan, consumers: Consumers) -> None:
        self._spec = plan.spec
        self._consumers = consumers

    def of(self, step: Step, path: tuple[str, ...]) -> str:
        """The dotted path in the spec of a step's setting."""
        if path == ("source_digest",):
            return "the contents of data.instructions.source"
        if path == ("model", "digest"):
            return "the weights of model.base"
        if path[0] in ("model", "analysis", "claims", "arms", "level"):
            return ".".join(path)
        if path == ("seed",):
            return "seeds" if step.kind == "train" else "data.instructions.seed"
        if path[0] == "prompt":
            return f"arms.{step.arm}.prompt" if path[1] == "style" else self._data(step, "demonstrations", path[1:])
        return self._by_kind(step, path)

    def _by_kind(self, step: Step, path: tuple[str, ...]) -> str:
        if step.kind == "train":
            return self._recipe(step, path[1:])
        if step.kind == "generate":
            consumer, role = self._consumers.get(step.id, (step, ""))
            own = {"chosen": ("preferences", "chosen"), "answers": ("demonstrations",)}.get(role)
            return self._data(consumer, own[0], (*own[1:], *path)) if own else ".".join(("evaluation", *path))
        if step.kind == "preferences":
            return self._data(step, "preferences", path)
        prefix = {"instructions": "data.instructions", "demonstrations": "data.demonstrations"}.get(step.kind, "evaluation")
        return ".".join((prefix, *path))

    def _recipe(self, step: Step, path: tuple[str, ...]) -> str:
        train = self._spec["arms"].get(step.arm, {}).get("train")
        if path == ("match",) or (isinstance(train, dict) and path[0] in train):
            return ".".join(("arms", str(step.arm), "train", *path))
        return ".".join(("recipes", train["use"] if isinstance(train, dict) else str(train), *path))

    def _data(self, step: Step, part: str, path: tuple[str, ...]) -> str:
        own: Any = self._spec["arms"].get(step.arm, {}).get("data") or {}
        for key in (part, *path):
            own = own.get(key) if isinstance(own, dict) else own
        prefix = ("arms", str(step.arm), "data") if own is not None else ("data",)
        return ".".join((*prefix, part, *path))


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_shown(below)}" for key, below in value.items()) + "}"
    return "null" if value is None else str(value)
