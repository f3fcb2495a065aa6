"""What the method checker finds: about which claims, how heavy, and what to add."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from compiler.diagnostics import Diagnostic, Place, Severity

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
        """The additions as YAML that can be pasted; settings first."""
        lines = [f"{_nested(path.split('.'), value)}" for path, value in self.settings.items()]
        for section, entries in (("arms", self.arms), ("claims", self.claims)):
            lines += [f"{section}:", *(f"  {name}: {flow(body)}" for name, body in entries.items())] if entries else []
        return "\n".join(lines)


def _nested(path: list[str], value: Any) -> str:
    if len(path) == 1:
        return f"{path[0]}: {flow(value)}"
    return f"{path[0]}: " + "".join(f"{{{key}: " for key in path[1:]) + flow(value) + "}" * (len(path) - 1)


def flow(value: Any) -> str:
    """A plain value in YAML's flow style."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {flow(below)}" for key, below in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, str) and any(c in value for c in ",:{}[]#'\"&*!|>%@`"):
        return "'" + value.replace("'", "''") + "'"
    return str(value)


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
        added = "; ".join(line.strip() for line in self.remedy.yaml().split("\n") if line)
        help_ = f"{self.advice}: {added}" if self.advice and added else self.advice or added
        return Diagnostic(self.code, self.severity(level), self.message, self.place, self.label, help_, self.evidence)
