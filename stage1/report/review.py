"""The eight questions of a method review and the go / no-go: as answered before the run, and by what the run has shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from compiler.assessment import Assessment
from evaluators.criteria.measured import read_first_meetings
from evaluators.results import Analysis, Check
from stage1.report import verdicts
from stage1.report.data import ReportData
from stage1.report.findings import findings
from stage1.report.trust import newest_kappa
from stage1.report.words import counted, endpoint_name, listed, points

_TRUSTED = 0.85
"""Cohen's kappa from which a criterion is taken to say what a person would."""
_LEVELS = {"mvp": "trial run", "publication": "publication"}
_ROWS: Mapping[str, frozenset[int]] = {
    "baseline completeness": frozenset({1, 12, 17}),
    "fair comparison": frozenset({3, 4, 6, 7}),
    "control variables": frozenset({2, 16, 18, 19}),
    "statistical power": frozenset({11, 13}),
    "evaluation robustness": frozenset({10, 15, 22}),
    "ablation": frozenset({5, 20, 23}),
    "metrics": frozenset({8, 9, 14, 21, 24}),
    "reproducibility": frozenset(),
}
"""Which findings of the method table bear on which question."""
_CODE = re.compile(r"\(M\d{3}\)$")
"""Ends a confound that is a finding; the others are settings in which two arms differ."""


def review(data: ReportData) -> dict[str, Any]:
    """Questions, findings and decisions. Without a review of the design (an older plan), what the run shows alone."""
    before = {answer.question: answer for answer in data.review.answers} if data.review else {}
    found = findings(data.analysis)
    questions = []
    for name, after in _AFTER.items():
        answer = before.get(name)
        questions.append(
            {
                "question": name,
                "verdict": answer.verdict if answer else "",
                "before": answer.evidence if answer else "",
                "codes": list(answer.codes) if answer else [],
                "after": after(data),
                "found": list(dict.fromkeys(each["code"] for each in found if each["row"] in _ROWS[name])),
            }
        )
    decisions = [_before(data.review, level) for level in _LEVELS] if data.review else []
    decision = _decision(data, found)
    return {
        "heading": _heading(decision, questions),
        "questions": questions,
        "planned": decisions,
        "decision": decision,
        "design": _design(data.review),
        "recommendations": _recommendations(data.review),
    }


def _heading(decision: Mapping[str, Any], questions: Sequence[Mapping[str, Any]]) -> str:
    weak = [each["question"] for each in questions if each["verdict"] in ("weak", "missing")]
    told = f"; weak points of the design: {listed(weak, 8)}" if weak else ""
    return f"{'Go' if decision['go'] else 'No-go'} for publication{told}"


def _before(found: Assessment, level: str) -> dict[str, Any]:
    decision = next(each for each in found.decisions if each.level == level)
    codes = [condition.partition(":")[0] for condition in decision.conditions]
    told = ("go with conditions" if codes else "go") if decision.go else "no-go"
    return {"level": _LEVELS[level], "go": decision.go, "told": told, "codes": codes, "conditions": list(decision.conditions)}


def _design(found: Assessment | None) -> list[str]:
    return [f"Validity: {found.validity}.", f"Controls: {found.controls}.", f"Power: {found.power}."] if found else []


def _recommendations(found: Assessment | None) -> list[dict[str, Any]]:
    if found is None:
        return []
    return [
        {"code": each.code, "why": each.why.replace("`", ""), "advice": each.advice, "yaml": each.yaml, "weight": each.weight}
        for each in found.recommendations
    ]


