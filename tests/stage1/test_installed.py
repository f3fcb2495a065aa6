"""Criteria of installed packages: found without importing them, run when a score needs them, told apart by what they are."""

import json
import sys
from dataclasses import asdict
from importlib.util import spec_from_file_location
from textwrap import dedent

import pytest
from typer.testing import CliRunner

from compiler import compile_spec
from compiler.records import Item
from datagen.split import draw_split
from evaluators.own_criteria import NoCriterion, criterion_of_package
from stage1.cli import app
from stage1.installed import ChangedPackage, find_criterion, installed_criteria
from stage1.world import DiskWorld

SOURCE = dedent(
    """
    from evaluators.criteria import Criterion

    def _judge(view):
        if "broken" in view.response:
            raise KeyError("no such thing")
        return min(1.0, len(view.words) / 10)

    BREVITY = Criterion(name="brevity", definition="d", sees=(), blind_to=(), judge=_judge)
    NOT_ONE = 3
    """
)
SPEC = """
experiment: demo
seeds: [1, 2]
data: {instructions: {source: items.jsonl, train: 1, validation: 0, heldout: 3, stratify: kind, seed: 7}}
evaluation: {criteria: [coherent], own_criteria: {short: {entry_point: brevity}}}
arms: {other: {responses: answers.jsonl}}
"""


def _install(folder, name="my-criteria", version="1.2", source=SOURCE, target="brevity = probe_criteria.length:BREVITY"):
    """Lay a distribution out as an installer does."""
    package, info = folder / "probe_criteria", folder / f"{name.replace('-', '_')}-{version}.dist-info"
    package.mkdir(exist_ok=True)
    info.mkdir()
    (package / "__init__.py").write_text("")
    (package / "length.py").write_text(source)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (info / "entry_points.txt").write_text(f"[stage1.criteria]\n{target}\n")
    return info


@pytest.fixture(name="site")
def _site(tmp_path, monkeypatch):
    """A folder on `sys.path` with one distribution; what is imported from it is forgotten."""
    folder = tmp_path / "site"
    folder.mkdir()
    _install(folder)
    monkeypatch.syspath_prepend(folder)
    yield folder
    for name in [name for name in sys.modules if name.partition(".")[0] == "probe_criteria"]:
        del sys.modules[name]


def _mine():
    (found,) = [each for each in installed_criteria() if each.distribution == "my-criteria"]
    return found


def test_a_declared_criterion_is_found_and_not_imported(site):
    """Name, object, distribution, version and a digest of the source come from files alone."""
    found = _mine()

    assert (found.entry_point, found.object, found.version) == ("brevity", "probe_criteria.length:BREVITY", "1.2")
    assert len(found.digest) == 64
    assert "probe_criteria" not in sys.modules


def test_planning_imports_nothing_of_the_package(site):
    """A plan is made and warns; the package's code has not run."""
    spec = (
        SPEC.split("data:", maxsplit=1)[0] + "evaluation: {own_criteria: {short: {entry_point: brevity}}}\narms: {base: {}}\n"
    )
    found = compile_spec("spec.yaml", spec, [], DiskWorld())

    assert found.plan.step("score/base").settings["own"]["short"] == asdict(_mine())
    assert "S311" in {each.code for each in found.diagnostics}
    assert "probe_criteria" not in sys.modules


def test_another_version_or_another_source_is_another_criterion(site):
    """What was planned with is found again; a changed package is refused, and the message says what is there now."""
    planned = asdict(_mine())
    assert find_criterion(planned).load().name == "brevity"

    (site / "probe_criteria" / "length.py").write_text(SOURCE + "\n")
    with pytest.raises(ChangedPackage, match=r"my-criteria 1\.2; installed is my-criteria 1\.2, with other code; plan again"):
        find_criterion(planned)
    for old in (site / "my_criteria-1.2.dist-info").iterdir():
        old.unlink()
    with pytest.raises(ChangedPackage, match="installed is no package that declares it"):
        find_criterion(planned)


@pytest.mark.parametrize("name", ["helper.py", "__init__.py", "inner/deep.py"])
def test_whatever_a_criterion_may_import_of_its_package_counts(site, name):
    """An editable install changes under one version: a changed module, or a new one, beside that of the entry point is noticed."""
    path = site / "probe_criteria" / name
    path.parent.mkdir(exist_ok=True)
    before = asdict(_mine())

    digests = [before["digest"]]
    for content in ("LIMIT = 1", "LIMIT = 2"):
        path.write_text(content)
        digests.append(_mine().digest)

    assert len(set(digests)) == 3
    with pytest.raises(ChangedPackage, match="with other code; plan again"):
        find_criterion(before)
    assert "probe_criteria" not in sys.modules


