"""Verdicts in words: one sentence per claim that can be quoted without being wrong, and the reasons behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evaluators.analysis.contrasts import REFUSED
from evaluators.analysis.settings import ClaimSettings, Levels
from evaluators.analysis.words import counted, joined, p_value, points
from evaluators.results import Contrast, Expectation, Sensitivity, Verdict

_SUPPORTED: dict[Expectation, str] = {
    "greater": "{a} scored higher than {b} on {on}",
    "less": "{a} scored lower than {b} on {on}",
    "different": "{a} and {b} scored differently on {on}",
    "equivalent": "{a} and {b} scored within {margin} points of each other on {on}",
    "not_worse": "{a} was not worse than {b} by {margin} points or more on {on}",
}
_CONTRADICTED: dict[Expectation, str] = {
    "greater": "{a} scored lower than {b} on {on}, the opposite of the claim",
    "less": "{a} scored higher than {b} on {on}, the opposite of the claim",
    "different": "",
    "equivalent": "{a} and {b} scored more than {margin} points apart on {on}, which contradicts the claim",
    "not_worse": "{a} was worse than {b} by more than {margin} points on {on}, which contradicts the claim",
}


@dataclass(frozen=True, slots=True)
class EndpointFinding:
    """What was found on one endpoint of a claim."""

    verdict: Verdict
    contrast: Contrast
    remark: str = ""
    """Whether the arms leave room for the effect."""
    family_size: int = 0
    """How many tests were corrected together."""


def sentence_of(
    claim: ClaimSettings, verdict: Verdict, findings: Sequence[EndpointFinding], missing: str, levels: Levels
) -> str:
    """The verdict on a claim in one plain sentence, with effects in percentage points and their intervals."""
    if verdict == "not testable":
        refused = [f"on {f.contrast.endpoint}, {f.contrast.note}" for f in findings if f.contrast.test == REFUSED]
        return f"This experiment cannot test whether {_question(claim, levels)}: {missing or '; '.join(refused)}."
    if verdict == "confounded":
        return _confounded(claim, findings)
    first = [f for f in findings if f.verdict == verdict]
    clauses = [_clause(claim, f, levels) for f in first]
    if verdict == "inconclusive":
        decided = [f.contrast.endpoint for f in findings if f.verdict == "supported"]
        also = f" (it held on {joined(decided)})" if decided else ""
        return f"Whether {_question(claim, levels)} was not decided{also}: {'; '.join(clauses)}."
    return f"{'; '.join(clauses)}{_scope(claim, first[0].contrast)}."


def reasons_of(claim: ClaimSettings, findings: Sequence[EndpointFinding], missing: str) -> tuple[str, ...]:
    """What the verdict rests on: tests, corrections, sensitivity analyses, room, confounds."""
    reasons = [f"Not testable: {missing}."] if missing else []
    for f in findings:
        reasons += [_tested(f)]
        reasons += [f"{f.contrast.endpoint}: {_sensitivity(s, f.contrast.correction)}" for s in f.contrast.sensitivity]
        reasons += [f.remark] if f.remark else []
    if len(findings) > 1:
        words = joined([f"{f.contrast.endpoint} {f.verdict}" for f in findings])
        reasons.append(f"The claim is about {len(findings)} endpoints and is supported only if each of them is: {words}.")
    for confound in claim.confounds:
        effect = {"blocks": "blocks the claim", "downgrades": "calls for caution", "warns": "is worth knowing"}[
            confound.severity
        ]
        told = confound.sentence if confound.is_finding else f"The arms also differ in {confound.words}"
        reasons.append(f"{told}, which {effect}.")
    if not claim.planned:
        reasons.append("Exploratory: this claim was not in the plan before the run.")
    return tuple(reasons)


def _question(claim: ClaimSettings, levels: Levels) -> str:
    a, b = claim.compare
    margin, on = points(levels.smallest_effect), joined(claim.on)
    return {
        "greater": f"{a} scores higher than {b} on {on}",
        "less": f"{a} scores lower than {b} on {on}",
        "different": f"{a} and {b} score differently on {on}",
        "equivalent": f"{a} and {b} score within {margin} points of each other on {on}",
        "not_worse": f"{a} is worse than {b} by less than {margin} points, if at all, on {on}",
    }[claim.expect]


def _clause(claim: ClaimSettings, finding: EndpointFinding, levels: Levels) -> str:
    contrast = finding.contrast
    if finding.verdict == "inconclusive":
        return _undecided(claim, finding, levels)
    template = (_SUPPORTED if finding.verdict == "supported" else _CONTRADICTED)[claim.expect]
    words = template.format(a=claim.compare[0], b=claim.compare[1], on=contrast.endpoint, margin=points(levels.smallest_effect))
    return f"{words}: {_difference(contrast)}{_corrected(finding)}"


def _undecided(claim: ClaimSettings, finding: EndpointFinding, levels: Levels) -> str:
    contrast = finding.contrast
    a, b = claim.compare
    words = f"on {contrast.endpoint} the measured difference ({a} minus {b}) was {_difference(contrast)}"
    disagreeing = [s.name for s in contrast.sensitivity if not s.agrees]
    if contrast.p_adjusted is not None and contrast.p_adjusted < levels.alpha and disagreeing:
        return f"{words}, significant in the main analysis but not with the {joined(disagreeing)}"
    return f"{words}, and {_reach(claim, contrast, levels)}"


def _reach(claim: ClaimSettings, contrast: Contrast, levels: Levels) -> str:
    """What this design could have shown."""
    if contrast.detectable is None:
        return "no result of any size would have been found reliably by a test this small"
    size, chance = points(contrast.detectable), f"{100 * levels.power:.0f}%"
    if claim.expect in ("equivalent", "not_worse"):
        return f"this design could reliably show only a margin of {size} points or more (with a probability of {chance})"
    return f"only a true difference of about {size} points or more would have been found with a probability of {chance} or more"


def _confounded(claim: ClaimSettings, findings: Sequence[EndpointFinding]) -> str:
    blocking = [c for c in claim.confounds if c.severity == "blocks"]
    factors = [c.words for c in blocking if not c.is_finding]
    because = [f"the two arms also differ in {joined(factors)}"] if factors else []
    because += [c.words for c in blocking if c.is_finding]
    return confounded_sentence(claim.compare, claim.isolates, [f.contrast for f in findings], because)


def confounded_sentence(
    compare: Sequence[str], isolates: Sequence[str], contrasts: Sequence[Contrast], because: Sequence[str]
) -> str:
    """What was measured between two arms, and why it does not stand for what the claim isolates."""
    measured = "; ".join(f"{_difference(c)} on {c.endpoint}" for c in contrasts if c.effect is not None)
    isolated = joined([f"“{factor}”" for factor in isolates]) if isolates else "what the claim is about"
    return (
        f"What was measured between {joined(compare)}, {measured or 'nothing'}, cannot be put down to {isolated}, "
        f"because {'; and because '.join(because)}."
    )


def _difference(contrast: Contrast) -> str:
    """The effect in points, with its interval where there is one."""
    effect = f"{points(contrast.effect or 0.0, signed=True)} points"
    if contrast.low is None or contrast.high is None:
        return effect
    low, high = points(contrast.low, signed=True), points(contrast.high, signed=True)
    return f"{effect} ({100 * contrast.interval_level:.0f}% interval {low} to {high})"


def _corrected(finding: EndpointFinding) -> str:
    contrast = finding.contrast
    if contrast.p_adjusted is None:
        return ""
    return f", {p_value(contrast.p_adjusted)}" + (
        f" corrected for {counted(finding.family_size, 'test')}" if finding.family_size > 1 else ""
    )


def _scope(claim: ClaimSettings, contrast: Contrast) -> str:
    items = counted(contrast.n_items, "held-out item")
    if claim.kind == "checkpoint" and contrast.n_seeds:
        return f", over {items}; this is about these checkpoints, not about their way of training"
    return f", over {items}" + (f" and {contrast.n_seeds} training seeds per trained arm" if contrast.n_seeds else "")


def _tested(finding: EndpointFinding) -> str:
    contrast = finding.contrast
    if contrast.test == REFUSED:
        return f"{contrast.endpoint}: no valid test, because {contrast.note}."
    free = f", {contrast.degrees_of_freedom:.1f} degrees of freedom" if contrast.degrees_of_freedom is not None else ""
    raw = p_value(contrast.p) if contrast.p is not None else "no p-value"
    adjusted = "" if contrast.p_adjusted is None else f", after {contrast.correction} correction {p_value(contrast.p_adjusted)}"
    over = counted(contrast.n_items, "item") + (f" of {_families(contrast.n_families)}" if contrast.n_families else "")
    return f"{contrast.endpoint}: {contrast.test} over {over}{free}: {raw}{adjusted}."


def _sensitivity(other: Sensitivity, correction: str | None) -> str:
    outcome = "agrees" if other.agrees else "does not agree"
    raw = "" if other.p is None else f": {p_value(other.p)}"
    adjusted = "" if other.p_adjusted is None else f", after {correction} correction {p_value(other.p_adjusted)}"
    return f"sensitivity analysis, {other.name}, {outcome}{raw}{adjusted}."


def _families(number: int) -> str:
    return "1 template family" if number == 1 else f"{number} template families"