def _decision(data: ReportData, found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Go, if nothing stood against the design, every claim was tested, and no finding changed a verdict."""
    against = _against_the_design(data.review, data.analysis.evidence.checks)
    against += [
        f"claim {claim.claim} is {claim.verdict}"
        for claim in data.analysis.claims
        if claim.verdict in ("confounded", "not testable")
    ]
    against += [f"claim {claim.claim} was made after its answers" for claim in data.analysis.claims if not claim.planned]
    against += [f"{each['code']} changed a verdict: {each['says']}" for each in found if each["changed"]]
    if data.analysis.level != "publication":
        against.append(f"the run was planned as a {_LEVELS.get(data.analysis.level, data.analysis.level)}, not for publication")
    undecided = [claim.claim for claim in data.analysis.claims if claim.verdict == "inconclusive"]
    caution = sorted({found.code for found in data.analysis.evidence.findings if found.weight == "weakens"})
    notes = [f"Undecided, and to be reported as such: {listed(undecided, 20)}."] if undecided else []
    notes += [f"Findings that call for caution: {listed(caution, 20)}."] if caution else []
    return {
        "go": not against and bool(data.analysis.claims),
        "against": against,
        "note": " ".join(notes),
    }


def _against_the_design(found: Assessment | None, checks: Sequence[Check]) -> list[str]:
    """What the plan has against its design, as estimates; where a check has measured the same since, that beside it."""
    if found is None:
        return ["the design could not be reviewed from this plan"]
    planned = next(each for each in found.decisions if each.level == "publication")
    if planned.go:
        return []
    told = []
    for condition, reason in zip(planned.conditions, planned.reasons, strict=True):
        code = condition.partition(":")[0]
        measured = "; ".join(check.note for check in checks if check.code == code and check.done)
        told.append(f"{code} in the plan: {reason.replace('`', '')}" + (f". Measured: {measured}" if measured else ""))
    return told or ["no claim is made"]


def _baselines(data: ReportData) -> str:
    untrained = [run for run in data.runs if run.seed is None]
    told = [f"{run.arm} answered {len(run.answers)} of {len(data.items)} items" for run in untrained]
    return listed(told) or "there is no untrained arm"


def _fairness(data: ReportData) -> str:
    made = [check for check in data.analysis.evidence.checks if check.done and check.code in ("M003", "M004", "M006")]
    return "; ".join(check.note for check in made) or "nothing was measured that bears on it"


def _controls(data: ReportData) -> str:
    factors = {claim.claim: [each for each in claim.confounds if not _CODE.search(each)] for claim in data.analysis.claims}
    confounded = [f"{claim} ({', '.join(names)})" for claim, names in factors.items() if names]
    same = f"all arms were asked the same {len(data.items)} items and scored by the same version of the scorer"
    told = f"settings that differ beyond what is claimed: {listed(confounded, 20)}" if confounded else ""
    return f"{same}; {told or 'no setting differs beyond what a claim is about'}"


def _power(data: ReportData) -> str:
    return str(verdicts.power(data)["heading"])


def _robustness(data: ReportData) -> str:
    rates = [rate for rate in data.analysis.rates if rate.endpoint in data.analysis.primary and rate.low is not None]
    widest = max(((rate.high or 0) - (rate.low or 0) for rate in rates), default=None)
    missing = sum(item.id not in run.answers for run in data.runs for item in data.items)
    told = f"{counted(missing, 'answer')} missing of {len(data.runs) * len(data.items):,}"
    return told if widest is None else f"{told}; widest interval of a primary rate: {points(widest).lstrip('+')}"


def _ablation(data: ReportData) -> str:
    names = {
        kind: [claim.claim for claim in data.analysis.claims if claim.verdict == kind]
        for kind in ("confounded", "not testable")
    }
    told = [f"{kind}: {listed(claims, 8)}" for kind, claims in names.items() if claims]
    return "; ".join(told) or "every claim had the arms that it needs, and was tested"


def _metrics(data: ReportData) -> str:
    """Where there was too little room, what was gained beyond what was rehearsed, and where the scorer is weak."""
    newest = newest_kappa(read_first_meetings())
    about = dict.fromkeys(endpoint for claim in data.analysis.claims for endpoint in claim.on)
    weak = [f"{endpoint_name(name)} (kappa {newest[name]:.2f})" for name in about if newest.get(name, 1.0) < _TRUSTED]
    told = [_room(data.analysis), *_rehearsal(data.analysis)]
    return "; ".join([*told, f"new labels found the scorer weak on {listed(weak, 8)}"] if weak else told)


def _room(analysis: Analysis) -> str:
    short = dict.fromkeys(name for found in analysis.evidence.findings if found.code == "M012" for name in found.claims)
    return f"too little room for {listed(list(short), 8)}" if short else "each claim's endpoints left room"


def _rehearsal(analysis: Analysis) -> list[str]:
    """Gains of claims whose arms were shown different negatives, where they were rehearsed and where not."""
    return [
        f"{each.claim}: {points(each.gain_mirrored)} on criteria that only one arm rehearsed, {points(each.gain_unmirrored)} "
        "on the others"
        for each in analysis.evidence.mirrors
    ]


def _reproducibility(data: ReportData) -> str:
    made = [manifest.get("provenance", {}) for manifest in data.manifests.values()]
    commits = {str(each.get("commit"))[:12] + ("+changes" if "+changes" in str(each.get("commit")) else "") for each in made}
    hosts = {(each.get("platform"), each.get("python")) for each in made}
    return (
        f"{counted(len(data.plan.steps), 'step')} with fingerprints, made by {counted(len(commits), 'state')} of the code "
        f"({listed(sorted(commits))}) on {counted(len(hosts), 'kind')} of machine; "
        f"training seeds {', '.join(map(str, data.analysis.seeds)) or 'none'}"
    )


_AFTER: Mapping[str, Callable[[ReportData], str]] = {
    "baseline completeness": _baselines,
    "fair comparison": _fairness,
    "control variables": _controls,
    "statistical power": _power,
    "evaluation robustness": _robustness,
    "ablation": _ablation,
    "metrics": _metrics,
    "reproducibility": _reproducibility,
}
