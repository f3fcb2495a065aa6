"""The port through which the compiler sees files; what stands behind it is handed in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Protocol

from compiler.language.data import Instructions
from compiler.records import Item

CRITERIA_GROUP = "stage1.criteria"
"""The entry point group under which an installed package declares criteria."""


@dataclass(frozen=True, slots=True)
class InstalledCriterion:
    """A criterion that an installed package declares; nothing of it has been imported."""

    entry_point: str
    """Its name in the group."""
    object: str
    """Where the code is, such as `my_criteria.length:BREVITY`."""
    distribution: str
    version: str
    digest: str | None
    """SHA-256 (hex) of its package's sources, by which an edited package of the same version is told; None without any."""


class World(Protocol):
    """What the compiler may ask about the files that a spec refers to. Paths are as the user wrote them."""

    def read_text(self, path: str, /) -> str:
        """A file's text.

        Raises:
            OSError: it cannot be read; FileNotFoundError: it is not there.
            UnicodeDecodeError: it is not UTF-8.
        """

    def digest_file(self, path: str, /) -> str:
        """A digest of a file's bytes.

        Raises:
            OSError: it cannot be read; FileNotFoundError: it is not there.
        """

    def digest_model(self, base: str, /) -> str | None:
        """A digest of the weights of the embedded model or of a local folder; None for a hub id.

        Raises:
            OSError: they cannot be read; FileNotFoundError: there is no such folder, or no weights in it.
        """

    def installed_criteria(self) -> tuple[InstalledCriterion, ...]:
        """The criteria that installed packages declare, by name, then by distribution."""

    def held_out(self, instructions: Instructions, /) -> tuple[Item, ...] | None:
        """The items on which every arm is scored; None where they are not known."""


class Remembering:
    """A world that is asked each question once: hashing large weights takes its time."""

    def __init__(self, world: World) -> None:
        self.read_text: Callable[[str], str] = cache(world.read_text)
        self.digest_file: Callable[[str], str] = cache(world.digest_file)
        self.digest_model: Callable[[str], str | None] = cache(world.digest_model)
        self.installed_criteria: Callable[[], tuple[InstalledCriterion, ...]] = cache(world.installed_criteria)
        self.held_out: Callable[[Instructions], tuple[Item, ...] | None] = cache(world.held_out)
