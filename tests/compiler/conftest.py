"""A world of dictionaries, and short ways to compile."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from compiler import Compilation, compile_spec
from compiler.language.data import Instructions
from compiler.records import Item
from compiler.world import InstalledCriterion
from stage1.power import SimulatedPower
from stage1.world import DiskWorld

ROOT = Path(__file__).parents[2]
POWER = SimulatedPower()
"""Simulates each question once per test run."""


@dataclass(frozen=True)
class DictWorld:
    """Files and models that exist only in a test; a name that begins with `unreadable` may not be read."""

    files: Mapping[str, str] = field(default_factory=dict)
    models: Mapping[str, str] = field(default_factory=lambda: {"tiny-base": "weights of tiny-base"})
    criteria: tuple[InstalledCriterion, ...] = ()

    def read_text(self, path: str) -> str:
        if path.startswith("unreadable"):
            raise PermissionError(13, "Permission denied")
        if path.startswith("binary"):
            raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")
        if path not in self.files:
            raise FileNotFoundError(2, "No such file or directory")
        return self.files[path]

    def digest_file(self, path: str) -> str:
        return hashlib.sha256(self.read_text(path).encode()).hexdigest()

    def digest_model(self, base: str) -> str | None:
        if base in self.models:
            return self.models[base]
        if re.fullmatch(r"[\w.-]+/[\w.-]+", base) and not base.startswith("."):
            return None
        raise FileNotFoundError(2, "No such file or directory")

    def installed_criteria(self) -> tuple[InstalledCriterion, ...]:
        return self.criteria

    def held_out(self, instructions: Instructions) -> tuple[Item, ...] | None:
        return DiskWorld.held_out(self, instructions)  # draws as a run does, from the files of this world


def compiled(
    text: str,
    *flags: str,
    files: Mapping[str, str] | None = None,
    criteria: tuple[InstalledCriterion, ...] = (),
    power: SimulatedPower | None = POWER,
) -> Compilation:
    """Compile a text as `spec.yaml`."""
    return compile_spec("spec.yaml", text, flags, DictWorld(files or {}, criteria=criteria), power)


@pytest.fixture(scope="session", name="compiled")
def _compiled():
    return compiled


@pytest.fixture(scope="session")
def power() -> SimulatedPower:
    """Expected power as it is simulated, each question once per test run."""
    return POWER


@pytest.fixture(scope="session")
def four_arms() -> str:
    """A spec with every section, for tests to change."""
    return Path(__file__).with_name("four_arms.yaml").read_text()


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def dict_world() -> type[DictWorld]:
    """The world of dictionaries itself."""
    return DictWorld
