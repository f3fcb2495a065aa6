"""The command line as a user meets it: exit codes, streams, and one clear line for every mistake."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
QUICKSTART = ROOT / "specs" / "quickstart.yaml"


def stage1(cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder of its own."""
    environment = {**os.environ, "NO_COLOR": "1", "COLUMNS": "120"}
    command = [sys.executable, "-m", "stage1", *arguments]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=120)


def spec_with(tmp_path: Path, old: str, new: str) -> Path:
    """The quickstart with one text replaced."""
    text = QUICKSTART.read_text()
    assert old in text
    path = tmp_path / "mine.yaml"
    path.write_text(text.replace(old, new, 1))
    return path


def test_plan_of_the_quickstart(tmp_path: Path) -> None:
    """The shipped quickstart plans without errors, says how many steps would run, and leaves nothing but remembered power."""
    done = stage1(tmp_path, "plan", str(QUICKSTART))

    assert done.returncode == 0, done.stderr
    assert "0 to reuse" in done.stdout
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["power"]


def test_the_review_in_the_readme_is_what_plan_prints(tmp_path: Path) -> None:
    """The README shows the real review of the design as first asked for; paste it again where this fails."""
    readme = (ROOT / "README.md").read_text()
    shown = readme[readme.index("```\nmethod review at level") + 4 :].split("\n```")[0]

    done = stage1(tmp_path, "plan", str(ROOT / "specs" / "as_requested.yaml"))

    assert done.stdout.split("\n\nplan ")[0] == shown
    assert len(done.stdout.splitlines()) <= 90
    assert max(map(len, done.stdout.splitlines())) <= 120


def test_plan_as_json_is_one_document(tmp_path: Path) -> None:
    """With --format json stdout is one JSON document, and --out writes the plan."""
    done = stage1(tmp_path, "plan", str(QUICKSTART), "--format", "json", "--out", "plan.json")

    document = json.loads(done.stdout)
    assert document["plan"]["experiment"] == "quickstart"
    assert json.loads((tmp_path / "plan.json").read_text()) == document["plan"]


def test_a_device_is_estimated_for(tmp_path: Path) -> None:
    """`--device` adds time, memory and price, in text and JSON; an unknown device or a model too large for it is said."""
    large = str(ROOT / "specs" / "stage1.yaml")

    text = stage1(tmp_path, "plan", large, "--device", "h200", "--price", "3.5")
    document = json.loads(stage1(tmp_path, "plan", large, "--device", "h200", "--format", "json").stdout)
    small = stage1(tmp_path, "plan", large, "--device", "rtx4090")
    unknown = stage1(tmp_path, "plan", large, "--device", "abacus")

    assert text.returncode == 0, text.stderr
    assert "GiB" in text.stdout
    assert document["estimate"]
    assert "needs about" in small.stdout
    assert unknown.returncode == 2
    assert len(unknown.stderr.splitlines()) == 1


def test_the_large_spec_plans_on_a_laptop(tmp_path: Path) -> None:
    """The 32B experiment plans without a GPU, weights or network."""
    assert stage1(tmp_path, "plan", str(ROOT / "specs" / "stage1.yaml")).returncode == 0


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("beta: 0.1", "betaa: 0.1", "did you mean `beta`"),
        ("beta: 0.1", "beta: strong", "beta"),
        ("{from: sft, train: dpo}", "{from: stf, train: dpo}", "stf"),
        ("sft: {from: base, train: sft}", "sft: {from: sft_dpo, train: sft}", "sft_dpo"),
        ("source: bank", "source: missing.jsonl", "missing.jsonl"),
        ("seeds: [1, 2, 3]", "seeds: [1, 2", ""),
        ("experiment: quickstart", "experiment: [quickstart", ""),
        ("base: tiny-base", "base: ./no-such-model", "no-such-model"),
    ],
)
def test_a_mistake_is_one_located_message(tmp_path: Path, old: str, new: str, said: str) -> None:
    """Every mistake in a spec ends in exit 1, file:line:column and no traceback; nothing is written."""
    path = spec_with(tmp_path, old, new)

    for verb in ("plan", "run"):
        done = stage1(tmp_path, verb, str(path))

        assert done.returncode == 1
        assert f"{path}:" in done.stderr
        assert said in done.stderr
        assert "Traceback" not in done.stderr
        assert [entry.name for entry in tmp_path.iterdir()] == ["mine.yaml"]


@pytest.mark.parametrize("verb", ["plan", "run", "report"])
def test_an_unreadable_spec_is_exit_2(tmp_path: Path, verb: str) -> None:
    """A missing file, a folder and binary bytes are one clear line."""
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "folder.yaml").mkdir()

    for name in ("missing.yaml", "folder.yaml", "binary.yaml"):
        done = stage1(tmp_path, verb, name)

        assert done.returncode == 2
        assert name in done.stderr
        assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments", [["plan"], ["plan", "x.yaml", "--wrong"], ["nonsense"], ["run", "x.yaml", "--executor", "magic"]]
)
def test_wrong_usage_is_exit_2(tmp_path: Path, arguments: list[str]) -> None:
    """Missing arguments, unknown options and verbs are usage errors."""
    done = stage1(tmp_path, *arguments)

    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_only_an_unknown_arm_is_refused(tmp_path: Path) -> None:
    """`--only` with a name that no arm has lists the arms."""
    done = stage1(tmp_path, "run", str(QUICKSTART), "--only", "stf")

    assert done.returncode == 2
    assert "sft_dpo" in done.stderr


def test_a_report_before_the_run_says_what_to_do(tmp_path: Path) -> None:
    """Nothing has been run: exit 3 and the command to type."""
    done = stage1(tmp_path, "report", str(QUICKSTART))

    assert done.returncode == 3
    assert "stage1 run" in done.stderr


def test_explain_and_schema(tmp_path: Path) -> None:
    """A code is explained, an unknown one refused, and the schema is JSON with the spec's keys."""
    assert "betaa" in stage1(tmp_path, "explain", "S104").stdout
    assert stage1(tmp_path, "explain", "X999").returncode == 2
    assert "claims" in json.loads(stage1(tmp_path, "schema").stdout)["properties"]


def test_score_judges_a_file(tmp_path: Path) -> None:
    """Each line in gives a line out with the nine criteria; a malformed line is named and nothing is written."""
    answer = {
        "id": "a", "kind": "qa", "instruction": "What is the capital of France?", "answers": ["Paris"], "constraint": None,
        "response": " Paris\nEND", "hit_token_limit": False,
    }  # fmt: skip
    (tmp_path / "in.jsonl").write_text(json.dumps(answer) + "\n")

    done = stage1(tmp_path, "score", "in.jsonl", "--out", "out.jsonl")

    assert done.returncode == 0, done.stderr
    row = json.loads((tmp_path / "out.jsonl").read_text())
    assert row["id"] == "a"
    assert len(row["criteria"]) == 9
    assert row["criteria"]["factually_correct"] is True

    (tmp_path / "in.jsonl").write_text(json.dumps(answer) + "\n{broken\n" + json.dumps({"id": 3}) + "\n")
    (tmp_path / "out.jsonl").unlink()

    done = stage1(tmp_path, "score", "in.jsonl", "--out", "out.jsonl")

    assert done.returncode == 1
    assert "in.jsonl:2" in done.stderr
    assert "in.jsonl:3" in done.stderr
    assert not (tmp_path / "out.jsonl").exists()
