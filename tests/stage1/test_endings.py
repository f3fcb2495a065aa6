"""How commands end when the world around them does not play along: no output, Ctrl-C, no store, no Ray."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from nano import NANO, plan_of
from typer.testing import CliRunner

from stage1.cli import app
from stage1.commands.doctor import diagnose
from stage1.failures import reason_to_stop
from stage1.store import Store

INTERRUPTED = "interrupted; what was complete is kept, the same command goes on from there\n"
needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with one spec."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(NANO, tmp_path / "q.yaml")
    return tmp_path


def python(*words: str, **options: object) -> subprocess.CompletedProcess[str]:
    """A Python of its own, which hears Ctrl-C: a test run in the background may have it ignored."""
    outside = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.run([sys.executable, *words], stderr=subprocess.PIPE, text=True, check=False, timeout=120, **options)
    finally:
        signal.signal(signal.SIGINT, outside)


@needs_full
@pytest.mark.parametrize(
    "words", [["explain", "S104"], ["schema"], ["plan", "q.yaml"], ["plan", "q.yaml", "--format", "json"], ["--help"]]
)
def test_a_full_output_is_one_line(here: Path, words: list[str]) -> None:
    """Where standard output takes no more, little or much of it, the last line says so, exit 1."""
    with open("/dev/full", "w") as full:
        done = python("-m", "stage1", *words, stdout=full)

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "error: the output could not be written: No space left on device"
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


@pytest.mark.parametrize("words", [["explain", "S104"], ["schema"], ["plan", "q.yaml", "--format", "json"]])
def test_a_reader_that_went_is_no_matter(here: Path, words: list[str]) -> None:
    """`| head -1`: the command ends without a word, with the exit code that a shell sees of most tools."""
    reader, writer = os.pipe()
    os.close(reader)
    done = python("-m", "stage1", *words, stdout=writer)
    os.close(writer)

    assert done.returncode == 128 + signal.SIGPIPE
    assert "Traceback" not in done.stderr
    assert "rror" not in done.stderr.replace("0 errors", "")


def test_no_output_at_all_is_no_matter(tmp_path: Path) -> None:
    """`>&-`: a process that was started without standard output does its work."""
    done = subprocess.run(
        ["/bin/sh", "-c", f"{sys.executable} -m stage1 explain S104 >&-"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
        timeout=60,
    )

    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("start", [["-m", "stage1"], ["-c", "from stage1.__main__ import main; main()"]])
def test_ctrl_c_while_libraries_load(tmp_path: Path, start: list[str]) -> None:
    """Ctrl-C is one line and exit 130 from the first import on, for `python -m stage1` and for the command."""
    (tmp_path / "typer.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\nimport time\ntime.sleep(9)\n")

    done = python(*start, env={**os.environ, "PYTHONPATH": str(tmp_path)})

    assert (done.returncode, done.stderr) == (130, INTERRUPTED)


def test_ctrl_c_in_a_command(tmp_path: Path) -> None:
    """Typer, which would end with 130 and without a word, is not left to it."""
    code = """
import os, signal, sys, time
import stage1.commands.explain as explaining
from stage1.cli import main
explaining.explain_code = lambda code: (os.kill(os.getpid(), signal.SIGINT), time.sleep(9))
sys.argv = ["stage1", "explain", "S104"]
main()
"""

    done = python("-c", code, cwd=tmp_path)

    assert (done.returncode, done.stderr) == (130, INTERRUPTED)


def test_the_command_is_the_one_that_hears_ctrl_c_early() -> None:
    """The installed command begins where Ctrl-C is heard."""
    assert '\nstage1 = "stage1.__main__:main"\n' in (NANO.parents[2] / "pyproject.toml").read_text()


VERBS = [("plan", "q.yaml"), ("run", "q.yaml"), ("report", "q.yaml"), ("diff", "q.yaml", "q.yaml"), ("gc",), ("ui",)]


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(
    ("store", "said"),
    [
        ("q.yaml", "q.yaml is a file; name a folder, which is made if it is not there"),
        ("q.yaml/deep/store", "q.yaml/deep/store cannot be made, because {here}/q.yaml is a file; name another folder"),
    ],
)
def test_a_store_that_cannot_be(here: Path, verb: tuple[str, ...], store: str, said: str) -> None:
    """A file as the store, or a store below a file, is one line of wrong usage for every verb that has a store."""
    done = CliRunner().invoke(app, [*verb, "--store", store])

    assert done.exit_code == 2
    assert done.stderr == f"error: --store: {said.format(here=here)}\n"


def test_a_store_that_may_not_be_written(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`run` refuses it; `plan` plans, and says that nothing can be run there."""
    monkeypatch.setattr(os, "access", lambda path, mode, access=os.access: not Path(path).is_dir() and access(path, mode))
    (here / "there").mkdir()

    for store, said in (
        ("there", "there may not be written"),
        ("new", f"new cannot be made, because {here} may not be written"),
    ):
        line = f"{said}; give write permission, or name another folder\n"
        assert CliRunner().invoke(app, ["run", "q.yaml", "--store", store]).stderr == f"error: --store: {line}"
        planned = CliRunner().invoke(app, ["plan", "q.yaml", "--store", store])
        assert planned.exit_code == 0
        assert f"note: nothing can be run with this --store: {line}" in planned.stderr


