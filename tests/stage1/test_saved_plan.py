"""`stage1 run plan.json`: a plan written earlier is carried out as it stands, or refused in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stage1.commands.compiling import CannotRead, compile_file, compiled_or_planned
from stage1.commands.run import RunOptions, run_spec
from stage1.store import write_json

ROOT = Path(__file__).parents[2]
NANO = ROOT / "tests" / "stage1" / "nano.yaml"


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A plan on disk, as `plan --out` writes it."""
    path = tmp_path / "plan.json"
    plan = compile_file(NANO, []).plan
    assert plan is not None
    write_json(path, plan.model_dump(mode="json"))
    return path


def changed(path: Path, change) -> Path:
    """The plan with something changed in it."""
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    return path


def test_a_saved_plan_is_the_plan(saved: Path) -> None:
    """What comes back is what was written, to the last setting."""
    assert compiled_or_planned(saved, []).plan == compile_file(NANO, []).plan


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda plan: plan["steps"][0]["settings"].update(train=9), "was changed after planning"),
        (lambda plan: plan["steps"].pop(1), "no step before it"),
        (lambda plan: plan["steps"].pop(), "names the step `analyze`"),
        (lambda plan: plan["steps"].reverse(), "no step before it"),
        (lambda plan: plan["steps"].append(plan["steps"][0]), "twice"),
        (lambda plan: plan["steps"][2].update(version=99), "version 99"),
        (lambda plan: plan["steps"][2].update(kind="dance"), "kind"),
        (lambda plan: plan.update(fingerprint="0" * 64), "the plan's fingerprint differs"),
        (lambda plan: plan["spec"].update(seeds=[9]), "its spec was changed"),
        (lambda plan: plan["spec"].pop("arms"), "arms"),
        (lambda plan: plan.pop("arms"), "arms"),
        (lambda plan: plan.update(extra=1), "extra"),
        (lambda plan: plan["arms"][0].update(score="nothing"), "`nothing`"),
    ],
)
def test_a_damaged_plan_is_refused_in_one_line(saved: Path, change, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever was changed by hand or by accident: exit 2, one line that names the file and the damage, nothing is made."""
    assert run_spec(changed(saved, change), [], RunOptions(saved.parent / "runs")) == 2

    told = capsys.readouterr().err.strip()
    assert told.startswith(f"error: {saved} is not a plan that can be run")
    assert said in told
    assert "\n" not in told
    assert not (saved.parent / "runs").exists()


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"name": "a package"}', "[" * 100_000, '{"steps": []}'])
def test_a_foreign_document_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    """Any other JSON file, or half a file, is no plan."""
    path = tmp_path / "other.json"
    path.write_text(text)

    with pytest.raises(CannotRead, match=r"is not a plan that can be run: [^\n]+$"):
        compiled_or_planned(path, [])


def test_flags_cannot_change_a_plan(saved: Path) -> None:
    """`--set` belongs to a spec."""
    with pytest.raises(CannotRead, match="--set cannot change"):
        compiled_or_planned(saved, ["seeds=[1]"])


def test_a_spec_in_json_is_a_spec(tmp_path: Path) -> None:
    """JSON is YAML, so a spec may be written in it; its mistakes are told as those of any spec."""
    path = tmp_path / "spec.json"
    path.write_text('{"experiment": "demo", "arms": {"base": {}}, "sedes": [1]}')

    assert [finding.code for finding in compiled_or_planned(path, []).diagnostics] == ["S104"]


def test_other_weights_are_refused(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan names its weights by digest; where they changed since, running it would not be what was planned."""
    from stage1.world import DiskWorld

    monkeypatch.setattr(DiskWorld, "digest_model", lambda self, base: "other weights")

    with pytest.raises(CannotRead, match="tiny-base has changed since"):
        compiled_or_planned(saved, [])
