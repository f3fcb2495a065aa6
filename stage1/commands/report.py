"""`stage1 report`: the verdicts of a finished run as a page, a text, or data."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from compiler.plan import Plan
from stage1.commands.compiling import CannotRead, compile_file, print_diagnostics
from stage1.report.data import NotRunYet, ReportData, gather
from stage1.report.render import render_html, render_json, render_markdown
from stage1.store import DamagedArtifact, Store

_RENDERERS = {"html": render_html, "md": render_markdown, "json": render_json}


def write_report(spec: Path, overrides: Sequence[str], *, kind: str, out: Path | None, store_root: Path) -> int:
    """Render a finished run; 1 for a faulty spec, 2 for an unreadable one, 3 when it has not been run."""
    try:
        compilation = compile_file(spec, overrides)
    except CannotRead as problem:
        print(problem, file=sys.stderr)
        return 2
    print_diagnostics(compilation)
    if compilation.plan is None:
        return 1
    try:
        data = gather(compilation.plan, Store(store_root))
    except (NotRunYet, DamagedArtifact) as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 3
    if out is None and kind == "html":
        out = store_root / compilation.plan.experiment / "report.html"
    text = _RENDERERS[kind](data)
    if out is None:
        sys.stdout.write(text)
        return 0
    return _write(out, text)


def render(plan: Plan, store: Store, folder: Path) -> tuple[ReportData, Path]:
    """The HTML page of a run that has just finished, written into its folder."""
    data = gather(plan, store)
    page = folder / "report.html"
    _replace(page, render_html(data))
    return data, page


def _write(out: Path, text: str) -> int:
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        _replace(out, text)
    except OSError as error:
        print(f"error: {out} cannot be written: {error.strerror or error}", file=sys.stderr)
        return 2
    print(out)
    return 0


def _replace(path: Path, text: str) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(text, encoding="utf-8")
    beside.replace(path)
