"""Criteria that installed packages declare, found in the packages' metadata: nothing is imported before a score needs it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from importlib.machinery import PathFinder
from importlib.metadata import Distribution, EntryPoint, distributions
from pathlib import Path
from typing import Any

from compiler.world import CRITERIA_GROUP, InstalledCriterion


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
    """SHA-256 (hex) of a module's source, found on the path as an import would find it, but without importing its package."""
    path: list[str] | None = None
    name, origin = "", None
    for part in module.split("."):
        name = f"{name}.{part}" if name else part
        spec = PathFinder.find_spec(name, path)
        if spec is None:
            return None
        path, origin = list(spec.submodule_search_locations or ()), spec.origin
    return hashlib.sha256(Path(origin).read_bytes()).hexdigest() if origin and Path(origin).is_file() else None
