"""Expected power at the edge: remembered on disk, fed by a finished run, shown by `plan`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from compiler.checks.method.power import Believed, Chance, Question
from compiler.language.assumptions import Assumptions
from compiler.plan import Plan, Step
from compiler.records import Item, ItemScore
from evaluators.statistics.simulation import Experiments, Population
from stage1.commands.compiling import compile_file
from stage1.power import FOLDER, SimulatedPower
from stage1.store import Store, write_json

ROOT = Path(__file__).parents[2]
NANO, QUICKSTART = Path(__file__).with_name("nano.yaml"), ROOT / "specs" / "quickstart.yaml"
QUESTION = Question(
    items=40, seeds=2, effect=0.1, alpha=0.05, tests=1, correction="holm", expect="greater", recipe=True, trained=(True, True),
    nested=False, pool=2, endpoints=(Believed(Assumptions()),),
)  # fmt: skip


def files(root: Path) -> list[Path]:
    """What is remembered."""
    return sorted((root / FOLDER).glob("*.json"))


def test_an_answer_is_simulated_once_per_store(tmp_path):
    """The second asker gets the remembered answer, which it believes; another question is another file."""
    first = SimulatedPower(tmp_path).chance(QUESTION)
    (remembered,) = files(tmp_path)
    write_json(remembered, asdict(Chance(0.123, 0.01, 5)))

    assert 0 < first.power < 1
    assert SimulatedPower(tmp_path).chance(QUESTION) == Chance(0.123, 0.01, 5)
    SimulatedPower(tmp_path).needs(QUESTION, 0.8, 3)
    assert len(files(tmp_path)) == 2


@pytest.mark.parametrize("content", ["", "{", "[]", '{"power": "high", "error": 0, "simulations": 1}', '{"power": 0.5}'])
def test_a_damaged_memory_is_simulated_again(content, tmp_path):
    """Nothing that is no answer is taken for one, and it is replaced."""
    right = SimulatedPower(tmp_path).chance(QUESTION)
    (remembered,) = files(tmp_path)
    remembered.write_text(content)

    assert SimulatedPower(tmp_path).chance(QUESTION) == right
    assert json.loads(remembered.read_text())["power"] == right.power


def test_a_store_that_cannot_be_written_is_no_hindrance(tmp_path):
    """A file where the folder should be: the answer comes all the same, and the same."""
    (tmp_path / FOLDER).write_text("in the way")

    assert SimulatedPower(tmp_path).chance(QUESTION) == SimulatedPower().chance(QUESTION)


def test_remembered_power_needs_no_simulation(tmp_path):
    """A plan whose power is known loads neither scipy nor the evaluators, and tells the same."""
    told = [planned(tmp_path, "--format", "json") for _ in range(2)]
    command = [sys.executable, "-X", "importtime", "-m", "stage1", "plan", str(QUICKSTART), "--store", str(tmp_path)]
    loaded = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stderr

    assert told[0] == told[1]
    assert "scipy" not in loaded
    assert "evaluators.statistics" not in loaded


def planned(store: Path, *arguments: str) -> str:
    """What `plan` prints for the quickstart."""
    command = [sys.executable, "-m", "stage1", "plan", str(QUICKSTART), "--store", str(store), *arguments]
    environment = os.environ | {"COLUMNS": "200"}
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, env=environment).stdout


def test_the_plan_shows_the_table(tmp_path):
    """A row per claim in text and in JSON, with the same numbers."""
    table = json.loads(planned(tmp_path, "--format", "json"))["assessment"]["power_table"]
    text = planned(tmp_path)

    assert [row["claim"] for row in table["rows"]] == [
        "sft_follows_instructions", "two_stages_beat_dpo_only", "dpo_aligns_after_sft", "dpo_aligns_by_itself",
    ]  # fmt: skip
    for row in table["rows"]:
        line = next(line for line in text.splitlines() if line.startswith(f"  {row['claim']} ") and "±" in line)
        assert f"{row['power'] * 100:.0f}% ± {row['error'] * 100:.1f}" in line
        assert f"{row['items']} x {row['seeds']}" in line


def finished(root: Path) -> Plan:
    """A store in which the nano experiment has finished with simulated scores: 12 items in 6 families, seeds that differ."""
    plan = compile_file(NANO, []).plan
    assert plan is not None
    drawn = Experiments(Population(seed_sd=0.15), 12, (0, 2, 2, 2), 1, np.random.default_rng(1))
    answers = {arm: drawn.answers(place, 0.6)[0] for place, arm in enumerate(("base", "sft", "sft_dpo", "dpo_only"))}
    items = [Item(id=f"i{n}", kind="qa", instruction=f"Question {n}?", family=f"f{n // 2}") for n in range(12)]
    kept(root, plan.step(plan.step(plan.analyze).inputs["instructions"]), "heldout.jsonl", items)
    for entry in plan.arms:
        passed = answers[entry.arm][(entry.seed or 1) - 1]
        scores = [ItemScore(item_id=f"i{n}", criteria={"ends_with_end": bool(passed[n])}) for n in range(12)]
        kept(root, plan.step(entry.score), "scores.jsonl", scores)
    kept(root, plan.step(plan.analyze), "nothing.jsonl", [])
    (root / plan.experiment).mkdir()
    write_json(root / plan.experiment / "plan.json", plan.model_dump(mode="json"))
    return plan


def kept(root: Path, step: Step, name: str, records: list[Item] | list[ItemScore]) -> None:
    """Put an artifact into the store."""
    with Store(root).writing(step, {}, {}) as draft:
        draft.write(name, records)


def test_a_finished_run_is_the_pilot_of_the_next_plan(tmp_path):
    """Its rates, families and seed noise are measured, once, and used by the plan in place of the defaults."""
    finished(tmp_path)
    pilot = SimulatedPower(tmp_path).pilot("nano")
    again = SimulatedPower(tmp_path).pilot("nano")
    design = compile_file(NANO, [], tmp_path).design

    assert pilot is not None
    assert pilot == again
    assert pilot.endpoints["ends_with_end"]["items_per_family"] == 2.0
    assert 0 < pilot.endpoints["ends_with_end"]["seed_sd"] <= 0.3  # never 0, though few seeds may show no noise
    assert 0.3 < pilot.rates["ends_with_end"]["base"] < 0.9
    assert design is not None
    assert design.pilot == pilot
    assert SimulatedPower(tmp_path, pilots=False).pilot("nano") is None


def test_what_is_no_finished_run_is_no_pilot(tmp_path):
    """No plan, a plan that is none, a run without its analysis, a damaged score: there is no pilot, and no error."""
    power = SimulatedPower(tmp_path)
    assert power.pilot("nano") is None
    plan = finished(tmp_path)
    score = tmp_path / "artifacts" / plan.step(plan.arms[0].score).fingerprint / "scores.jsonl"
    content = score.read_text()
    score.write_text("gone")
    assert power.pilot("nano") is None
    score.write_text(content)
    assert power.pilot("nano") is not None
    shutil.rmtree(tmp_path / "artifacts" / plan.step(plan.analyze).fingerprint)
    assert power.pilot("nano") is None
    (tmp_path / "nano" / "plan.json").write_text("[1]")
    assert power.pilot("nano") is None
