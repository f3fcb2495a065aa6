"""What a step is given to do its work."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from compiler.language.spec import Runtime
from compiler.plan import Step
from stage1.store import Artifact, Draft

if TYPE_CHECKING:
    from stage1.steps.resident import Resident

GATE = "gate.json"
"""What a `gate` step leaves: the room that untrained arms leave per claim, and `closed`, a line for people."""


@dataclass(frozen=True, slots=True)
class Job:
    """One step, its complete inputs, the draft to fill, and the means of this run."""

    step: Step
    inputs: Mapping[str, Artifact]
    draft: Draft
    models: Callable[[], Resident]
    """The base model in memory; asking for it imports torch, so steps that need none stay light."""
    read_text: Callable[[str], str]
    progress: Callable[[int, int], None]
    """Called with (done, total)."""
    curve_loggers: Callable[[], Sequence[Any]]
    note: Callable[[str], None] = lambda text: None
    """Called with a line that people should read; nothing is wrong with the result."""
    runtime: Runtime = field(default_factory=Runtime)
    """How the work is carried out: a matter of memory and time, not of results."""

    @property
    def resident(self) -> Resident:
        """The base model in memory, loaded when the first step asks for it."""
        return self.models()

    @property
    def settings(self) -> Mapping[str, Any]:
        """The step's settings."""
        return self.step.settings
