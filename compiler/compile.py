"""`compile_spec`: text in, diagnostics and a plan out. No disk, no clock, no network: the world is handed in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from compiler.diagnostics import Diagnostic
from compiler.language.data import BANK
from compiler.language.spec import Spec
from compiler.lowering import Digests, lower
from compiler.plan import Plan, fingerprint
from compiler.resolve import resolve_arms
from compiler.shape import check_shape
from compiler.source.reading import read
from compiler.source.text import SourceText


class World(Protocol):
    """What the compiler may ask about the files that a spec refers to."""

    def read_text(self, path: str) -> str:
        """A file's text. Raises FileNotFoundError, OSError, UnicodeDecodeError."""

    def digest_file(self, path: str) -> str:
        """A digest of a file's bytes. Raises FileNotFoundError, OSError."""

    def digest_model(self, base: str) -> str | None:
        """A digest of the embedded model's or a local folder's weights; None for a hub id. Raises FileNotFoundError, OSError."""


@dataclass(frozen=True, slots=True)
class Compilation:
    """What became of a spec."""

    diagnostics: tuple[Diagnostic, ...]
    spec: Spec | None = None
    plan: Plan | None = None

    @property
    def ok(self) -> bool:
        """Whether there is a plan."""
        return self.plan is not None


def compile_spec(path: str, text: str, overrides: Sequence[str], world: World) -> Compilation:
    """Check a spec and lower it to a plan."""
    tree, findings = read(SourceText(path, text))
    if tree is None:
        return Compilation(tuple(findings))
    draft, more = check_shape(tree)
    findings += more
    if draft is None or findings:
        return Compilation(tuple(findings))
    spec = draft.spec
    arms = resolve_arms(spec)
    source = spec.data.instructions.source
    digests = Digests(world.digest_model(spec.model.base), None if source == BANK else world.digest_file(source))
    lowered = lower(spec, arms, digests)
    resolved = spec.model_dump(mode="json", by_alias=True)
    plan = Plan.model_construct(
        experiment=spec.experiment,
        spec=resolved,
        spec_fingerprint=fingerprint(resolved),
        fingerprint=fingerprint(sorted(step.fingerprint for step in lowered.steps)),
        steps=lowered.steps,
        arms=lowered.arms,
        analyze=lowered.analyze,
    )
    return Compilation(tuple(findings), spec, plan)
