"""Calibration: what manifests recorded against what was estimated."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from compiler.estimates import UnknownDevice, estimate
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


def test_damage_is_passed_over(tmp_path: Path, plan: Plan) -> None:
    """Manifests that cannot be read, or whose inputs are gone, count for nothing; no store is no calibration."""
    record(tmp_path, plan, 3.0)
    for path in (tmp_path / "artifacts").glob("*/manifest.json"):
        path.write_text("{")

    assert not calibration_of(tmp_path, "cpu-2", DiskWorld()).ratios
    assert not calibration_of(tmp_path / "nowhere", "cpu-2", DiskWorld()).ratios
    with pytest.raises(UnknownDevice):
        calibration_of(tmp_path, "abacus", DiskWorld())
