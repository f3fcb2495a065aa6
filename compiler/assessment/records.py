"""What a method review says, as plain data."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from compiler.assessment.power_table import PowerTable
from compiler.checks.method.finding import Remedy, Weight

Verdict = Literal["ok", "weak", "missing"]


@dataclass(frozen=True, slots=True)
class Answer:
    """One of the eight questions, answered."""

    question: str
    verdict: Verdict
    evidence: str
    codes: tuple[str, ...] = ()
    """The findings behind it."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Go or no-go at one level."""

    level: Literal["mvp", "publication"]
    go: bool
    conditions: tuple[str, ...]
    """What holds the claims back, or what to keep in mind; one code per entry, with the claims it is about."""
    reasons: tuple[str, ...] = ()
    """The same in words, entry by entry."""


@dataclass(frozen=True, slots=True)
class ClaimState:
    """Whether a claim can be answered as planned, and what stands against it."""

    claim: str
    state: Literal["testable", "weakened", "confounded", "not testable"]
    codes: tuple[str, ...]
    compare: tuple[str, str]
    claimed: tuple[str, ...] = ()
    """Factors in which the two arms differ and that the claim isolates."""
    leftover: tuple[str, ...] = ()
    """Factors in which they differ, too."""


@dataclass(frozen=True, slots=True)
class Recommendation:
    """One thing to do: why, what to paste, what it costs."""

    code: str
    claims: tuple[str, ...]
    why: str
    reason: str
    """The same without the claims."""
    evidence: tuple[str, ...]
    place: str
    line: int
    advice: str
    yaml: str
    """The remedy as text to paste."""
    remedy: Remedy
    weight: Weight
    label: str = ""


@dataclass(frozen=True, slots=True)
class Assessment:
    """The whole review."""

    level: Literal["mvp", "publication"]
    answers: tuple[Answer, ...]
    claims: tuple[ClaimState, ...]
    validity: str
    controls: str
    power: str
    """The weakest claim's, in a sentence."""
    power_table: PowerTable
    recommendations: tuple[Recommendation, ...]
    decisions: tuple[Decision, ...]
    checked_after: tuple[str, ...]
    """Code and what is looked at, of the checks that wait for data and results."""
    not_applicable: tuple[str, ...]
    """Code and why, of mistakes that cannot be made here."""

    @property
    def go(self) -> bool:
        """Whether the experiment may run at the level that its spec asks for."""
        return next(decision.go for decision in self.decisions if decision.level == self.level)

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {"go": self.go, **asdict(self)}
