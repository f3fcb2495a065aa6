"""Steps by fingerprint: one that is there already is shared, whoever asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from compiler.plan import STEP_VERSIONS, Step, StepKind, canonical, fingerprint_of_canonical


@dataclass(frozen=True, slots=True)
class Owner:
    """Who first asks for a step."""

    arm: str | None = None
    seed: int | None = None

    def named(self, kind: str, *words: str) -> str:
        """A step id: `kind/words/seed-1`."""
        return "/".join((kind, *words, *((f"seed-{self.seed}",) if self.seed is not None else ())))


class StepTable:
    """All steps of a plan, in the order in which they were asked for."""

    def __init__(self) -> None:
        self._steps: dict[str, Step] = {}
        """Fingerprint -> step."""
        self._fingerprints: dict[str, str] = {}
        """Step id -> fingerprint."""
        self._written: dict[int, tuple[dict[str, Any], str]] = {}
        """Settings by identity, with their canonical JSON: many steps share the same, which is written only once."""

    @property
    def steps(self) -> tuple[Step, ...]:
        """Every step once; inputs come first."""
        return tuple(self._steps.values())

    def add(
        self,
        kind: StepKind,
        name: str,
        settings: dict[str, Any],
        inputs: dict[str, str | None],
        owner: Owner,
        after: tuple[str, ...] = (),
    ) -> str:
        """The id of the step with these settings and inputs.

        Args:
            kind: what is done.
            name: the id it gets if it is new and the name is free.
            settings: what it is told; not to be changed afterwards.
            inputs: role -> step id; None where there is no such input.
            owner: whose step it is if it is new.
            after: ids of steps that it waits for without reading them; no part of its identity.
        """
        given = {role: step for role, step in inputs.items() if step is not None}
        found = self._fingerprint(kind, settings, given)
        if found not in self._steps:
            unique = name if name not in self._fingerprints else f"{name}~{found[:8]}"
            self._fingerprints[unique] = found
            self._steps[found] = Step.model_construct(
                id=unique, kind=kind, version=STEP_VERSIONS[kind], settings=settings, inputs=given, fingerprint=found,
                arm=owner.arm, seed=owner.seed, after=after,
            )  # fmt: skip
        return self._steps[found].id

    def inputs_of(self, step: str) -> dict[str, str]:
        """Role -> step id, of what a step reads."""
        return self._steps[self._fingerprints[step]].inputs

    def seed_of(self, step: str) -> int | None:
        """The training seed that a step belongs to; None where it is the same for all."""
        return self._steps[self._fingerprints[step]].seed

    def _fingerprint(self, kind: StepKind, settings: dict[str, Any], inputs: dict[str, str]) -> str:
        """The fingerprint of `{kind, version, settings, inputs}`, its canonical JSON put together from parts."""
        read = canonical({role: self._fingerprints[step] for role, step in inputs.items()})
        told = self._canonical(settings)
        return fingerprint_of_canonical(
            f'{{"inputs":{read},"kind":"{kind}","settings":{told},"version":{STEP_VERSIONS[kind]}}}'
        )

    def _canonical(self, settings: dict[str, Any]) -> str:
        if id(settings) not in self._written:
            self._written[id(settings)] = (settings, canonical(settings))
        return self._written[id(settings)][1]
