"""From a spec file to a compilation, the same way for every verb."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from compiler import Compilation, compile_spec
from compiler.language.data import BANK
from compiler.plan import Plan
from compiler.render import render_lines, render_text
from compiler.saved_plan import NotAPlan, looks_like_a_spec, read_plan
from stage1.commands.texts import unreadable
from stage1.power import SimulatedPower
from stage1.world import DiskWorld


class CannotRead(Exception):
    """The spec file itself cannot be read; the message is one clear line."""


def compile_file(spec: Path, overrides: Sequence[str], store_root: Path | None = None) -> Compilation:
    """Compile a spec from disk; expected power is remembered in the store, and left out without one.

    Raises:
        CannotRead: there is no such file, or it is not readable text.
    """
    return compile_spec(str(spec), _text(spec), overrides, DiskWorld(), _power(store_root))


def _power(store_root: Path | None) -> SimulatedPower | None:
    return SimulatedPower(store_root) if store_root is not None else None


def compiled_or_planned(path: Path, overrides: Sequence[str], store_root: Path | None = None) -> Compilation:
    """Compile a spec, or take a plan as `plan --out` wrote it: a `.json` file that is no spec.

    Raises:
        CannotRead: there is no such file, it is not readable text, or it is a plan that cannot be carried out as it stands.
    """
    text = _text(path)
    if path.suffix != ".json" or looks_like_a_spec(text):
        return compile_spec(str(path), text, overrides, DiskWorld(), _power(store_root))
    if overrides:
        raise CannotRead(f"error: {path} is a plan, which --set cannot change; plan the spec again with --set {overrides[0]}")
    try:
        plan = read_plan(text)
    except NotAPlan as wrong:
        raise CannotRead(
            f"error: {path} is not a plan that can be run: {wrong}; write one with `stage1 plan SPEC --out`"
        ) from None
    _check_files(path, plan)
    return Compilation((), plan=plan)


def _check_files(path: Path, plan: Plan) -> None:
    """Weights and instructions are still those that were planned with."""
    world = DiskWorld()
    named: list[tuple[str, str | None, Callable[[str], str | None]]]
    planned = {
        (step.settings["model"]["base"], step.settings["model"]["digest"]) for step in plan.steps if "model" in step.settings
    }
    sources = {(step.settings["source"], step.settings["source_digest"]) for step in plan.steps if "source" in step.settings}
    named = [(base, digest, world.digest_model) for base, digest in sorted(planned, key=str)]
    named += [(source, digest, world.digest_file) for source, digest in sorted(sources, key=str) if source != BANK]
    for name, digest, read in named:
        try:
            same = read(name) == digest
        except OSError as failure:
            raise CannotRead(f"error: {path} needs {name}, which cannot be read: {failure.strerror or failure}") from None
        if not same:
            raise CannotRead(f"error: {name} has changed since {path} was planned; plan the spec again")


def _text(path: Path) -> str:
    try:
        return DiskWorld().read_text(str(path))
    except (OSError, UnicodeDecodeError) as failure:
        why = unreadable(
            path, failure, folder=lambda: f", and a spec is a file{_nearby(path / 'spec')}", there=lambda: _nearby(path)
        )
        raise CannotRead(f"error: {why}") from None


def print_diagnostics(compilation: Compilation) -> None:
    """All diagnostics and notes as text on stderr, in colour on a terminal unless NO_COLOR is set."""
    if compilation.diagnostics:
        color = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
        print(render_text(compilation.diagnostics, color=color), file=sys.stderr)
    _print_notes(compilation)


def beside_the_review(compilation: Compilation) -> Compilation:
    """Without the warnings of the method review, for a verb that shows the review itself; errors stay."""
    known = {(finding.code, finding.message) for finding in compilation.findings}
    told = (d for d in compilation.diagnostics if d.severity == "error" or (d.code, d.message) not in known)
    return replace(compilation, diagnostics=tuple(told))


def print_briefly(compilation: Compilation, spec: Path) -> None:
    """What stands in the way of a run in full; mere warnings a line each, since `plan` tells them whole."""
    if compilation.plan is None or len(compilation.diagnostics) <= 1:
        print_diagnostics(compilation)
        return
    print(render_lines(compilation.diagnostics), file=sys.stderr)
    print(f"{len(compilation.diagnostics)} warnings; `stage1 plan {spec}` tells evidence and remedies", file=sys.stderr)
    _print_notes(compilation)


def _print_notes(compilation: Compilation) -> None:
    for note in compilation.notes:
        print(f"note: {note}", file=sys.stderr)


def _nearby(spec: Path) -> str:
    """The specs in the same folder."""
    folder = spec.parent
    found = sorted(str(path) for path in folder.glob("*.yaml")) if folder.is_dir() else []
    return f"; there is {', '.join(found[:5])}" if found else ""
