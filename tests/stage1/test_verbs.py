"""gc, diff, doctor and ui: what they find, what they leave alone, how they refuse."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from nano import NANO, plan_of

from compiler.plan import Plan
from stage1.commands.diff import differences, show_difference
from stage1.commands.doctor import diagnose
from stage1.commands.gc import collect
from stage1.commands.ui import open_ui
from stage1.log_prob_cache import models_asked
from stage1.store import Store, write_json


def fill(root: Path, plan: Plan) -> None:
    """An artifact for every step of a plan, with next to nothing in it."""
    store = Store(root)
    for step in plan.steps:
        if not store.has(step.fingerprint):
            with store.writing(step, {}, {}) as draft:
                draft.write_json("value.json", step.id)


def test_gc_shows_what_no_spec_needs_and_removes_nothing(
    specs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The artifacts of another beta are garbage, those of the spec and its last run are not; a dry run keeps all."""
    root = tmp_path / "runs"
    fill(root, plan_of())
    fill(root, plan_of("recipes.dpo.beta=0.3"))
    fill(root, plan_of("recipes.dpo.beta=0.5"))
    (root / "nano").mkdir()
    write_json(root / "nano" / "plan.json", plan_of("recipes.dpo.beta=0.3").model_dump(mode="json"))
    before = Store(root).known()

    assert collect(specs, root, delete=False) == 0

    told = capsys.readouterr().out
    of_beta_5 = {step.fingerprint for step in plan_of("recipes.dpo.beta=0.5").steps}
    needed = {step.fingerprint for plan in (plan_of(), plan_of("recipes.dpo.beta=0.3")) for step in plan.steps}
    assert {name for name in before if name in told} == of_beta_5 - needed
    assert Store(root).known() == before

    assert collect(specs, root, delete=True) == 0
    assert Store(root).known() == needed


def test_gc_finds_log_probabilities_of_models_that_nobody_asks(specs: Path, tmp_path: Path) -> None:
    """They are kept by model: those of a checkpoint that no spec trains any more go, those of the base model stay."""
    root = tmp_path / "runs"
    asked, gone = (
        set(models_asked(plan_of())),
        set(models_asked(plan_of("recipes.sft.epochs=2"))) - set(models_asked(plan_of())),
    )
    for name in asked | gone:
        (root / "log_probs" / name).mkdir(parents=True)

    assert collect(specs, root, delete=True) == 0

    assert gone
    assert {folder.name for folder in (root / "log_probs").iterdir()} == asked


def test_gc_leaves_what_a_run_is_making(specs: Path, tmp_path: Path) -> None:
    """An artifact or draft whose lock is held stays, whatever the specs say."""
    root = tmp_path / "runs"
    other = plan_of("recipes.dpo.beta=0.5")
    fill(root, other)
    train = other.step("train/sft_dpo/seed-1").fingerprint

    with Store(root).claim(train) as mine:
        assert mine
        assert collect(specs, root, delete=True) == 0

    assert Store(root).has(train)


def test_gc_removes_nothing_while_a_spec_is_faulty(specs: Path, tmp_path: Path) -> None:
    """What a faulty spec needs cannot be known; a folder without specs is no licence either."""
    root = tmp_path / "runs"
    fill(root, plan_of("recipes.dpo.beta=0.5"))
    (specs / "faulty.yaml").write_text("experiment: x\narms: {base: {}}\nsedes: [1]\n")

    assert collect(specs, root, delete=True) == 1
    assert collect(tmp_path / "elsewhere", root, delete=True) == 2
    assert len(Store(root).known()) == len(plan_of().steps)


def test_diff_names_the_change_and_the_steps(tmp_path: Path) -> None:
    """A changed beta touches the DPO arms and the analysis, nothing of SFT; the setting is named with both values."""
    found = {row.step: row.what for row in differences(plan_of(), plan_of("recipes.dpo.beta=0.3"))}

    assert "0.1 -> 0.3" in found["train/sft_dpo/seed-1"]
    assert "analyze" in found
    assert not [step for step in found if step.startswith("train/sft/")]


def test_diff_takes_specs_plans_and_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Any mixture; with JSON, one document; an unreadable one is refused in one line."""
    write_json(tmp_path / "plan.json", plan_of("seeds=[1]").model_dump(mode="json"))

    assert show_difference(NANO, tmp_path, as_json=True, store_root=tmp_path) == 0
    document = json.loads(capsys.readouterr().out)
    assert not document["same"]
    assert {"step": "train/sft/seed-2", "arm": "sft", "what": "only in A"} in document["steps"]
    assert show_difference(NANO, NANO, as_json=False, store_root=tmp_path) == 0
    assert "the same steps" in capsys.readouterr().out
    assert show_difference(NANO, tmp_path / "no.yaml", as_json=False, store_root=tmp_path) == 2


def test_doctor_finds_damage_and_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A flipped byte, a dead tracking server and no hub: a line each, with advice; exit 3 for what is bad, 0 without it."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    root = tmp_path / "runs"
    fill(root, plan_of())
    assert diagnose(root, f"sqlite:///{tmp_path / 'mlflow.db'}", verify=True) == 0
    path = next(root.glob("artifacts/*/value.json"))
    path.write_text(path.read_text().swapcase())
    capsys.readouterr()

    assert diagnose(root, "http://user:secret-word@127.0.0.1:9", verify=True) == 3

    told = capsys.readouterr().out
    assert str(path) in told
    assert "makes it again" in told
    assert "does not answer" in told
    assert "secret-word" not in told
    assert all(line.startswith(("ok ", "note ", "bad ")) for line in told.splitlines())


def test_ui_without_a_recorded_run_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing recorded, or nothing that can be read: one line, exit 2."""
    (tmp_path / "nano").mkdir()
    (tmp_path / "nano" / "tracking.json").write_text('{"uri": "sqlite')
    assert open_ui(tmp_path, 5000) == 2
    assert "stage1 run" in capsys.readouterr().err
