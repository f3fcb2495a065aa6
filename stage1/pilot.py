"""The finished run of an experiment in the store, as a pilot of the next: its measured variances."""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from compiler.checks.method.power import Pilot
from compiler.records import Item, ItemScore
from stage1.store import DamagedArtifact, Store
from stage1.store.files import write_json


def pilot_of(root: Path, remembered: Path, experiment: str) -> Pilot | None:
    """What the last run of an experiment measured, if it was finished; measured once per analysis.

    Args:
        root: the store.
        remembered: a folder for what was measured.
        experiment: the experiment's name.
    """
    steps = _steps(root / experiment / "plan.json")
    analyze = next((step for step in steps.values() if step.get("kind") == "analyze"), None)
    if analyze is None or not Store(root).has(analyze["fingerprint"]):
        return None
    path = remembered / f"pilot-{analyze['fingerprint'][:32]}.json"
    try:
        return TypeAdapter(Pilot).validate_json(path.read_bytes())
    except (OSError, ValueError):
        pilot = _measured(Store(root), steps, analyze)
    if pilot is not None:
        with contextlib.suppress(OSError):
            remembered.mkdir(parents=True, exist_ok=True)
            write_json(path, asdict(pilot))
    return pilot


def _steps(path: Path) -> dict[str, dict[str, Any]]:
    """The steps of the last run's plan by their id; none where there is no plan that can be read."""
    try:
        return {step["id"]: step for step in json.loads(path.read_bytes())["steps"]}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _measured(store: Store, steps: dict[str, dict[str, Any]], analyze: dict[str, Any]) -> Pilot | None:
    from evaluators.analysis import AnalyzeSettings
    from evaluators.analysis.outcomes import read_outcomes
    from evaluators.statistics.measured import measured
    from stage1.steps.material import arm_and_seed

    try:
        made = {role: steps[name]["fingerprint"] for role, name in analyze["inputs"].items()}
        scores = {
            arm_and_seed(role.removeprefix("score:")): store.open(made[role]).read("scores.jsonl", ItemScore)
            for role in made
            if role.startswith("score:")
        }
        settings = AnalyzeSettings.model_validate(analyze["settings"])
        outcomes = read_outcomes(settings, scores, store.open(made["instructions"]).read("heldout.jsonl", Item))
    except (KeyError, OSError, ValueError, ValidationError, DamagedArtifact):  # a run that cannot be read is no pilot
        return None
    trained = frozenset(arm for arm in settings.arms if settings.trained(arm))
    return measured(outcomes.tables, outcomes.families, trained, f"run {analyze['fingerprint'][:12]}")
