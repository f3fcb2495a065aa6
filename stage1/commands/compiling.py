"""From a spec file to a compilation, the same way for every verb."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from compiler.render import render_text

from compiler import Compilation, compile_spec
from stage1.world import DiskWorld


class CannotRead(Exception):
    """The spec file itself cannot be read; the message is one clear line."""


def compile_file(spec: Path, overrides: Sequence[str]) -> Compilation:
    """Compile a spec from disk.

    Raises:
        CannotRead: there is no such file, or it is not readable text.
    """
    world = DiskWorld()
    try:
        text = world.read_text(str(spec))
    except FileNotFoundError:
        raise CannotRead(f"error: there is no file {spec}{_nearby(spec)}") from None
    except UnicodeDecodeError as error:
        raise CannotRead(f"error: {spec} is not UTF-8 text (byte {error.start}); is it a spec?") from None
    except OSError as error:
        raise CannotRead(f"error: {spec} cannot be read: {error.strerror or error}") from None
    return compile_spec(str(spec), text, overrides, world)


def print_diagnostics(compilation: Compilation) -> None:
    """All diagnostics as text on stderr, in colour on a terminal unless NO_COLOR is set."""
    if compilation.diagnostics:
        color = sys.stderr.isatty() and not os.environ.get("NO_COLOR")
        print(render_text(compilation.diagnostics, color=color), file=sys.stderr)


def _nearby(spec: Path) -> str:
    folder = spec.parent
    found = sorted(str(path) for path in folder.glob("*.yaml")) if folder.is_dir() else []
    return f"; there is {', '.join(found[:5])}" if found else ""
