"""The eight questions of a method review, each answered from the design and its findings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from compiler.assessment import mirrors
from compiler.assessment.power_table import PowerRow, PowerTable
from compiler.assessment.records import Answer, Verdict
from compiler.checks.method import Design, Finding
from compiler.diagnostics import counted

_BASELINE, _FAIR, _CONTROLS = ("M001", "M012", "M017"), ("M003", "M004", "M006", "M007", "M018"), ("M002", "M101", "M019")
_POWER, _ROBUST = ("M011", "M013"), ("M010", "M013", "M015", "M016", "M022")
_ABLATION, _METRICS = ("M001", "M003", "M004", "M005", "M006"), ("M008", "M009", "M014", "M023", "M024")


def answers(design: Design, findings: Sequence[Finding], power: PowerTable) -> tuple[Answer, ...]:
    """All eight, in their order."""
    spec, weakest = design.spec, power.weakest
    items, temperature = spec.data.instructions, spec.evaluation.decode.temperature
    untrained = [name for name, arm in design.arms.items() if not design.is_trained(arm)]
    size = (
        f"{counted(items.train, 'example')}, {counted(spec.data.preferences.pairs, 'pair')}, {counted(len(spec.seeds), 'seed')}"
    )
    expected = _expected(weakest) if weakest else "not estimated"
    room = f"detectable from {weakest.detectable * 100:g} points" if weakest and weakest.detectable else "nothing detectable"
    decoded = f"sampled at temperature {temperature:g}" if temperature else "answered greedily"
    only, named = len(design.comparisons), counted(len(spec.claims), "claim")
    return (
        _answer(
            "baseline completeness", _BASELINE, findings, f"{len(untrained)} untrained of {counted(len(design.arms), 'arm')}"
        ),
        _fair(design, findings),
        _answer(
            "control variables", _CONTROLS, findings, f"{only} of {named} differ in what is claimed alone; same items, metrics"
        ),
        _answer("statistical power", _POWER, findings, f"{size}: {expected}"),
        _answer("evaluation robustness", _ROBUST, findings, f"{items.heldout} held-out items, {decoded}; {room}"),
        _answer("ablation", _ABLATION, findings, f"compute, exposure, contrast, policy {_alike(design, findings, _ABLATION)}"),
        _metrics(design, findings),
        _reproducible(design),
    )


def _expected(row: PowerRow) -> str:
    effect = f"{row.effect * 100:g} points"
    return f"no room for {effect}" if row.room is not None else f"power {row.power:.0%} at {effect}"


def _answer(name: str, codes: tuple[str, ...], findings: Sequence[Finding], evidence: str) -> Answer:
    found = [finding for finding in findings if finding.code in codes]
    blocked = any(finding.weight == "blocks" for finding in found)
    verdict: Verdict = "missing" if blocked else "weak" if any(f.weight == "weakens" for f in found) else "ok"
    return Answer(name, verdict, evidence, tuple(dict.fromkeys(finding.code for finding in found)))


def _alike(design: Design, findings: Sequence[Finding], codes: tuple[str, ...]) -> str:
    """For how many claims nothing of a kind was found."""
    spoilt = {claim for finding in findings if finding.code in codes for claim in finding.claims}
    alike = sum(comparison.name not in spoilt for comparison in design.comparisons)
    return f"controlled in {alike} of {counted(len(design.spec.claims), 'claim')}"


def _fair(design: Design, findings: Sequence[Finding]) -> Answer:
    """Weak, at best, where answers were made elsewhere: nothing is known of how."""
    told = f"training, exposure, pairs and reference {_alike(design, findings, _FAIR)}"
    outside = [name for name, arm in design.arms.items() if arm.responses is not None]
    if not outside:
        return _answer("fair comparison", _FAIR, findings, told)
    unknown = f"{told}; how the answers of {', '.join(outside)} were made is not known here"
    answer = _answer("fair comparison", _FAIR, findings, unknown)
    return replace(answer, verdict="weak") if answer.verdict == "ok" else answer


def _metrics(design: Design, findings: Sequence[Finding]) -> Answer:
    """Weak, at best, where a claim rests on what only one of its arms rehearsed."""
    resting_on = tuple(mirrors.resting(design))
    answer = _answer("metrics", _METRICS, findings, mirrors.told(design, resting_on))
    return replace(answer, verdict="weak") if resting_on and answer.verdict == "ok" else answer


def _reproducible(design: Design) -> Answer:
    model, evidence = design.spec.model, f"seeds {', '.join(map(str, design.spec.seeds))}; every step fingerprinted"
    pinned = model.revision is not None or "/" not in model.base
    told = "model pinned or hashed" if pinned else f"{model.base} is not pinned to a commit"
    return Answer("reproducibility", "ok" if pinned else "weak", f"{evidence}; {told}", () if pinned else ("M018",))
