"""Row 12: how much there is to gain or to lose, by the rate of the arm to be beaten and its Wilson bound."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from evaluators.analysis.outcomes import Outcomes
from evaluators.analysis.rates import rate_of
from evaluators.analysis.settings import AnalyzeSettings, ClaimSettings
from evaluators.analysis.words import joined, percent, points
from evaluators.evidence.subject import Looked, Subject
from evaluators.results import Finding


@dataclass(frozen=True, slots=True)
class Room:
    """What one arm's rate leaves of one claim's endpoint; fractions."""

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
    smallest: float
    """The smallest effect of interest."""
    detectable: float | None = None
    """The smallest effect that the claim's test would find; None before the run."""

    @property
    def needed(self) -> float:
        """What has to fit: an effect that matters, and would be found."""
        return max(self.smallest, self.detectable or 0.0)

    @property
    def is_enough(self) -> bool:
        """Whether such an effect is possible at all."""
        return self.most >= self.needed

    @property
    def passes(self) -> str:
        """The rate in words."""
        return f"{self.arm} {'already' if self.upwards else 'only'} passes {self.endpoint} in {percent(self.rate)}"

    @property
    def told(self) -> str:
        """The finding in one clause."""
        verb = "gain" if self.upwards else "lose"
        needed = f"{points(self.smallest)} needed"
        if self.detectable is not None:
            needed = f"{points(self.smallest)} are of interest, {points(self.detectable)} detectable"
        return f"{self.passes}: at most {points(self.left)} points to {verb} ({points(self.most)} at the 95% bound), {needed}"


def rooms(settings: AnalyzeSettings, outcomes: Outcomes) -> Iterator[Room]:
    """Before training: the room of every claim of a gain or a loss, by its own untrained arm.

    The first untrained arm that was scored stands in for the arm to be beaten where both of a claim's arms are trained. Claims
    of sameness need no room, and claims of any difference have it in one direction.
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


def rooms_left(subject: Subject) -> Iterator[Room]:
    """After the run: what the second arm of every claim, the one to be beaten or undercut, left to gain or to lose.

    Where only the first arm is untrained it is the one that was given, and limits the difference, too.
    """
    tested = ((subject.claim(result.claim), contrast) for result in subject.claims for contrast in result.contrasts)
    for claim, contrast in tested:
        if claim.expect not in ("greater", "less"):
            continue
        first, second = claim.compare
        given_first = subject.settings.trained(second) and not subject.settings.trained(first)
        for arm in (second, first) if given_first else (second,):
            if subject.outcomes.has(arm, contrast.endpoint):
                room = _room(subject.settings, subject.outcomes, claim, contrast.endpoint, arm)
                yield replace(room, detectable=contrast.detectable)


def _room(settings: AnalyzeSettings, outcomes: Outcomes, claim: ClaimSettings, endpoint: str, arm: str) -> Room:
    """Above an arm that is to be beaten, below one that is to be undercut; an arm in neither place stands in for the second."""
    rate = rate_of(outcomes, arm, endpoint)
    value, low, high = rate.rate or 0.0, rate.low or 0.0, rate.high if rate.high is not None else 1.0
    upwards = (claim.expect == "greater") != (claim.compare[0] == arm)
    left, most = (1 - value, 1 - low) if upwards else (value, high)
    return Room(claim, endpoint, arm, value, upwards, left, most, settings.analysis.smallest_effect)


def check_headroom(subject: Subject) -> Looked:
    """Whether the arms left room for the effects that were claimed."""
    found = list(rooms_left(subject))
    short = [room for room in found if not room.is_enough]
    least = min(found, key=lambda room: room.most, default=None)
    note = "no claim of a gain or a loss was tested" if least is None else f"least room: {least.told}"
    return Looked(note, tuple(_finding(room) for room in short), done=least is not None)


def _finding(room: Room) -> Finding:
    return Finding(
        code="M012",
        subject="headroom",
        weight="weakens",
        claims=(room.claim.name,),
        message=room.told,
        numbers={
            "rate": room.rate,
            "left": room.left,
            "most": room.most,
            "smallest_effect": room.smallest,
            "detectable": room.detectable,
        },
        remedy="take harder items, or claim another endpoint",
    )


def told_at_the_gate(found: list[Room]) -> str:
    """Everything that leaves too little room, in one line; empty when all have enough."""
    short = [room for room in found if not room.is_enough]
    return joined([f"claim {room.claim.name}: {room.told}" for room in short]).replace(" and claim", "; claim")
