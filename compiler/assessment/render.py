"""A review as text: the decision first, then what is wrong with its numbers, then what to paste."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.assessment.records import Assessment, Decision, Recommendation
from compiler.diagnostics import printable

_MARKS = {"ok": "ok     ", "weak": "weak   ", "missing": "MISSING"}
_MOST = 12
"""Claims and additions told one by one."""


def render_assessment(review: Assessment) -> str:
    """The whole review, compact."""
    return printable_lines(
        [*_decisions(review), "", *_questions(review), "", *_findings(review), *_paste(review), *_after(review)]
    )


def printable_lines(lines: list[str]) -> str:
    """Lines of text with everything escaped that could move a terminal's cursor."""
    return "\n".join(printable(line) for line in lines)


def _decisions(review: Assessment) -> Iterator[str]:
    yield f"method review (level {review.level})"
    yield from (_decision(decision) for decision in review.decisions)
    yield f"  validity: {review.validity}; controls: {review.controls}"
    yield f"  power: {review.power}"
    states = [f"{claim.claim} {claim.state}" for claim in review.claims[:_MOST]]
    yield f"  claims: {'; '.join(states)}" + (f"; and {len(review.claims) - _MOST} more" if len(review.claims) > _MOST else "")


def _decision(decision: Decision) -> str:
    name = {"mvp": "trial run", "publication": "publication"}[decision.level]
    codes = " ".join(condition.split(":")[0] for condition in decision.conditions)
    if decision.go:
        return f"  {name}: GO" + (f" with conditions ({codes})" if codes else "")
    return f"  {name}: NO-GO ({codes or 'no claims'})"


def _questions(review: Assessment) -> Iterator[str]:
    yield "eight questions"
    for answer in review.answers:
        codes = f" [{' '.join(answer.codes)}]" if answer.codes else ""
        yield f"  {_MARKS[answer.verdict]} {answer.question}: {answer.evidence}{codes}"


def _findings(review: Assessment) -> Iterator[str]:
    if review.recommendations:
        yield "findings (B blocks a claim, D weakens it; numbers are estimates)"
    for found in review.recommendations:
        line = found.place.rsplit(":", 2)[-2]
        yield f"  {found.code} {'B' if found.blocks else 'D'} line {line}: {found.why.replace('`', '')}"
        yield f"         {'; '.join(found.evidence)}" if found.evidence else f"         {found.advice}"


def _paste(review: Assessment) -> Iterator[str]:
    added = list(_additions(review.recommendations))
    if added:
        yield "paste (or: stage1 plan SPEC --strengthen OUT.yaml, which adds the claims against the new arms, too)"
        yield from (f"  {line}" for line in added[: 2 * _MOST])


def _additions(recommendations: tuple[Recommendation, ...]) -> Iterator[str]:
    """Every setting and every arm once, with the codes that it answers."""
    settings: dict[str, list[str]] = {}
    arms: dict[str, list[str]] = {}
    for found in recommendations:
        section = settings
        for line in found.yaml.split("\n") if found.yaml else ():
            if not line.startswith(" ") and line.endswith(":"):
                section = arms if line == "arms:" else {}
            else:
                section.setdefault(line, []).append(found.code)
    yield from (f"{line}  # {', '.join(dict.fromkeys(codes))}" for line, codes in settings.items())
    if arms:
        yield "arms:"
    yield from (f"{line}  # {', '.join(dict.fromkeys(codes))}" for line, codes in arms.items())


def _after(review: Assessment) -> Iterator[str]:
    if review.checked_after:
        yield f"checked after the run: {'; '.join(review.checked_after)}"
