"""Claims, contrasts and findings as plain words: every format renders this and computes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from evaluators.results import ClaimResult, Contrast
from stage1.report.data import ReportData, brought_in
from stage1.report.words import counted, endpoint_name, p_value, points, points_interval

_VERDICTS = ("supported", "contradicted", "inconclusive", "confounded", "not testable")


def headline(claims: Sequence[ClaimResult]) -> str:
    """The finding in one line, such as `4 claims: 2 supported, 2 inconclusive`."""
    if not claims:
        return "No claim was made"
    counts: Counter[str] = Counter(claim.verdict for claim in claims)
    told = ", ".join(f"{counts[verdict]} {verdict}" for verdict in _VERDICTS if counts[verdict])
    return f"{counted(len(claims), 'claim')}: {told}"


def design(data: ReportData) -> str:
    """The size of the experiment in one line."""
    analysis, model = data.analysis, data.plan.spec.get("model", {})
    seeds = ", ".join(str(seed) for seed in analysis.seeds)
    families = f" of {analysis.n_families} template families" if analysis.n_families else ""
    outside = len(brought_in(data.plan))
    made = [f"{counted(len(analysis.arms) - outside, 'arm')} on {model.get('base', 'a base model')}"]
    made = (made if outside < len(analysis.arms) else []) + (
        [f"{counted(outside, 'arm')} whose answers were made elsewhere"] if outside else []
    )
    return (
        f"{' and '.join(made)}; training seeds {seeds or 'none'}; "
        f"{analysis.n_items} held-out items{families}; level {analysis.level}"
    )


def claim_view(claim: ClaimResult) -> dict[str, Any]:
    """One claim, its verdict first."""
    label = f"{'Planned' if claim.planned else 'Exploratory'} {claim.kind} claim, expecting {claim.expect.replace('_', ' ')}"
    return {
        "name": claim.claim,
        "verdict": claim.verdict,
        "says": claim.says,
        "sentence": claim.sentence,
        "label": f"{label}: {' against '.join(claim.compare)}." if claim.compare else f"{label}.",
        "reasons": list(claim.reasons),
        "rows": [contrast_view(contrast) for contrast in claim.contrasts],
    }


def contrast_view(contrast: Contrast) -> dict[str, Any]:
    """One contrast as a table row, with the numbers that a picture of it needs."""
    checks = "; ".join(
        f"{other.name}: {'agrees' if other.agrees else 'disagrees'} (adjusted p {p_value(other.p_adjusted)})"
        for other in contrast.sensitivity
    )
    return {
        "arms": f"{contrast.first} − {contrast.second}",
        "endpoint": endpoint_name(contrast.endpoint),
        "effect": points(contrast.effect),
        "interval": points_interval(contrast.low, contrast.high),
        "p": p_value(contrast.p),
        "adjusted": p_value(contrast.p_adjusted),
        "detectable": points(contrast.detectable).lstrip("+"),
        "test": contrast.test + (f" ({contrast.note})" if contrast.note else ""),
        "sensitivity": checks,
        "at": [contrast.low, contrast.effect, contrast.high],
        "sure": contrast.low is not None and contrast.high is not None and (contrast.low > 0 or contrast.high < 0),
    }


def forest(data: ReportData) -> dict[str, Any]:
    """The claims' contrasts, then each arm against its parent on the primary endpoints and preference accuracy."""
    rows = [contrast_view(contrast) for contrast in _shown(data) if contrast.effect is not None]
    sure = sum(row["sure"] for row in rows)
    return {
        "heading": f"{sure} of {counted(len(rows), 'difference')} shown have a 95% interval that leaves out zero"
        if rows
        else "No difference could be computed",
        "note": "First the contrasts that claims test, then each arm against what it started from, on the primary endpoints "
        "and preference accuracy. Dashed: the smallest difference of interest. The intervals are not corrected for their "
        "number; the verdicts and the adjusted p-values are.",
        "smallest_effect": data.analysis.smallest_effect,
        "rows": rows,
        "others": [contrast_view(contrast) for contrast in data.analysis.contrasts],
        "others_correction": next((contrast.correction for contrast in data.analysis.contrasts), "none"),
    }


def _shown(data: ReportData) -> list[Contrast]:
    claimed = [contrast for claim in data.analysis.claims for contrast in claim.contrasts]
    distinct = {(c.first, c.second, c.endpoint): c for c in claimed}
    seen = {(frozenset((c.first, c.second)), c.endpoint) for c in claimed}
    parents = {frozenset(pair) for pair in parent_of(data).items()}
    wanted = {*data.analysis.primary, "preference_accuracy"}
    others = [
        contrast
        for contrast in data.analysis.contrasts
        if frozenset((contrast.first, contrast.second)) in parents
        and contrast.endpoint in wanted
        and (frozenset((contrast.first, contrast.second)), contrast.endpoint) not in seen
    ]
    return [*distinct.values(), *others]


def parent_of(data: ReportData) -> dict[str, str]:
    """Arm -> the arm it starts from."""
    arms = data.plan.spec.get("arms", {})
    return {arm: body["from"] for arm, body in arms.items() if isinstance(body, dict) and body.get("from")}


def power(data: ReportData) -> dict[str, Any]:
    """What each claim's test could have found, beside what was of interest."""
    wanted = data.analysis.smallest_effect
    tests = [contrast for claim in data.analysis.claims for contrast in claim.contrasts]
    known = [contrast for contrast in tests if contrast.detectable is not None]
    able = sum(contrast.detectable <= wanted for contrast in known if contrast.detectable is not None)
    rows = [_power_row(claim, contrast) for claim in data.analysis.claims for contrast in claim.contrasts]
    told = f"{able} of {counted(len(known), 'test')} of claims could find a difference of {points(wanted).lstrip('+')}"
    return {
        "heading": told if known else "Nothing can be said about the power of the claims' tests",
        "note": f"Smallest true difference that is found with a probability of {data.analysis.power:.0%} at the level that the "
        "correction leaves to each test; found by simulating the test on these very items and seeds.",
        "smallest_effect": wanted,
        "rows": rows,
    }


def _power_row(claim: ClaimResult, contrast: Contrast) -> dict[str, Any]:
    half = None if contrast.low is None or contrast.high is None else (contrast.high - contrast.low) / 2
    return {
        "claim": claim.says,
        "endpoint": endpoint_name(contrast.endpoint),
        "detectable": points(contrast.detectable).lstrip("+"),
        "half_width": points(half).replace("+", "±"),
        "seed_sd": points(contrast.seed_sd).lstrip("+"),
        "sample": f"{contrast.n_items} items" + (f" in {contrast.n_families} families" if contrast.n_families else ""),
        "seeds": contrast.n_seeds,
        "at": contrast.detectable,
    }
