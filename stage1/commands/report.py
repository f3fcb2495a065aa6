"""`stage1 report`: the verdicts of a finished run as a page, a text, or data."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from compiler import compile_spec
from compiler.assessment import Assessment, assess
from compiler.language.data import Instructions
from compiler.plan import Plan
from evaluators.labels import MalformedLabels, compare
from stage1.commands.compiling import CannotRead, beside_the_review, compile_file, print_diagnostics
from stage1.commands.outputs import Refused, check_output
from stage1.power import SimulatedPower
from stage1.report.data import NotRunYet, ReportData, gather
from stage1.report.labels import labelling_sheet, scored_answers
from stage1.report.render import render_html, render_json, render_markdown
from stage1.store import DamagedArtifact, Store, open_store
from stage1.store.files import write_whole
from stage1.world import DiskWorld

_RENDERERS = {"html": render_html, "md": render_markdown, "json": render_json, "csv": labelling_sheet}


def write_report(
    spec: Path,
    overrides: Sequence[str],
    *,
    kind: str,
    out: Path | None,
    store_root: Path,
    labels: Path | None = None,
    url: str | None = None,
) -> int:
    """Render a finished run; 1 for a faulty spec or labels, 2 for an unreadable file, 3 when it has not been run.

    Raises:
        StoreUnreachable: the URL of the store cannot be used.
    """
    try:
        check_output("--out", out, {"the spec itself": spec, "the file of --labels": labels})
        compilation = compile_file(spec, overrides)
    except (CannotRead, Refused) as problem:
        print(problem, file=sys.stderr)
        return 2
    print_diagnostics(beside_the_review(compilation))
    if compilation.plan is None:
        return 1
    try:
        data = gather(compilation.plan, open_store(store_root, url), review_of(compilation.plan, store_root))
    except NotRunYet as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 3
    except DamagedArtifact as damage:
        again = " ".join(("stage1 run", str(spec), *(f"--set {shlex.quote(setting)}" for setting in overrides)))
        print(f"error: {damage}; `{again}` makes it again", file=sys.stderr)
        return 3
    try:
        data = data if labels is None else _with_labels(data, labels)
    except _WrongLabels as wrong:
        print(wrong, file=sys.stderr)
        return wrong.code
    if out is None and kind == "html":
        out = store_root / compilation.plan.experiment / "report.html"
    return _deliver(_RENDERERS[kind](data), out)


def _deliver(text: str, out: Path | None) -> int:
    if out is None:
        sys.stdout.write(text)
        return 0
    return _write(out, text)


def render(plan: Plan, store: Store, folder: Path) -> tuple[ReportData, Path]:
    """The HTML page of a run that has just finished, written into its folder."""
    data = gather(plan, store, review_of(plan, store.root))
    page = folder / "report.html"
    write_whole(page, render_html(data).encode())
    return data, page


def review_of(plan: Plan, store_root: Path | None = None) -> Assessment | None:
    """The review of a plan's design, from the resolved spec that it carries; None where that no longer compiles.

    Its expected power is as it was before the run, remembered in the store: the run is no pilot of itself.
    """
    world = _PlannedWorld(
        {step.settings["model"]["base"]: step.settings["model"]["digest"] for step in plan.steps if "model" in step.settings}
    )
    compilation = compile_spec("the plan", json.dumps(plan.spec), [], world, SimulatedPower(store_root, pilots=False))
    return assess(compilation.design, compilation.findings) if compilation.design else None


class _PlannedWorld(DiskWorld):
    """The disk, but for what the run has settled and would take its time again: digests of weights, and the split."""

    def __init__(self, digests: Mapping[str, str | None]) -> None:
        self._digests = digests

    def digest_model(self, base: str) -> str | None:
        return self._digests.get(base)

    def held_out(self, instructions: Instructions) -> None:
        """Answers made elsewhere have been read."""


class _WrongLabels(Exception):
    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


def _with_labels(data: ReportData, labels: Path) -> ReportData:
    try:
        with labels.open(encoding="utf-8-sig", newline="") as lines:
            return replace(data, labels=tuple(compare(lines, str(labels), scored_answers(data))))
    except MalformedLabels as malformed:
        raise _WrongLabels(str(malformed), 1) from None
    except UnicodeDecodeError as error:
        why = f"it is not UTF-8 text ({error.reason} at byte {error.start}); save it as CSV in UTF-8"
        raise _WrongLabels(f"error: {labels} cannot be read: {why}", 2) from None
    except OSError as error:
        raise _WrongLabels(f"error: {labels} cannot be read: {error.strerror or error}", 2) from None


def _write(out: Path, text: str) -> int:
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_whole(out, text.encode())
    except OSError as error:
        print(f"error: {out} cannot be written: {error.strerror or error}", file=sys.stderr)
        return 2
    print(out)
    return 0
