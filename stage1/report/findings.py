"""What the checks on data and results found: shown as it stands in the analysis, whatever the check."""

from __future__ import annotations

import re
from typing import Any

from evaluators.results import Analysis, Finding
from stage1.report.words import counted, endpoint_name, listed, number, percent, points, points_interval

_WEIGHTS = {"blocks": "blocks", "weakens": "calls for caution", "notes": "worth knowing"}


def findings(analysis: Analysis) -> list[dict[str, Any]]:
    """Every finding, the heaviest first: its code, what it says, its numbers, its claims, and the verdicts it forces."""
    weights = list(_WEIGHTS)
    return [_finding(each) for each in sorted(analysis.evidence.findings, key=lambda found: weights.index(found.weight))]


def findings_section(analysis: Analysis) -> dict[str, Any] | None:
    """Findings, the checks that were made, and what they measured; None where nothing was checked."""
    found, checks = findings(analysis), analysis.evidence.checks
    if not found and not checks:
        return None
    changed = [each for each in found if each["changed"]]
    effect = f"{len(changed)} changed a verdict" if changed else "none changed a verdict"
    made = [check for check in checks if check.done]
    return {
        "heading": f"{counted(len(made), 'check')} of data and results: {counted(len(found), 'finding')}, {effect}",
        "rows": found,
        "checks": [
            {"code": check.code, "subject": check.subject, "done": check.done, "found": check.found, "note": check.note}
            for check in checks
        ],
        "lengths": _lengths(analysis),
        "mirrors": _mirrors(analysis),
        "policies": _policies(analysis),
        "redundancy": _redundancy(analysis),
    }


def _finding(found: Finding) -> dict[str, Any]:
    digits = re.sub(r"\D", "", found.code)
    return {
        "code": found.code,
        "row": int(digits) if digits else 0,
        "subject": found.subject,
        "weight": _WEIGHTS[found.weight],
        "says": _sentence(found.message),
        "numbers": [f"{name.replace('_', ' ')} {number(value)}" for name, value in found.numbers.items() if value is not None],
        "claims": listed(found.claims, 20),
        "changed": "; ".join(f"{claim}: {verdict}" for claim, verdict in found.changes.items()),
        "remedy": _sentence(found.remedy),
    }


def _sentence(text: str) -> str:
    return text if not text or text.endswith((".", "!", "?", "`")) else f"{text}."


def _lengths(analysis: Analysis) -> list[dict[str, str]]:
    return [
        {
            "claim": each.claim,
            "endpoint": endpoint_name(each.endpoint),
            "effect": points(each.effect),
            "adjusted": f"{points(each.adjusted)} {points_interval(each.low, each.high)}",
            "longer": _ratio(2**each.doublings),
            "overlap": percent(each.overlap),
        }
        for each in analysis.evidence.lengths
    ]


def _ratio(times: float) -> str:
    """`2.4`, or `1/2.4` where the other is larger."""
    return f"{times:.3g}" if times > 0.995 else f"1/{1 / times:.3g}"


def _mirrors(analysis: Analysis) -> list[dict[str, str]]:
    return [
        {
            "claim": each.claim,
            "mirrored": f"{points(each.gain_mirrored)} ({listed([endpoint_name(name) for name in each.mirrored], 9)})",
            "unmirrored": f"{points(each.gain_unmirrored)} ({listed([endpoint_name(name) for name in each.unmirrored], 9)})",
            "gap": f"{points(each.gap)} {points_interval(each.low, each.high)}",
        }
        for each in analysis.evidence.mirrors
    ]


def _policies(analysis: Analysis) -> list[dict[str, str]]:
    return [
        {
            "arm": each.arm,
            "chosen": f"{each.chosen:.2f}".replace("-", "−"),
            "rejected": f"{each.rejected:.2f}".replace("-", "−"),
            "pairs": number(each.pairs),
        }
        for each in analysis.evidence.policies
    ]


def _redundancy(analysis: Analysis) -> str:
    found = analysis.evidence.redundancy
    if found is None or not found.criteria:
        return ""
    return (
        f"{counted(len(found.criteria), 'criterion', 'criteria')} that vary count as {found.effective:.1f} independent ones "
        "(effective number by the eigenvalues of their correlations)."
    )
