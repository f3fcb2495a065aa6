"""What the method checker finds: about which claims, how heavy, and what to add."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from compiler.diagnostics import Diagnostic, Place, Severity
from compiler.flow import entry_lines, nested

Weight = Literal["blocks", "weakens", "notes"]
"""Blocks: the claim cannot be answered. Weakens: it can, with less to show for it. Notes: worth knowing."""

Level = Literal["mvp", "publication"]


@dataclass(frozen=True, slots=True)
class Remedy:
    """What to add to a spec, as plain YAML values."""

    arms: Mapping[str, Any] = field(default_factory=dict)
    claims: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Dotted path -> value."""

    @property
    def empty(self) -> bool:
        """Whether only a person can cure it."""
        return not (self.arms or self.claims or self.settings)

    def yaml(self) -> str:
        """The additions as YAML that can be pasted, a line each; settings first."""
        lines = [line for key, value in nested(self.settings).items() for line in entry_lines(key, value)]
        for section, entries in (("arms", self.arms), ("claims", self.claims)):
            lines += [f"{section}:"] if entries else []
            lines += [line for name, body in entries.items() for line in entry_lines(name, body, indent=2)]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Finding:
    """One methodological mistake: one cause, with all claims that it concerns."""

    code: str
    weight: Weight
    claims: tuple[str, ...]
    place: Place
    message: str
    label: str
    evidence: tuple[str, ...] = ()
    """Numbers: they are estimates from the spec alone."""
    remedy: Remedy = Remedy()
    advice: str = ""
    """The way out in words."""

    @property
    def reason(self) -> str:
        """What is wrong, as half a sentence that does not name the claims: what follows the colon of the message."""
        return self.message.partition(": ")[2] or self.message

    def severity(self, level: Level) -> Severity:
        """What blocks a claim is an error in evidence for others, and a warning in a trial run."""
        return "error" if self.weight == "blocks" and level == "publication" else "warning"

    def diagnostic(self, level: Level) -> Diagnostic:
        """As the rest of the compiler tells it."""
        added = self.remedy.yaml()
        help_ = f"{self.advice or 'write'}:\n{added}" if added else self.advice
        return Diagnostic(self.code, self.severity(level), self.message, self.place, self.label, help_, self.evidence)
