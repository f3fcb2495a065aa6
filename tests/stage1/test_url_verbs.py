"""The command line on a store at a URL: plan, gc, doctor, and how a place that cannot be used is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from nano import NANO, plan_of

from compiler.plan import Plan
from stage1.commands.doctor import diagnose
from stage1.commands.gc import collect
from stage1.commands.plan import show_plan
from stage1.commands.run import RunOptions, run_spec
from stage1.store import Store
from stage1.store.leases import Leases
from stage1.store.remote import Remote
from stage1.store.shared import SharedStore


def fill(store: Store, plan: Plan) -> set[str]:
    """An artifact with next to nothing in it for the last steps of a plan; their fingerprints."""
    for step in plan.steps[-3:]:
        with store.writing(step, {}, {}) as draft:
            draft.write_json("value.json", step.id)
    return {step.fingerprint for step in plan.steps[-3:]}


def test_plan_says_what_the_url_has(tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What another machine made is to be reused, with nothing in this one's folder."""
    first = plan_of().steps[0]
    with SharedStore(tmp_path / "a", url).writing(first, {}, {}) as draft:
        draft.write_json("value.json", 1)

    told = show_plan(NANO, [], as_json=False, out=None, require_go=False, store_root=tmp_path / "b", url=url)

    assert told == 0
    assert "1 to reuse" in capsys.readouterr().out


def test_gc_at_a_url_keeps_what_anybody_needs(specs: Path, tmp_path: Path, s3_url: str) -> None:
    """A spec here, the last run of somebody else's experiment there: both stay; an old beta goes, and an upload cut off."""
    ours, theirs = SharedStore(tmp_path / "a", s3_url), SharedStore(tmp_path / "b", s3_url)
    needed = fill(ours, plan_of())
    other = plan_of("experiment=other", "recipes.sft.epochs=2")
    needed |= fill(theirs, other)
    theirs.keep_plan(other.experiment, other.model_dump(mode="json"))
    fill(ours, plan_of("recipes.dpo.beta=0.3"))
    Remote(s3_url).write(f"files/{'0' * 64}/{'1' * 64}", b"cut off")
    before = ours.known()

    assert collect(specs, tmp_path / "a", delete=False, url=s3_url) == 0
    assert ours.known() == before
    assert collect(specs, tmp_path / "a", delete=True, url=s3_url) == 0

    assert ours.known() == needed
    assert {name.partition("/")[0] for name in Remote(s3_url).sizes("files")} == needed
    assert ours.only_here() == frozenset()


def test_gc_keeps_the_last_runs_of_two_people_who_use_one_name(
    specs: Path, tmp_path: Path, s3_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each from a folder of theirs: neither's work is garbage to the other, until one says that it may be forgotten."""
    ours, theirs = SharedStore(tmp_path / "a", s3_url), SharedStore(tmp_path / "b", s3_url)
    mine, other = plan_of(), plan_of("recipes.dpo.beta=0.3")
    needed = fill(ours, mine)
    also = fill(theirs, other)
    for store, plan in ((theirs, other), (ours, mine), (ours, mine)):
        store.keep_plan("nano", plan.model_dump(mode="json"))

    assert collect(specs, tmp_path / "a", delete=True, url=s3_url) == 0
    assert ours.known() == needed | also
    assert "nano (1)" in capsys.readouterr().out
    assert collect(specs, tmp_path / "a", delete=True, url=s3_url, forget=["nano"]) == 0

    assert ours.known() == needed
    assert not theirs.plans()


def test_gc_at_a_url_leaves_what_is_being_made(specs: Path, tmp_path: Path, s3_url: str) -> None:
    """The files of an upload in progress belong to whoever has the lease."""
    name = f"files/{'0' * 64}/{'1' * 64}"
    Remote(s3_url).write(name, b"half")

    with Leases(Remote(s3_url), "somebody", lambda: 0.0).held("0" * 64):
        collect(specs, tmp_path / "a", delete=True, url=s3_url)
        assert Remote(s3_url).has(name)


def test_gc_at_a_url_removes_nothing_when_a_plan_cannot_be_read(specs: Path, tmp_path: Path, s3_url: str) -> None:
    """What a plan of another version needs is not known."""
    store = SharedStore(tmp_path / "a", s3_url)
    fill(store, plan_of("recipes.dpo.beta=0.3"))
    Remote(s3_url).write("plans/newer.json", b'{"from": "the future"}')
    before = store.known()

    assert collect(specs, tmp_path / "b", delete=True, url=s3_url) == 1
    assert store.known() == before


def test_doctor_looks_at_the_url(tmp_path: Path, s3_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """How many artifacts there are, or why it cannot be used."""
    fill(SharedStore(tmp_path / "a", s3_url), plan_of())

    diagnose(tmp_path / "b", "sqlite:///none.db", verify=False, url=s3_url)
    diagnose(tmp_path / "b", "sqlite:///none.db", verify=False, url="s3://no-such-bucket/x")

    told = capsys.readouterr().out
    assert f"3 artifacts at {s3_url}" in told
    assert "bad   store      s3://no-such-bucket/x cannot be used: The specified bucket does not exist" in told


def test_a_run_without_its_bucket_is_refused_before_any_work(
    tmp_path: Path, s3_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line, and nothing made."""
    code = run_spec(NANO, [], RunOptions(tmp_path / "a", url=s3_url.replace("bucket", "no-such-bucket")))

    assert code == 3
    assert "cannot be used: The specified bucket does not exist; " in capsys.readouterr().err.splitlines()[-1]
    assert not (tmp_path / "a" / "artifacts").exists()


@pytest.mark.parametrize("verb", [["plan"], ["run"], ["report"], ["diff", str(NANO)]])
def test_a_place_of_no_known_kind_is_wrong_usage(tmp_path: Path, verb: list[str]) -> None:
    """Exit code 2 and one line, whatever was asked, without the password in it."""
    command = [sys.executable, "-m", "stage1", *verb, str(NANO), "--store", "nowhere://me:hunter2hunter2@host/x"]

    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == "error: nowhere://***@host/x cannot be used: Protocol not known: nowhere"
    assert "hunter2" not in done.stdout + done.stderr
