"""Criteria that installed packages declare, found in the packages' metadata: nothing is imported before a score needs it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from importlib.machinery import PathFinder
from importlib.metadata import Distribution, EntryPoint, distributions
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from compiler.world import CRITERIA_GROUP, InstalledCriterion
from stage1.store.files import sha256


class ChangedPackage(Exception):
    """A criterion that the plan refers to is not installed any more, or not as it was."""


def installed_criteria() -> tuple[InstalledCriterion, ...]:
    """The criteria of all installed packages, by name, then by distribution. No code of theirs is run."""
    return tuple(sorted((found for found, _ in _declared()), key=lambda each: (each.entry_point, each.distribution)))


def find_criterion(planned: Mapping[str, Any]) -> EntryPoint:
    """The entry point that was planned with; to load it is to run its package's code.

    Args:
        planned: the fields of the `InstalledCriterion` that was planned with.

    Raises:
        ChangedPackage: no such criterion is installed, or its package is another one, of another version or content.
    """
    there = {found: entry_point for found, entry_point in _declared() if found.entry_point == planned["entry_point"]}
    wanted = InstalledCriterion(**planned)
    if wanted not in there:
        now = ", ".join(_release(each, wanted) for each in there) or "no package that declares it"
        planned_with = f"{wanted.distribution} {wanted.version}"
        raise ChangedPackage(f"criterion {wanted.entry_point} was planned with {planned_with}; installed is {now}; plan again")
    return there[wanted]


def _release(there: InstalledCriterion, wanted: InstalledCriterion) -> str:
    same = (there.distribution, there.version) == (wanted.distribution, wanted.version)
    return f"{there.distribution} {there.version}{', with other code' if same else ''}"


def _declared() -> Iterable[tuple[InstalledCriterion, EntryPoint]]:
    """Each once: of a distribution that stands on the path twice, only the first can be imported."""
    seen: set[str] = set()
    for distribution in distributions():
        try:
            name = _name(distribution)
        except FileNotFoundError:  # what is left of a package that was removed by hand
            continue
        if name in seen:
            continue
        seen.add(name)
        for each in distribution.entry_points.select(group=CRITERIA_GROUP):
            yield InstalledCriterion(each.name, each.value, name, distribution.version, _digest(each.module)), each


def _name(distribution: Distribution) -> str:
    return str(distribution.metadata["Name"])


def _digest(module: str) -> str | None:
    """SHA-256 (hex) over the sources of the whole package that a module belongs to: it may import any of them.

    They are found as an import would find them, by the finders of editable installs, too; nothing of the package is imported.
    """
    sources = _sources(module)
    lines = (f"{name}\0{sha256(path)}\n" for name, path in sources)
    return hashlib.sha256("".join(lines).encode()).hexdigest() if sources else None


def _sources(module: str) -> list[tuple[str, Path]]:
    """Relative path -> file: of the outermost package, of the folder of a module in a namespace, or of a module by itself."""
    name, *parts = module.split(".")
    spec, folders = find_spec(name), []  # a name without dots has no package that would be imported first
    while spec and spec.origin is None and parts:  # a namespace, which other distributions may share
        folders = list(spec.submodule_search_locations or ())
        name = f"{name}.{parts.pop(0)}"
        spec = PathFinder.find_spec(name, folders)
    if spec is None or spec.origin is None or not Path(spec.origin).is_file():
        return []
    origin = Path(spec.origin)
    if spec.submodule_search_locations is None and not folders:
        return [(origin.name, origin)]
    found = {path.relative_to(origin.parent).as_posix(): path for path in origin.parent.rglob("*.py") if path.is_file()}
    return sorted((found | {origin.name: origin}).items())
