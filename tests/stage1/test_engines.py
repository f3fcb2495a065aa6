"""The same arms by both engines, through the command line: one experiment in which only whose trainer ran differs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from safetensors.numpy import load_file

NANO = Path(__file__).with_name("nano.yaml")
SPEC = f"""
extends: {NANO}
experiment: engines
seeds: [1]
arms:
  dpo_only: null
  sft_dpo_trl: {{from: sft, train: {{use: dpo, engine: trl}}}}
claims:
  sft_teaches_the_marker: null
  whoever_trains:
    says: it does not matter whose trainers ran
    compare: [sft_dpo_trl, sft_dpo]
    expect: equivalent
    kind: checkpoint
    on: [ends_with_end]
    isolates: [engine]
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which both engines have run."""
    folder = tmp_path_factory.mktemp("engines")
    (folder / "spec.yaml").write_text(SPEC)
    environment = {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"} | {"NO_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "stage1", "run", "spec.yaml"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


def artifacts(folder: Path) -> dict[str, tuple[Path, dict[str, Any]]]:
    """Step id -> its folder and manifest."""
    manifests = {path.parent: json.loads(path.read_text()) for path in folder.glob("runs/artifacts/*/manifest.json")}
    return {manifest["step"]: (path, manifest) for path, manifest in manifests.items()}


def test_both_engines_train_the_same_arm(finished: Path) -> None:
    """From the same SFT checkpoint and pairs: adapters agree to 1e-4 of their largest weight, so the answers are the same."""
    made = artifacts(finished)
    (one, _), (other, _) = made["train/sft_dpo/seed-1"], made["train/sft_dpo_trl/seed-1"]

    first, second = (load_file(folder / "checkpoint" / "adapter_model.safetensors") for folder in (one, other))
    largest = max(abs(weights).max() for weights in first.values())
    assert first.keys() == second.keys()
    assert max(abs(weights - second[name]).max() for name, weights in first.items()) < 1e-4 * largest
    answers = [(made[f"respond/{arm}/seed-1"][0] / "answers.jsonl").read_text() for arm in ("sft_dpo", "sft_dpo_trl")]
    assert answers[0] == answers[1]


def test_the_first_dpo_loss_of_trl_is_ln_2(finished: Path) -> None:
    """Its reference is the SFT model that it starts from, not the base."""
    folder, _ = artifacts(finished)["train/sft_dpo_trl/seed-1"]

    assert json.loads((folder / "summary.json").read_text())["first_loss"] == pytest.approx(0.6931471805599453, abs=1e-5)


def test_the_manifest_says_which_trl(finished: Path) -> None:
    """Engine and version of whoever trained are on record with the checkpoint."""
    from importlib.metadata import version

    _, manifest = artifacts(finished)["train/sft_dpo_trl/seed-1"]

    assert manifest["settings"]["recipe"]["engine"] == "trl"
    assert manifest["provenance"]["versions"]["trl"] == version("trl")


def test_the_claim_is_not_confounded(finished: Path) -> None:
    """The two arms differ in the engine alone, which the claim isolates: the verdict is about the answers."""
    analysis = json.loads((artifacts(finished)["analyze"][0] / "analysis.json").read_text())

    (claim,) = analysis["claims"]
    assert (claim["claim"], claim["confounds"]) == ("whoever_trains", [])
    assert claim["contrasts"][0]["effect"] == 0