def test_doctor_says_of_a_store_that_it_is_a_file(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It blames neither locks nor finds an empty store there."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")

    assert diagnose(here / "q.yaml", "sqlite:///none.db", verify=False) == 3

    (line,) = [line for line in capsys.readouterr().out.splitlines() if " store " in line]
    assert line.startswith("bad")
    assert "q.yaml is a file; name a folder" in line


def test_an_artifact_that_may_not_be_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The failure names the folder that refused it and the cause, from which a run says the way out and ends."""

    def refuse(path: Path, target: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    root = tmp_path / "runs"
    with pytest.raises(PermissionError) as refused, Store(root).writing(plan_of().steps[0], {}, {}) as draft:
        draft.write_json("value.json", 1)
        monkeypatch.setattr(
            Path, "rename", lambda path, target: refuse(path, target) if path.is_dir() else os.rename(path, target)
        )

    assert reason_to_stop(refused.value, root) == (
        f"{root}/artifacts may not be written; give write permission, or choose another folder with --store"
    )


def test_ray_that_is_not_installed(here: Path) -> None:
    """`--executor ray` without Ray is one line with the way out, before anything is done."""
    code = """
import sys
sys.modules["ray"] = None
from stage1.cli import main
sys.argv = ["stage1", "run", "q.yaml", "--executor", "ray"]
main()
"""

    done = python("-c", code)

    assert done.returncode == 2
    assert done.stderr == "error: --executor ray: ray is not installed; install it with `uv sync --extra ray`\n"
    assert not (here / "runs").exists()


def test_the_version_is_told(here: Path) -> None:
    """`--version` gives name and version, and a command is still needed otherwise."""
    done = CliRunner().invoke(app, ["--version"])

    assert done.exit_code == 0
    assert done.stdout.split()[0] == "stage1"
    assert CliRunner().invoke(app, []).exit_code == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("plan", "."), "error: . is a folder, and a spec is a file; there is q.yaml\n"),
        (("diff", "runs", "q.yaml"), "error: runs is no folder of a run: it holds no plan.json; there is runs/nano\n"),
        (("diff", "q.yaml", "runs/x"), "error: runs/x is no folder of a run: it holds no plan.json; name a spec, a plan, or"),
    ],
)
def test_a_folder_in_place_of_a_file(here: Path, words: tuple[str, ...], said: str) -> None:
    """What stands in the folder and could have been meant is named."""
    (here / "runs" / "nano").mkdir(parents=True)
    (here / "runs" / "nano" / "plan.json").write_text("{}")
    (here / "runs" / "x").mkdir()

    done = CliRunner().invoke(app, words)

    assert done.exit_code == 2
    assert done.stderr.startswith(said)
    assert len(done.stderr.splitlines()) == 1


def test_a_price_needs_a_device(here: Path) -> None:
    """A price that nothing is computed from is refused."""
    done = CliRunner().invoke(app, ["plan", "q.yaml", "--price", "3"])

    assert done.exit_code == 2
    assert "--device" in done.stderr


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            "experiment: q\n# caf\u00e9 \u00fcber\n".encode("latin-1"),
            "q.yaml:2:6: the byte 0xE9 is not UTF-8 text; save the file as UTF-8",
        ),
        (b"\xef\xbb\xbfa: \xc3\xa4\xe4", "q.yaml:1:5: the byte 0xE4 is not UTF-8 text; save the file as UTF-8"),
        ("experiment: q\n".encode("utf-16"), "q.yaml is UTF-16 text; save it as UTF-8"),
    ],
)
def test_a_spec_in_another_encoding(here: Path, content: bytes, said: str) -> None:
    """Line and column of what is not UTF-8, counted in characters, and the way out."""
    (here / "q.yaml").write_bytes(content)

    done = CliRunner().invoke(app, ["plan", "q.yaml"])

    assert (done.exit_code, done.stderr) == (2, f"error: {said}\n")
