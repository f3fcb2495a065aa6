"""The self-test of the instrument: error rates and power of the whole analysis, written to docs/calibration.md.

    uv run python bench/calibrate.py [--experiments 4000] [--workers 2] [--aa runs/artifacts/FINGERPRINT/analysis.json]

Ends with exit code 1 when a promise is broken: a rate of false findings above the nominal one by more than chance, or a power
that is not the planned one within 3 points and the Monte Carlo error.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from evaluators.calibration import (
    ALPHA,
    Found,
    Setting,
    calibrate,
    family_settings,
    null_settings,
    power_settings,
    predicted,
    table_settings,
)
from evaluators.results import Analysis

ROOT = Path(__file__).parent.parent
RECORD = Path(__file__).with_suffix(".json")
TOLERANCE = 0.03
"""How far power may be from the planned one."""

INTRODUCTION = f"""\
# Calibration: does the instrument keep its promises?

Written by `just calibrate`. Scores are simulated from a known truth and go through the analysis that judges real ones: the same
tests, corrections, sensitivity analyses and verdicts, experiment by experiment. Item difficulty has a standard deviation of 1.5
logits and item x arm of 0.7; there are four trained arms at a rate of 65%, unless said otherwise; the level is {ALPHA:.0%}. A
promise is kept when a rate of false findings exceeds the nominal one by no more than three Monte Carlo standard errors, and
when power is within 3 points (and two standard errors of both simulations) of what `stage1 plan` expects.
"""
FALSE = """
## Where there is nothing to find

`test`: the main test alone, p < .05. `verdict`: the claim came out as supported, which asks the sensitivity analyses, too. At a
margin (equivalence, not worse) the truth lies exactly on it, so that calling it inside is false.

| setting | test | verdict | experiments |
|---|---|---|---|"""
FAMILY = """
## Nine criteria at once, none of them different (Holm)

| setting | any claim supported | first claim, uncorrected test | experiments |
|---|---|---|---|"""
POWER = """
## Where there is something: 10 points on the first criterion (none, for equivalence)

