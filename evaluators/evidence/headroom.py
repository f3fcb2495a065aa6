"""Row 12: how much there was to gain or to lose, by the base model's rate and its Wilson bound."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from evaluators.analysis.outcomes import Outcomes
from evaluators.analysis.rates import rate_of
from evaluators.analysis.settings import AnalyzeSettings, ClaimSettings
from evaluators.analysis.words import joined, percent, points
from evaluators.evidence.subject import Looked, Subject
from evaluators.results import Finding


@dataclass(frozen=True, slots=True)
class Room:
    """What the base rate leaves of one claim's endpoint; fractions."""

    claim: ClaimSettings
    endpoint: str
    arm: str
    rate: float
    upwards: bool
    """Whether the room is that above the rate; else that below it."""
    left: float
    """From the rate to its ceiling or floor."""
    most: float
    """The same from the Wilson bound that leaves more: no true effect can be larger."""
    needed: float
    """The smallest effect of interest."""

    @property
    def is_enough(self) -> bool:
        """Whether an effect that matters, and would be found, is possible at all."""
        return self.most >= self.needed

    @property
    def told(self) -> str:
        """The finding in one clause."""
        verb = "gain" if self.upwards else "lose"
        passes = f"{self.arm} already passes {self.endpoint} in {percent(self.rate)}"
        return (
            f"{passes}: at most {points(self.left)} points to {verb} ({points(self.most)} at the 95% bound), "
            f"{points(self.needed)} needed"
        )


def rooms(settings: AnalyzeSettings, outcomes: Outcomes) -> Iterator[Room]:
    """The room of every claim of a gain or a loss, by its own untrained arm or else by the first untrained arm that was scored.

    Claims of sameness need no room, and claims of any difference have it in one direction.
    """
    untrained = [arm for arm in outcomes.seeds if not settings.trained(arm)]
    for claim in settings.claims:
        own = [arm for arm in claim.compare if arm in untrained]
        baseline = (own or untrained)[:1]
        if claim.expect not in ("greater", "less") or not baseline:
            continue
        for endpoint in claim.on:
            if outcomes.has(baseline[0], endpoint):
                yield _room(settings, outcomes, claim, endpoint, baseline[0])


def _room(settings: AnalyzeSettings, outcomes: Outcomes, claim: ClaimSettings, endpoint: str, arm: str) -> Room:
    rate = rate_of(outcomes, arm, endpoint)
    value, low, high = rate.rate or 0.0, rate.low or 0.0, rate.high if rate.high is not None else 1.0
    upwards = (claim.expect == "greater") != (claim.compare[0] == arm)
    left, most = (1 - value, 1 - low) if upwards else (value, high)
    return Room(claim, endpoint, arm, value, upwards, left, most, settings.analysis.smallest_effect)


def check_headroom(subject: Subject) -> Looked:
    """Whether the base model left room for the effects that were claimed."""
    found = list(rooms(subject.settings, subject.outcomes))
    short = [room for room in found if not room.is_enough]
    least = min(found, key=lambda room: room.most, default=None)
    note = "no claim of a gain or a loss has an untrained arm to start from" if least is None else f"least room: {least.told}"
    return Looked(note, tuple(_finding(room) for room in short), done=least is not None)


def _finding(room: Room) -> Finding:
    return Finding(
        code="M012",
        subject="headroom",
        weight="weakens",
        claims=(room.claim.name,),
        message=room.told,
        numbers={"rate": room.rate, "left": room.left, "most": room.most, "needed": room.needed},
        remedy="take harder items, or claim another endpoint",
    )


def told_at_the_gate(found: list[Room]) -> str:
    """Everything that leaves too little room, in one line; empty when all have enough."""
    short = [room for room in found if not room.is_enough]
    return joined([f"claim {room.claim.name}: {room.told}" for room in short]).replace(" and claim", "; claim")
