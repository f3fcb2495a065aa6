"""What the checks on data and results found: shown as it stands in the analysis, whatever the check."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from evaluators.results import Analysis
from stage1.report.words import counted, listed, number

_SENTENCE = ("sentence", "says", "message", "detail")


def findings(analysis: Analysis) -> list[dict[str, Any]]:
    """Every finding: its code, what it says, its numbers, the claims it touches, and whether it changed a verdict."""
    return [_finding(each) for each in analysis.model_dump(mode="json").get("findings") or ()]


def findings_section(analysis: Analysis) -> dict[str, Any] | None:
    """The same with a heading; None where nothing was found."""
    found = findings(analysis)
    if not found:
        return None
    changed = [each["code"] for each in found if each["changed"]]
    effect = (
        f"{counted(len(changed), 'of them changed a verdict', 'of them changed verdicts')}"
        if changed
        else "none changed a verdict"
    )
    return {"heading": f"{counted(len(found), 'check')} of data and results found something; {effect}", "rows": found}


def _finding(found: Mapping[str, Any]) -> dict[str, Any]:
    code = str(found.get("code", ""))
    digits = re.sub(r"\D", "", code)
    changed = found.get("changed") or found.get("verdict_changed") or found.get("changes") or ""
    return {
        "code": code,
        "row": int(digits) % 100 if digits else 0,
        "says": str(next((found[key] for key in _SENTENCE if found.get(key)), "")),
        "numbers": [f"{name.replace('_', ' ')}: {_value(value)}" for name, value in (found.get("numbers") or {}).items()],
        "claims": listed([str(claim) for claim in found.get("claims") or ()], 20),
        "changed": _changed(changed),
    }


def _changed(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{claim}: {verdict}" for claim, verdict in value.items())
    if isinstance(value, list):
        return "; ".join(map(str, value))
    return "yes" if value is True else str(value)


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_value(inner)}" for name, inner in value.items())
    return listed([_value(each) for each in value], 6) if isinstance(value, list) else number(value)
