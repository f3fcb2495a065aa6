"""From a design and its findings to a review."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal

from compiler.assessment.power_table import PowerTable, power_table
from compiler.assessment.questions import answers
from compiler.assessment.records import Assessment, ClaimState, Decision, Recommendation
from compiler.checks.method import Design, Finding, run_method_checks
from compiler.checks.method.after import NOT_APPLICABLE, checked_after
from compiler.contrasts import Factor
from compiler.diagnostics import counted
from compiler.language.evidence import Claim

State = Literal["testable", "weakened", "confounded", "not testable"]


def assess(design: Design, findings: Sequence[Finding]) -> Assessment:
    """Review an experiment.

    Args:
        design: the experiment, and the port that answers questions of power.
        findings: what the method checks said about it.
    """
    power = power_table(design)
    contrasts = {contrast.claim: contrast.factors for contrast in design.contrasts}
    claims = tuple(_state(name, claim, contrasts.get(name, ()), findings) for name, claim in design.spec.claims.items())
    return Assessment(
        level=design.level,
        answers=answers(design, findings, power),
        claims=claims,
        validity=_validity(claims),
        controls=_controls(findings),
        power=_power(power),
        power_table=power,
        recommendations=tuple(_recommendation(finding) for finding in findings),
        decisions=(_trial(claims, findings), _evidence(claims, run_method_checks(design.at("publication")))),
        checked_after=tuple(f"M{later.row:03} {later.what}" for later in checked_after(design)),
        not_applicable=tuple(f"{code} {why}" for code, why in NOT_APPLICABLE),
    )


def _state(name: str, claim: Claim, factors: Sequence[Factor], findings: Sequence[Finding]) -> ClaimState:
    about = [finding for finding in findings if name in finding.claims]
    blocking = [finding.code for finding in about if finding.weight == "blocks"]
    weak = any(finding.weight == "weakens" for finding in about)
    state: State = "weakened" if weak else "testable"
    if blocking:
        state = "not testable" if "M001" in blocking else "confounded"
    return ClaimState(
        name,
        state,
        tuple(dict.fromkeys(finding.code for finding in about)),
        claim.compare,
        tuple(factor.name for factor in factors if factor.claimed),
        tuple(factor.name for factor in factors if not factor.claimed),
    )


def _validity(claims: Sequence[ClaimState]) -> str:
    counts = Counter(claim.state for claim in claims)
    order: tuple[State, ...] = ("testable", "weakened", "confounded", "not testable")
    told = ", ".join(f"{counts[state]} {state}" for state in order if counts[state])
    return f"{counted(len(claims), 'claim')}: {told}" if claims else "no claims"


def _controls(findings: Sequence[Finding]) -> str:
    arms = sorted({name for finding in findings for name in finding.remedy.arms})
    return f"missing arms: {', '.join(arms)}" if arms else "no arm is missing"


def _power(table: PowerTable) -> str:
    """Of the claim that has least of it."""
    row = table.weakest
    if row is None:
        return "nothing to estimate"
    size = f"{counted(table.items, 'item')}, {counted(table.seeds, 'seed')}, {counted(table.tests, 'test')} sharing alpha"
    if row.why:
        return f"none for {row.claim}: {row.why} ({size})"
    detectable = f"detectable from {row.detectable * 100:g} points" if row.detectable is not None else "no effect is detectable"
    return f"{row.power:.0%} at {row.effect * 100:g} points for {row.claim}, {detectable} ({size}); {table.source}"


def _recommendation(finding: Finding) -> Recommendation:
    return Recommendation(
        code=finding.code,
        claims=finding.claims,
        why=finding.message,
        reason=finding.reason,
        evidence=finding.evidence,
        place=str(finding.place),
        line=finding.place.span.line,
        advice=finding.advice,
        yaml=finding.remedy.yaml(),
        remedy=finding.remedy,
        weight=finding.weight,
        label=finding.label,
    )


def _conditions(findings: Sequence[Finding]) -> tuple[str, ...]:
    told: dict[str, list[str]] = {}
    for finding in findings:
        told.setdefault(finding.code, []).extend(claim for claim in finding.claims if claim not in told.get(finding.code, []))
    return tuple(f"{code}: {', '.join(claims)}" for code, claims in told.items())


def _reasons(findings: Sequence[Finding]) -> tuple[str, ...]:
    """For every code what its findings say, each once, with its first number."""
    told: dict[str, dict[str, None]] = {}
    for finding in findings:
        evidence = f" ({finding.evidence[0]})" if finding.evidence else ""
        told.setdefault(finding.code, {})[finding.reason + evidence] = None
    return tuple("; ".join(reasons) for reasons in told.values())


def _trial(claims: Sequence[ClaimState], findings: Sequence[Finding]) -> Decision:
    """A trial run is worth its cost if some claim differs in what it claims and in nothing else by mistake."""
    spoilt = {claim for finding in findings if finding.code in ("M001", "M002") for claim in finding.claims}
    mistaken = any(finding.code == "M002" for finding in findings)
    usable = [claim for claim in claims if claim.claim not in spoilt]
    heavy = [finding for finding in findings if finding.weight != "notes"]
    return Decision("mvp", (bool(usable) or not claims) and not mistaken, _conditions(heavy), _reasons(heavy))


def _evidence(claims: Sequence[ClaimState], findings: Sequence[Finding]) -> Decision:
    """Evidence for others has no claim that something stands against."""
    blocking = [finding for finding in findings if finding.weight == "blocks"]
    weak = [finding for finding in findings if finding.weight == "weakens"]
    standing = blocking or weak
    return Decision("publication", bool(claims) and not blocking, _conditions(standing), _reasons(standing))