def test_what_is_not_source_of_the_package_does_not_count(site):
    """Compiled files come by themselves when it is imported; other packages and modules beside it are none of its code."""
    planned = asdict(_mine())
    (site / "another_package").mkdir()
    for name in ("another.py", "another_package/__init__.py", "probe_criteria/notes.txt"):
        (site / name).write_text("1")

    assert find_criterion(planned).load().name == "brevity"
    assert asdict(_mine()) == planned


def test_a_module_in_no_package_is_digested_by_itself(site):
    """What lies beside it on the path belongs to others."""
    (site / "probe_criteria_alone.py").write_text(SOURCE)
    _install(site, "alone", target="alone = probe_criteria_alone:BREVITY")

    def digest():
        (found,) = [each for each in installed_criteria() if each.entry_point == "alone"]
        return found.digest

    before = digest()
    (site / "beside.py").write_text("1")
    assert digest() == before
    (site / "probe_criteria_alone.py").write_text(SOURCE + "\n")
    assert digest() != before


def test_a_package_without_an_init_file_is_digested_too(site):
    """It is a namespace, which others may share: what lies in the folder of its module counts."""
    (site / "probe_criteria" / "__init__.py").unlink()
    before = _mine().digest

    (site / "probe_criteria" / "helper.py").write_text("1")

    assert len(before) == 64
    assert _mine().digest != before


def test_an_editable_install_that_is_found_by_a_hook_is_digested(site, tmp_path, monkeypatch):
    """Build tools may map a package to its folder by a finder of their own instead of a line in a .pth file."""
    (site / "probe_criteria").rename(tmp_path / "sources")
    folder = tmp_path / "sources"

    class Finder:
        @staticmethod
        def find_spec(name, path=None, target=None):
            if name == "probe_criteria":
                return spec_from_file_location(name, folder / "__init__.py", submodule_search_locations=[str(folder)])
            return None

    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder])
    before = _mine().digest
    (folder / "helper.py").write_text("1")

    assert len(before) == 64
    assert _mine().digest != before


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("probe_criteria.length:NOT_ONE", "not an evaluators.criteria.Criterion but int"),
        ("probe_criteria.length:MISSING", "AttributeError"),
        ("probe_criteria.nowhere:X", "ModuleNotFoundError"),
    ],
)
def test_an_entry_point_that_is_no_criterion_is_refused(site, target, told):
    """The message names the package and what is wrong; the place of the module need not exist to be planned with."""
    _install(site, "another", target=f"odd = {target}")
    (found,) = [each for each in installed_criteria() if each.entry_point == "odd"]

    with pytest.raises(NoCriterion, match=rf"another 1\.2: .*{told}"):
        criterion_of_package(find_criterion(asdict(found)).load, "another 1.2")


def test_an_installed_criterion_scores_answers_and_fails_on_single_ones(site, tmp_path, monkeypatch):
    """From the spec to `scores.jsonl`: ordinal scores, a failure recorded, the package in the step's manifest."""
    monkeypatch.chdir(tmp_path)
    items = [Item(id=f"i{n}", kind="qa", instruction=f"What is {n} plus {n}?") for n in range(4)]
    heldout = draw_split(items, train=1, validation=0, heldout=3, stratify="kind", seed=7).heldout
    said = ["broken", "Very probably it is.", "broken"]
    answers = [{"id": item.id, "response": response} for item, response in zip(heldout, said, strict=True)]
    (tmp_path / "items.jsonl").write_text("".join(item.model_dump_json() + "\n" for item in items))
    (tmp_path / "answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in answers))
    (tmp_path / "spec.yaml").write_text(SPEC)

    done = CliRunner().invoke(app, ["run", "spec.yaml"])

    assert done.exit_code == 0, done.output
    (scored,) = tmp_path.glob("runs/artifacts/*/scores.jsonl")
    rows = list(map(json.loads, scored.read_text().splitlines()))
    assert {row["criteria"]["own.short"] for row in rows} == {0.4, None}
    assert {row["failures"].get("own.short") for row in rows} == {None, "KeyError: 'no such thing'"}
    settings = json.loads((scored.parent / "manifest.json").read_text())["settings"]
    assert settings["own"]["short"]["distribution"] == "my-criteria"
    assert settings["own"]["short"]["version"] == "1.2"
