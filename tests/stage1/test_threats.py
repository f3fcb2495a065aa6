"""What is untrusted stays harmless: the lines of `docs/threats.md` that no other test holds."""

from __future__ import annotations

import ast
import json
import os
import shutil
from pathlib import Path

import pytest

from compiler.plan import Plan
from evaluators.results import Analysis, ClaimResult
from stage1.commands.compiling import CannotRead, compile_file, compiled_or_planned
from stage1.failures import one_line
from stage1.secrets import masked
from stage1.store import DamagedArtifact, Store, write_json
from stage1.tracking.summary_run import summary_text

ROOT = Path(__file__).parents[2]
NANO = Path(__file__).with_name("nano.yaml")
PACKAGES = ("compiler", "models", "datagen", "trainers", "evaluators", "stage1")
NAMES = ["../evil", "a/b", "..", ".", "/absolute", "a\nb", "a\x1b[31m", "-rf", "x" * 300]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("place", ["experiment", "arm"])
def test_no_name_of_a_spec_leads_out_of_the_run_folder(tmp_path: Path, name: str, place: str) -> None:
    """Experiments and arms name folders and files: separators, dots and control characters are errors of the spec."""
    arms = {"base": {}, **({name: {"from": "base", "prompt": "raw"}} if place == "arm" else {})}
    spec = {"experiment": name if place == "experiment" else "x", "arms": arms}
    path = tmp_path / "spec.yaml"
    path.write_text(json.dumps(spec))

    compilation = compile_file(path, [])

    assert compilation.plan is None
    assert {finding.code for finding in compilation.diagnostics} & {"S103", "S106"}


def test_no_name_of_a_saved_plan_leads_out_of_the_run_folder(tmp_path: Path) -> None:
    """A plan is a file like any other: an experiment renamed to a path is refused."""
    plan = compile_file(NANO, []).plan
    assert plan is not None
    path = tmp_path / "plan.json"
    write_json(path, plan.model_dump(mode="json") | {"experiment": "../../evil"})

    with pytest.raises(CannotRead, match="not a plan that can be run"):
        compiled_or_planned(path, [])


def test_a_manifest_cannot_make_the_store_read_elsewhere(tmp_path: Path) -> None:
    """An artifact moved under another fingerprint is not taken for that one."""
    plan = compile_file(NANO, []).plan
    assert plan is not None
    store, (first, second) = Store(tmp_path), plan.steps[:2]
    with store.writing(first, {}, {}) as draft:
        draft.write_json("value.json", 1)
    shutil.copytree(tmp_path / "artifacts" / first.fingerprint, tmp_path / "artifacts" / second.fingerprint)

    with pytest.raises(DamagedArtifact):
        store.open(second.fingerprint)


def test_no_module_unpickles_or_runs_foreign_code() -> None:
    """No pickle, marshal, shelve, torch.load or `trust_remote_code=True`; eval and exec only of criteria that the spec names."""
    forbidden = {"pickle", "cPickle", "cloudpickle", "dill", "marshal", "shelve", "joblib"}
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = [alias.name.split(".")[0] for alias in node.names] if isinstance(node, ast.Import) else []
                names += [(node.module or "").split(".")[0]] if isinstance(node, ast.ImportFrom) else []
                assert not forbidden & set(names), path
                if isinstance(node, ast.Call):
                    called = ast.unparse(node.func)
                    assert called not in ("eval", "exec", "torch.load") or path.name == "own_criteria.py", path
                    trusting = [k for k in node.keywords if k.arg == "trust_remote_code" and ast.unparse(k.value) != "False"]
                    assert not trusting, path


@pytest.mark.parametrize(
    "text",
    [
        "https://user:hunter2hunter2@host/path", "Authorization: Bearer abcdefghijkl", "hf_abcdefghijklmnopqrstuv",
        "AKIAIOSFODNN7EXAMPLE", "password=hunter2hunter2", '"api_key": "hunter2hunter2"', "seen in MY_SERVICE_TOKEN: zqzqzqzqzq",
    ],
)  # fmt: skip
def test_what_looks_secret_is_masked(text: str) -> None:
    """Addresses with passwords, bearer tokens, keys by shape, and the values of secret variables."""
    hidden = masked(text, {"MY_SERVICE_TOKEN": "zqzqzqzqzq", "HOME": "/home/somebody"})

    assert "***" in hidden
    assert not any(secret in hidden for secret in ("hunter2hunter2", "abcdefghijkl", "AKIAIOS", "zqzqzq"))


def test_plain_text_is_not_masked() -> None:
    """Words of an ordinary message stay as they are, values of ordinary variables too."""
    text = "cannot read /home/somebody/specs/a.yaml: 3 tokens too many; see https://example.org/a:b"

    assert masked(text, {"HOME": "/home/somebody", "SHORT_TOKEN": "a"}) == text


def test_a_failure_cannot_write_to_the_terminal() -> None:
    """Control characters of an error's text, such as a model's name, do not reach the screen."""
    assert one_line(ValueError("bad \x1b]0;title\x07 \x1b[31mred\x9b")) == "bad ]0;title [31mred"


def test_what_a_claim_says_is_text_in_mlflow() -> None:
    """Markdown of the summary run: tags, links and table bars in a spec's words are shown, not acted on."""
    says = "<img src=x onerror=alert(1)> [link](http://x) | bar"
    plan = compile_file(NANO, []).plan
    assert isinstance(plan, Plan)
    claim = ClaimResult.model_construct(claim="c", says=says, sentence=says, verdict="inconclusive")
    analysis = Analysis.model_construct(claims=(claim,), rates=(), arms=("base",), primary=())

    text = summary_text(plan, analysis)

    assert "<img" not in text
    assert "](http" not in text.replace("\\](http", "")
    assert " | bar" not in text


def test_mlflow_is_told_to_send_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its telemetry is off from the first connection on, unless somebody turned it on."""
    from stage1.tracking.connection import Connection

    monkeypatch.delenv("MLFLOW_DISABLE_TELEMETRY", raising=False)

    assert Connection(f"sqlite:///{tmp_path / 'mlflow.db'}", "x", print).client
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
