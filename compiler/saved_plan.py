"""A plan written earlier, as `run` may be given one: JSON that nobody has vouched for, so everything in it is checked."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from compiler.compile import COSMETIC
from compiler.diagnostics import printable, quoted
from compiler.language.spec import Spec
from compiler.plan import STEP_VERSIONS, Plan, Step, fingerprint


class NotAPlan(Exception):
    """The text is no plan that can be carried out; the message is one sentence about why."""


def looks_like_a_spec(text: str) -> bool:
    """Whether a JSON document is a spec rather than a plan: YAML holds JSON, so specs may be written in it."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and "steps" not in found and ("arms" in found or "extends" in found)


def read_plan(text: str) -> Plan:
    """The plan in a JSON document.

    Raises:
        NotAPlan: it is no plan, it was changed since it was written, or another version of this program wrote it.
    """
    try:
        plan = Plan.model_validate_json(text, strict=True)
        Spec.model_validate_json(json.dumps(plan.spec))
        _check_whole(plan)
        _check_fingerprints(plan)
    except ValidationError as invalid:
        first = invalid.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(key) for key in first["loc"][:6])
        raise NotAPlan(f"{quoted(where) + ': ' if where else ''}{printable(first['msg'])[:200]}") from None
    except (RecursionError, ValueError) as odd:
        raise NotAPlan(printable(str(odd))[:200]) from None
    return plan


def _check_whole(plan: Plan) -> None:
    """Every step reads only steps before it, and every arm and the verdicts are among the steps."""
    if plan.experiment != plan.spec.get("experiment"):  # the folder of the run is named by it
        raise NotAPlan("the name of the experiment is not that of its spec")
    twice = [step for step, count in Counter(step.id for step in plan.steps).items() if count > 1]
    if twice:
        raise NotAPlan(f"the step {quoted(twice[0])} is there twice")
    before: set[str] = set()
    for step in plan.steps:
        missing = sorted(set(step.inputs.values()) - before)
        if missing:
            raise NotAPlan(f"{quoted(step.id)} reads {quoted(missing[0])}, which is no step before it")
        before.add(step.id)
    kinds = {step.id: step.kind for step in plan.steps}
    named = [(entry.respond, "respond") for entry in plan.arms]
    named += [(entry.prefer, "prefer") for entry in plan.arms if entry.prefer is not None]
    named += [(entry.score, "score") for entry in plan.arms] + [(plan.analyze, "analyze")]
    named += [(entry.train, "train") for entry in plan.arms if entry.train is not None]
    wrong = next((step for step, kind in named if kinds.get(step) != kind), None)
    if wrong is not None:
        raise NotAPlan(f"it names the step {quoted(wrong)}, which is not there")


def _check_fingerprints(plan: Plan) -> None:
    """Nothing was changed since the plan was written, and this version would do the steps as that one."""
    known: dict[str, str] = {}
    for step in plan.steps:
        if step.version != STEP_VERSIONS[step.kind]:
            raise NotAPlan(f"{quoted(step.id)} is of version {step.version}, this program makes {STEP_VERSIONS[step.kind]}")
        known[step.id] = _fingerprint(step, known)
        if known[step.id] != step.fingerprint:
            raise NotAPlan(f"{quoted(step.id)} was changed after planning: its fingerprint differs")
    if plan.fingerprint != fingerprint(sorted(known.values())):
        raise NotAPlan("steps were added or taken away after planning: the plan's fingerprint differs")
    if plan.spec_fingerprint != _spec_fingerprint(plan.spec):
        raise NotAPlan("its spec was changed after planning: the fingerprint differs")


def _spec_fingerprint(resolved: Mapping[str, Any]) -> str:
    """The fingerprint of a resolved spec, without what changes no result."""
    return fingerprint({key: value for key, value in resolved.items() if key not in COSMETIC})


def _fingerprint(step: Step, known: Mapping[str, str]) -> str:
    inputs = {role: known[source] for role, source in step.inputs.items()}
    return fingerprint({"inputs": inputs, "kind": step.kind, "settings": step.settings, "version": step.version})
