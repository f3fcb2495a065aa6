"""The report in its three formats: one offline HTML page, Markdown, and JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from stage1.report import view
from stage1.report.data import ReportData
from stage1.report.figures import curves_figure, forest_figure, rates_figure
from stage1.report.svg import SERIES

_TEMPLATES = Path(__file__).parent / "templates"


def report_view(data: ReportData) -> dict[str, Any]:
    """Everything the report says, as plain values."""
    analysis = data.analysis
    columns, training = view.training_rows(data.runs)
    return {
        "title": data.plan.experiment,
        "description": data.plan.spec.get("description") or "",
        "headline": view.headline(analysis.claims),
        "design": view.design(data),
        "claims": [view.claim_view(claim) for claim in analysis.claims],
        "warnings": list(analysis.warnings),
        "arms": list(analysis.arms),
        "rate_rows": view.rate_rows(analysis),
        "secondary": [view.contrast_view(contrast) for contrast in analysis.contrasts],
        "training_columns": columns,
        "training_rows": training,
        "data": view.data_rows(data.counts),
        "methods": analysis.methods,
        "plan": data.plan.fingerprint,
        "spec": data.plan.spec_fingerprint,
        "steps": [
            {"id": step.id, "fingerprint": step.fingerprint, "seconds": data.manifests[step.id]["provenance"].get("seconds")}
            for step in data.plan.steps
        ],
        "versions": _versions(data.manifests),
    }


def render_json(data: ReportData) -> str:
    """The report as one JSON document: the words above, and the whole analysis with its numbers."""
    document = {**report_view(data), "analysis": data.analysis.model_dump(mode="json")}
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def render_markdown(data: ReportData) -> str:
    """The report as Markdown, without figures and single answers."""
    return _environment(autoescape=False).get_template("report.md.j2").render(view=report_view(data))


def render_html(data: ReportData) -> str:
    """The report as one HTML file that needs no network, no script to be read, and escapes all model text."""
    analysis = data.analysis
    arms = list(analysis.arms)
    secondary = next((contrast.correction for contrast in analysis.contrasts), "none")
    full = report_view(data) | {
        "rates_heading": "What each arm does",
        "rates_note": "A dash: the criterion applies to no item.",
        "rates_figure": rates_figure(view.headline_rates(analysis), arms),
        "forest_figure": forest_figure(view.forest_rows(data), analysis.smallest_effect),
        "secondary_correction": f"correction: {secondary}",
        "curves": [curves_figure(title, bands, arms) for title, bands in view.curve_groups(data.runs)],
        "trained_arms": _trained_arms(data, arms),
        "heldout": view.item_views(data),
        "criteria": [{"key": name, "name": name.replace("_", " ")} for name in data.plan.spec["evaluation"]["criteria"]],
        "answers_note": "Raw text after `Response:`, up to the END marker or the token limit. "
        "Seeds that gave the same answer share a row.",
        "planned": "Claims, endpoints, tests and corrections are part of the plan's fingerprint, fixed before the run.",
        "spec_text": json.dumps(data.plan.spec, indent=1, ensure_ascii=False),
    }
    style = Markup((_TEMPLATES / "style.css").read_text(encoding="utf-8"))
    return _environment(autoescape=True).get_template("report.html.j2").render(view=full, style=style)


def _environment(*, autoescape: bool) -> Environment:
    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=autoescape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _trained_arms(data: ReportData, arms: list[str]) -> list[dict[str, Any]]:
    trained = dict.fromkeys(run.arm for run in data.runs if run.curves)
    return [{"name": arm, "hue": arms.index(arm) % SERIES} for arm in trained]


def _versions(manifests: Mapping[str, Mapping[str, Any]]) -> list[str]:
    lines: dict[str, None] = {}
    for manifest in manifests.values():
        made = manifest["provenance"]
        libraries = ", ".join(f"{name} {version}" for name, version in made.get("versions", {}).items())
        host = f"{made.get('platform')}, Python {made.get('python')}, {made.get('cpus')} CPUs"
        lines[f"{host}, commit {made.get('commit')}: {libraries}"] = None
    return list(lines)
