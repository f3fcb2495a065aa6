"""Files that a verb writes: nothing that a person wrote is lost to them, and `score` says what it takes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from nano import NANO
from typer.testing import CliRunner

from stage1.cli import app

ANSWER = {"id": 1, "kind": "qa", "instruction": "What is 2 + 2?", "response": "4", "hit_token_limit": False}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a spec, another name of it, a second spec and a file of answers."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(NANO, tmp_path / "q.yaml")
    shutil.copy(NANO, tmp_path / "other.yml")
    (tmp_path / "link.json").symlink_to("q.yaml")
    (tmp_path / "mine.jsonl").write_text(json.dumps(ANSWER) + "\n")
    return tmp_path


def refused(here: Path, *words: str) -> str:
    """The one line with which a command is refused, exit 2, after which every file is as it was."""
    before = {path: path.read_bytes() for path in here.iterdir()}

    done = CliRunner().invoke(app, words)

    assert done.exit_code == 2, done.output
    assert {path: path.read_bytes() for path in here.iterdir()} == before
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("error: ")
    return done.stderr


@pytest.mark.parametrize("option", ["--strengthen", "--out"])
@pytest.mark.parametrize("name", ["q.yaml", "./q.yaml", "link.json"])
def test_plan_does_not_write_over_its_spec(here: Path, option: str, name: str) -> None:
    """The spec, by whatever name, is refused as a file to write before anything is done."""
    assert "which would be lost; name another file" in refused(here, "plan", "q.yaml", option, name)


@pytest.mark.parametrize("verb", [("plan", "q.yaml"), ("report", "q.yaml"), ("score", "mine.jsonl")])
def test_no_spec_is_written_over(here: Path, verb: tuple[str, str]) -> None:
    """`--out` with another spec that is there is refused; what is written there is never YAML."""
    assert "other.yml looks like a spec" in refused(here, *verb, "--out", "other.yml")


def test_a_strengthened_spec_may_be_written_again(here: Path) -> None:
    """`--strengthen` writes specs, so an earlier one gives way."""
    (here / "better.yaml").write_text("an earlier one")

    done = CliRunner().invoke(app, ["plan", "q.yaml", "--strengthen", "better.yaml"])

    assert done.exit_code == 0, done.output
    assert "experiment: nano" in (here / "better.yaml").read_text()


def test_two_outputs_are_two_files(here: Path) -> None:
    """`--out` and `--strengthen` with one name that is not there yet would leave one of the two."""
    assert "--strengthen" in refused(here, "plan", "q.yaml", "--strengthen", "new", "--out", "./new")


def test_report_does_not_write_over_its_inputs(here: Path) -> None:
    """The spec and the person's labels are refused as a report to write."""
    (here / "labels.csv").write_text("mine")

    assert "the spec itself" in refused(here, "report", "q.yaml", "--format", "md", "--out", "q.yaml")
    assert "--labels" in refused(here, "report", "q.yaml", "--labels", "labels.csv", "--out", "labels.csv")


@pytest.mark.parametrize("name", ["mine.jsonl", "./mine.jsonl"])
def test_score_does_not_write_over_its_answers(here: Path, name: str) -> None:
    """The answers stay as they are."""
    assert "which would be lost" in refused(here, "score", "mine.jsonl", "--out", name)


@pytest.mark.parametrize(
    "words",
    [
        ("plan", "q.yaml", "--out"),
        ("plan", "q.yaml", "--strengthen"),
        ("report", "q.yaml", "--out"),
        ("score", "mine.jsonl", "--out"),
    ],
)
def test_folders_of_outputs_are_not_made(here: Path, words: tuple[str, ...]) -> None:
    """A mistyped folder is said alike by all verbs, and not made."""
    assert "there is no folder nowhere; make it first" in refused(here, *words, "nowhere/o.json")
    (here / "folder").mkdir()
    done = CliRunner().invoke(app, [*words, "folder"])
    assert done.exit_code == 2
    assert "folder is a folder; name a file in it" in done.stderr


def test_score_shows_the_form_that_it_takes(here: Path) -> None:
    """The help of `score` has a line that `score` takes, whole on one line, to be copied."""
    shown = CliRunner().invoke(app, ["score", "--help"], env={"COLUMNS": "80"}).output
    example = next(line.strip() for line in shown.splitlines() if line.strip().startswith('{"id": 1, "kind"'))
    (here / "mine.jsonl").write_text(example + "\n")

    done = CliRunner().invoke(app, ["score", "mine.jsonl", "--out", "out.jsonl"])

    assert done.exit_code == 0, done.output
    assert done.stderr == "1 answer judged, written to out.jsonl\n"
    assert json.loads((here / "out.jsonl").read_text())["criteria"]["factually_correct"] is None


def test_score_says_where_the_form_is_shown(here: Path) -> None:
    """Malformed lines are errors with file and line, a great many are counted, and the way out ends them."""
    (here / "mine.jsonl").write_text('{"id": 1, "response": "4"}\n' * 30)

    done = CliRunner().invoke(app, ["score", "mine.jsonl", "--out", "out.jsonl"])

    lines = done.stderr.splitlines()
    assert done.exit_code == 1
    assert lines[0] == "error: mine.jsonl:1: missing `kind`, `instruction`, `hit_token_limit`"
    assert lines[-1] == "10 more lines are malformed; nothing was judged; `stage1 score --help` shows the form of a line"
    assert len(lines) == 21
    assert not (here / "out.jsonl").exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "error: there is no file in.jsonl"),
        (
            '{"id": "caf\u00e9"}\n{"id": "\u00fc"}'.encode("latin-1"),
            "error: in.jsonl:1:12: the byte 0xE9 is not UTF-8 text; save",
        ),
        ("{}".encode("utf-16"), "error: in.jsonl is UTF-16 text; save it as UTF-8"),
    ],
)
def test_answers_that_cannot_be_read(here: Path, content: bytes | None, said: str) -> None:
    """A missing file and one that is not UTF-8 are one line each, without the words of the system."""
    if content is not None:
        (here / "in.jsonl").write_bytes(content)

    assert refused(here, "score", "in.jsonl", "--out", "out.jsonl").startswith(said)
