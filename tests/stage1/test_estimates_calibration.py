"""Calibration: what manifests recorded against what was estimated."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from compiler.estimates import UnknownDevice, estimate, render_estimate
from compiler.estimates.work import Lengths
from compiler.plan import Plan
from stage1.commands.compiling import compile_file
from stage1.estimates import calibration_of
from stage1.world import DiskWorld

NANO = Path(__file__).parent / "nano.yaml"


@pytest.fixture
def plan() -> Plan:
    """A small plan on the embedded model."""
    found = compile_file(NANO, []).plan
    assert found is not None
    return found


def record(root: Path, plan: Plan, factor: float, **provenance: str) -> None:
    """A store in which every step took `factor` times as long as was estimated."""
    fingerprints = {step.id: step.fingerprint for step in plan.steps}
    seconds = {step.id: step.seconds for step in estimate(plan, "cpu-2", None, None, DiskWorld()).steps}
    for step in plan.steps:
        folder = root / "artifacts" / step.fingerprint
        folder.mkdir(parents=True)
        manifest = {
            **step.model_dump(include={"kind", "version", "settings", "fingerprint"}),
            "inputs": {role: fingerprints[source] for role, source in step.inputs.items()},
            "provenance": {"seconds": seconds[step.id] * factor, **provenance},
        }
        (folder / "manifest.json").write_text(json.dumps(manifest))


def test_a_store_corrects_the_estimate(tmp_path: Path, plan: Plan) -> None:
    """If everything took three times as long as estimated, the next estimate is three times as long, and surer."""
    record(tmp_path, plan, 3.0)
    plain = estimate(plan, "cpu-2", None, None, DiskWorld())
    corrected = estimate(plan, "cpu-2", None, calibration_of(tmp_path, "cpu-2", DiskWorld()), DiskWorld())

    for before, after in zip(plain.steps, corrected.steps, strict=True):
        assert after.seconds == pytest.approx(3 * before.seconds)
    assert corrected.error < plain.error


def test_other_devices_do_not_count(tmp_path: Path, plan: Plan) -> None:
    """Seconds of a GPU say nothing about a laptop, but for the steps without a model."""
    record(tmp_path, plan, 3.0, device="h100-80")

    assert "train" not in calibration_of(tmp_path, "cpu-2", DiskWorld()).ratios
    assert "train" in calibration_of(tmp_path, "h100-80", DiskWorld()).ratios
    assert "analyze" in calibration_of(tmp_path, "cpu-2", DiskWorld()).ratios


def test_recorded_lengths_take_the_place_of_assumed_ones(tmp_path: Path, plan: Plan) -> None:
    """Tokens of prompts and answers, as the same base model counted them on any device, change work and what is said of it."""
    record(tmp_path, plan, 1.0, device="h100-80")
    for step in plan.steps:
        if step.kind in ("generate", "respond"):
            path = tmp_path / "artifacts" / step.fingerprint / "manifest.json"
            manifest = json.loads(path.read_text())
            shots = step.settings["prompt"]["few_shot"]
            manifest["provenance"]["lengths"] = {"prompt": 40 + 70 * shots, "answer": 60, "longest": 300}
            path.write_text(json.dumps(manifest))

    learned = calibration_of(tmp_path, "cpu-2", DiskWorld(), "tiny-base")
    found = estimate(plan, "cpu-2", None, learned, DiskWorld())

    assert learned.lengths == Lengths(prompt=40, answer=60, example=70, longest=3)
    assert calibration_of(tmp_path, "cpu-2", DiskWorld(), "Qwen/Qwen2.5-32B").lengths is None
    assert found.flops > 1.5 * estimate(plan, "cpu-2", None, None, DiskWorld()).flops
    assert "40 tokens a prompt and 60 an answer as measured" in render_estimate(found)


def test_what_a_run_records_is_learned_from(tmp_path: Path, plan: Plan) -> None:
    """After a run its manifests name device, seconds and lengths, and the next estimate on that device rests on them."""
    command = [sys.executable, "-m", "stage1", "run", str(NANO), "--only", "base", "--store", str(tmp_path)]
    subprocess.run(command, check=True, cwd=tmp_path, capture_output=True, timeout=200)
    (answers,) = [step for step in plan.steps if step.id == "respond/base"]
    provenance = json.loads((tmp_path / "artifacts" / answers.fingerprint / "manifest.json").read_text())["provenance"]

    learned = calibration_of(tmp_path, provenance["device"], DiskWorld(), "tiny-base")

    assert provenance["seconds"] > 0
    assert 3 < provenance["lengths"]["prompt"] < 60
    assert set(learned.ratios) >= {"respond", "prefer", "score"}


def test_damage_is_passed_over(tmp_path: Path, plan: Plan) -> None:
    """Manifests that cannot be read, or whose inputs are gone, count for nothing; no store is no calibration."""
    record(tmp_path, plan, 3.0)
    for path in (tmp_path / "artifacts").glob("*/manifest.json"):
        path.write_text("{")

    assert not calibration_of(tmp_path, "cpu-2", DiskWorld()).ratios
    assert not calibration_of(tmp_path / "nowhere", "cpu-2", DiskWorld()).ratios
    with pytest.raises(UnknownDevice):
        calibration_of(tmp_path, "abacus", DiskWorld())