| setting | test alone, uncorrected | verdict | planned | difference |
|---|---|---|---|---|"""


def false_findings(setting: Setting, experiments: int) -> dict[str, Any]:
    """One row: how often nothing was found to be something."""
    found = calibrate(setting, experiments)
    return row(setting, found) | {"kept": found.at_most(found.test) and found.at_most(found.verdict)}


def family_wise(setting: Setting, experiments: int) -> dict[str, Any]:
    """One row: how often any of several claims was supported although none is true."""
    found = calibrate(setting, experiments // 2)
    return row(setting, found) | {"kept": found.at_most(found.family)}


def power(setting: Setting, experiments: int) -> dict[str, Any]:
    """One row: how often a true difference was found, and how often the planner expected it to be."""
    found = calibrate(setting, experiments // 2 if setting.endpoints > 1 else experiments)
    expected = predicted(setting, 4 * experiments)
    error = math.hypot(found.error(found.verdict), expected.error)
    kept = abs(found.verdict - expected.power) <= TOLERANCE + 2 * error
    return row(setting, found) | {"predicted": expected.power, "error": error, "kept": kept}


def row(setting: Setting, found: Found) -> dict[str, Any]:
    """What was counted."""
    shares = {"test": found.test, "verdict": found.verdict, "family": found.family}
    return {"setting": setting.name, **shares, "error": found.error(found.verdict), "experiments": found.experiments}


def measured(experiments: int, workers: int) -> dict[str, Any]:
    """All tables."""
    started = time.monotonic()
    with ProcessPoolExecutor(workers) as pool:
        asked = {
            "family": [pool.submit(family_wise, setting, experiments) for setting in family_settings()],
            "power": [pool.submit(power, setting, experiments) for setting in power_settings()],
            "false": [pool.submit(false_findings, setting, experiments) for setting in (*table_settings(), *null_settings())],
        }
        tables: dict[str, Any] = {name: [each.result() for each in rows] for name, rows in asked.items()}
    return tables | {"seconds": round(time.monotonic() - started), "workers": workers}


def a_a(path: Path) -> dict[str, Any]:
    """What a real A/A comparison came to: its claims, and every contrast of its two arms."""
    analysis = Analysis.model_validate_json(path.read_text(encoding="utf-8"))
    claims = [{"claim": c.claim, "verdict": c.verdict, "sentence": c.sentence} for c in analysis.claims]
    differences = [c for claim in analysis.claims if claim.expect == "different" for c in claim.contrasts]
    contrasts = [*differences, *analysis.contrasts]
    arms = set(analysis.claims[0].compare)
    rows = [c.model_dump() for c in contrasts if {c.first, c.second} == arms]
    return {
        "seeds": len(analysis.seeds),
        "items": analysis.n_items,
        "claims": claims,
        "contrasts": rows,
        "seed_sd": analysis.seed_sd,
    }


def document(record: dict[str, Any]) -> str:
    """The record as a page for people."""
    broken = [each["setting"] for name in ("false", "family", "power") for each in record[name] if not each["kept"]]
    state = "All promises are kept." if not broken else f"Broken: {'; '.join(broken)}."
    lines = [
        INTRODUCTION,
        f"**{state}** {record['seconds']} s with {record['workers']} workers.",
        FALSE,
        *(f"| {r['setting']} | {share(r['test'])} | {share(r['verdict'])} | {r['experiments']:,} |" for r in record["false"]),
        FAMILY,
        *(f"| {r['setting']} | {share(r['family'])} | {share(r['test'])} | {r['experiments']:,} |" for r in record["family"]),
        POWER,
        *(power_line(r) for r in record["power"]),
    ]
    return "\n".join([*lines, *(aa_lines(record["aa"]) if record.get("aa") else [])]) + "\n"


def power_line(r: dict[str, Any]) -> str:
    """One line of the table of power."""
    difference = f"{100 * (r['verdict'] - r['predicted']):+.1f} ± {100 * r['error']:.1f} points"
    return f"| {r['setting']} | {share(r['test'])} | {share(r['verdict'])} | {share(r['predicted'])} | {difference} |"


def share(value: float) -> str:
    """A share as statisticians write it: `.049`."""
    return f"{value:.3f}".removeprefix("0")


def aa_lines(aa: dict[str, Any]) -> list[str]:
    """The section on the real A/A comparison."""
    measured = any(c["endpoint"].startswith("preference_accuracy") for c in aa["contrasts"])
    left_out = "" if measured else " Judged on the answers alone: preference accuracy was not measured in this run."
    least = min(c["p"] for c in aa["contrasts"] if c["p"] is not None)
    return [
        "",
        "## A real A/A comparison",
        "",
        f"`specs/aa.yaml`: the same recipe trained twice on the embedded base model with {aa['seeds']} seeds each, the two "
        f"arms differing in their seeds alone, {aa['items']} held-out items.{left_out}",
        "",
        *(f"- `{c['claim']}`: **{c['verdict']}**. {c['sentence']}" for c in aa["claims"]),
        "",
        f"Over {len(aa['contrasts'])} endpoints the smallest p-value before any correction is {least:.3f}.",
        "",
        "| endpoint | difference (points) | 95% interval | p | seed sd (points) |",
        "|---|---|---|---|---|",
        *(aa_line(c, aa["seed_sd"].get(c["endpoint"])) for c in aa["contrasts"]),
    ]


def aa_line(c: dict[str, Any], seed_sd: float | None) -> str:
    """One endpoint of the A/A comparison."""
    interval = "" if c["low"] is None else f"{100 * c['low']:+.1f} to {100 * c['high']:+.1f}"
    p = c["note"] if c["p"] is None else f"{c['p']:.3f}"
    spread = "" if seed_sd is None else f"{100 * seed_sd:.1f}"
    return f"| {c['endpoint']} | {100 * (c['effect'] or 0):+.1f} | {interval} | {p} | {spread} |"


def main() -> int:
    """Measure, record, write; 1 where a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--experiments", type=int, default=4000, help="per setting")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--aa", type=Path, help="the analysis.json of a finished run of specs/aa.yaml, to be told as well")
    parser.add_argument("--only-aa", action="store_true", help="keep the simulated figures of the last time")
    given = parser.parse_args()
    last = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
    record = last if given.only_aa else measured(given.experiments, given.workers) | {"aa": last.get("aa")}
    if given.aa:
        record["aa"] = a_a(given.aa)
    RECORD.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    page = document(record)
    (ROOT / "docs" / "calibration.md").write_text(page, encoding="utf-8")
    return 0 if "Broken:" not in page else 1


if __name__ == "__main__":
    raise SystemExit(main())
