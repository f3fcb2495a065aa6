"""A review as text for a reviewer: verdict, claims, findings by weight with their numbers, questions, what to paste.

It fits on one screen and a half for an experiment of a few arms; what is left out of a large one is counted, and `whole`
shows it.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from pathlib import PurePath as Path

from compiler.assessment.paste import overlay
from compiler.assessment.power_table import render_power
from compiler.assessment.records import Assessment, Decision, Recommendation
from compiler.diagnostics import printable

WIDTH = 120
_MARKS = {"ok": "ok     ", "weak": "weak   ", "missing": "MISSING"}
_WEIGHTS = {"blocks": "B", "weakens": "D", "notes": "W"}
_MOST = 16
"""Claims, arms and claims to add that are told one by one; findings of one code: a quarter of it."""


def render_assessment(review: Assessment, spec: str = "SPEC", whole: bool = False) -> str:
    """The whole review.

    Args:
        review: what is told.
        spec: the name of the spec's file, which the additions extend.
        whole: leave nothing out, however long it gets.
    """
    most = 1_000_000 if whole else _MOST
    parts = (
        [f"method review at level {review.level}, {review.validity}", *map(_decision, review.decisions), *_power(review)],
        list(_claims(review, most)),
        render_power(review.power_table, most),
        list(_findings(review, most)),
        list(_questions(review, whole)),
        list(_paste(review, spec, most)),
        list(_after(review, whole)),
    )
    return "\n\n".join("\n".join(printable(line) for line in part) for part in parts if part)


def _wrapped(first: str, text: str, hang: int | None = None) -> list[str]:
    """A paragraph in lines of a bounded width, all but the first indented to where the text begins."""
    after = " " * (len(first) if hang is None else hang)
    plain = text.replace("`", "")
    return textwrap.wrap(
        plain, WIDTH, initial_indent=first, subsequent_indent=after, break_long_words=False, break_on_hyphens=False
    )


def _decision(decision: Decision) -> str:
    name = {"mvp": "trial run", "publication": "publication"}[decision.level]
    codes = " ".join(condition.split(":")[0] for condition in decision.conditions)
    if decision.go:
        return f"  {name:<13}GO{f' with conditions: {codes}' if codes else ', nothing stands against it'}"
    return f"  {name:<13}NO-GO: {codes or 'no claims'}"


def _power(review: Assessment) -> Iterator[str]:
    if review.power_table.rows:  # which tells it claim by claim
        return
    yield from _wrapped(f"  {'power':<13}", review.power)


def _claims(review: Assessment, most: int) -> Iterator[str]:
    if review.claims:
        yield "claims, and in what their two arms differ"
    for claim in review.claims[:most]:
        factors = [f"{_factors(claim.claimed)}, as claimed"] if claim.claimed else []
        factors += [f"NOT CLAIMED: {_factors(claim.leftover)}"] if claim.leftover else []
        told = f"{claim.claim}: {claim.compare[0]} : {claim.compare[1]} ({'; '.join(factors) or 'nothing to compare'})"
        yield from _wrapped(f"  {claim.state:<13}", f"{told} {' '.join(claim.codes)}")
    if len(review.claims) > most:
        yield f"  and {len(review.claims) - most} more: --verbose shows them"


def _factors(names: Sequence[str]) -> str:
    """Factors by name; many settings of one part by their number."""
    parts: dict[str, list[str]] = {}
    for name in names:
        parts.setdefault(name.split(".")[0], []).append(name)
    return ", ".join(
        f"{len(found)} settings of {part}" if len(found) > 2 else ", ".join(found) for part, found in parts.items()
    )


def _findings(review: Assessment, most: int) -> Iterator[str]:
    if review.recommendations:
        yield "findings, the heaviest first (B blocks a claim, D weakens it, W is worth knowing; numbers are estimates)"
    for code, group in _by_weight(review.recommendations).items():
        start = f"  {code} {_WEIGHTS[group[0].weight]} "
        shown, told = group[: max(1, most // 4)], set[str]()
        for found in shown:
            new = [fact for fact in (*found.evidence, *_way_out(found)) if fact not in told]
            told.update(new)
            yield from _wrapped(start, "; ".join((f"line {found.line}, {_about(found)}: {found.reason}", *new)))
            start = " " * len(start)
        if len(group) > len(shown):
            yield f"{start}and {len(group) - len(shown)} more of this kind: --verbose shows them"


def _way_out(found: Recommendation) -> tuple[str, ...]:
    """In words, where nothing is to be pasted."""
    return (f"way out: {found.advice}",) if found.advice and found.remedy.empty else ()


def _about(found: Recommendation) -> str:
    more = len(found.claims) - 2
    return ", ".join(found.claims[:2]) + (f" and {more} more" if more > 0 else "")


def _by_weight(recommendations: Sequence[Recommendation]) -> dict[str, list[Recommendation]]:
    """Findings by code: what blocks comes first, then what weakens."""
    groups: dict[str, list[Recommendation]] = {}
    for found in sorted(recommendations, key=lambda found: ("blocks", "weakens", "notes").index(found.weight)):
        groups.setdefault(found.code, []).append(found)
    return groups


def _questions(review: Assessment, whole: bool) -> Iterator[str]:
    yield "the eight questions"
    for answer in review.answers:
        codes = f" [{' '.join(answer.codes)}]" if answer.codes else ""
        lines = _wrapped(f"  {_MARKS[answer.verdict]} ", f"{answer.question}: {answer.evidence}{codes}")
        if len(lines) > 1 and not whole:
            lines = _wrapped(f"  {_MARKS[answer.verdict]} ", f"{answer.question}: {answer.evidence.split(': ')[0]}{codes}")
        yield from lines


def _paste(review: Assessment, spec: str, most: int) -> Iterator[str]:
    lines = overlay(review.recommendations, Path(spec).name, most)
    if lines:
        yield f"to paste into a new file beside {Path(spec).name} (--strengthen OUT.yaml writes it whole, with what each costs)"
        yield from lines


def _after(review: Assessment, whole: bool) -> Iterator[str]:
    if review.checked_after and whole:
        yield "checked again on data and results"
        yield from (f"  {line}" for line in review.checked_after)
        yield from (f"not applicable: {line}" for line in review.not_applicable)
    elif review.checked_after:
        codes = " ".join(line.split()[0] for line in review.checked_after)
        without = ", ".join(line.split()[0] for line in review.not_applicable)
        yield from _wrapped("checked after the run: ", f"{codes} (isolation: M018), not {without}", hang=2)
