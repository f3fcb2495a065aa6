"""What lies in the folder of an experiment belongs together: no report of one plan beside another plan."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from report_samples import report_data
from typer.testing import CliRunner

from compiler.records import Item
from datagen.split import draw_split
from stage1.cli import app
from stage1.report.kept import set_aside_reports_of_others
from stage1.report.render import render_html, render_markdown

SPEC = """
experiment: demo
data: {instructions: {source: items.jsonl, train: 1, validation: 0, heldout: 3, stratify: kind, seed: 7}}
evaluation: {criteria: [coherent]}
arms: {other: {responses: answers.jsonl}}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with an experiment whose answers are all there."""
    monkeypatch.chdir(tmp_path)
    items = [Item(id=f"i{n}", kind="qa", instruction=f"What is {n} plus {n}?") for n in range(4)]
    heldout = draw_split(items, train=1, validation=0, heldout=3, stratify="kind", seed=7).heldout
    (tmp_path / "items.jsonl").write_text("".join(item.model_dump_json() + "\n" for item in items))
    rows = [{"id": item.id, "response": "It is four."} for item in heldout]
    (tmp_path / "answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "spec.yaml").write_text(SPEC)
    return tmp_path / "runs" / "demo"


def run(*arguments: str) -> None:
    """`stage1 run` of the spec; it succeeds."""
    done = CliRunner().invoke(app, ["run", "spec.yaml", *arguments])
    assert done.exit_code == 0, done.output


def test_a_run_under_another_plan_sets_the_report_aside(folder: Path) -> None:
    """Whatever becomes of the new plan, `report.html` is of the plan beside it or is not there; the old one names its plan."""
    run()
    first = json.loads((folder / "plan.json").read_text())["fingerprint"]
    report = (folder / "report.html").read_text()

    run("--set", "analysis.alpha=0.01", "--only", "other")  # ends before its report is written

    assert json.loads((folder / "plan.json").read_text())["fingerprint"] != first
    assert sorted(path.name for path in folder.glob("report*")) == [f"report-{first[:12]}.html"]
    assert (folder / f"report-{first[:12]}.html").read_text() == report


def test_a_run_under_the_same_plan_keeps_its_report(folder: Path) -> None:
    """The report of this very plan stays, even where a run of a part of it makes no other."""
    run()
    run("--only", "other")

    assert [path.name for path in folder.glob("report*")] == ["report.html"]


def test_both_kinds_of_report_name_their_plan_and_others_are_left_alone(tmp_path: Path) -> None:
    """HTML and Markdown are moved; a file that this program did not write is not."""
    data = report_data()
    plan = data.plan.fingerprint
    (tmp_path / "report.html").write_text(render_html(data))
    (tmp_path / "report.md").write_text(render_markdown(data))

    assert set_aside_reports_of_others(tmp_path, plan) == []
    moved = set_aside_reports_of_others(tmp_path, "0" * 64)
    (tmp_path / "report.md").write_text("my notes\n")

    assert [path.name for path in moved] == [f"report-{plan[:12]}.html", f"report-{plan[:12]}.md"]
    assert set_aside_reports_of_others(tmp_path, "0" * 64) == []
