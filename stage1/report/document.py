"""The whole report as plain values: HTML, Markdown and JSON render this, and nothing else."""

from __future__ import annotations

from typing import Any

from evaluators.criteria.measured import read_first_meetings, read_measured
from stage1.report import verdicts
from stage1.report.answers import answers, scored_criteria
from stage1.report.data import ReportData
from stage1.report.findings import findings_section
from stage1.report.labels import labels_section
from stage1.report.lengths import lengths
from stage1.report.losses import losses
from stage1.report.provenance import methods, provenance
from stage1.report.rates import negatives, rates, refusal_and_format
from stage1.report.review import review
from stage1.report.training import training
from stage1.report.trust import trust
from stage1.report.words import harmless


def report_document(data: ReportData) -> dict[str, Any]:
    """Everything the report says. A section is None where the experiment has nothing of its kind."""
    analysis = data.analysis
    return {
        "title": data.plan.experiment,
        "description": harmless(data.plan.spec.get("description") or ""),
        "headline": verdicts.headline(analysis.claims),
        "design": verdicts.design(data),
        "claims": [verdicts.claim_view(claim) for claim in analysis.claims],
        "warnings": list(analysis.warnings),
        "review": review(data),
        "findings": findings_section(analysis),
        "rates": rates(analysis),
        "forest": verdicts.forest(data),
        "negatives": negatives(data),
        "refusal": refusal_and_format(analysis),
        "lengths": lengths(data),
        "power": verdicts.power(data),
        "training": training(data.runs),
        "answers": answers(data),
        "losses": losses(data),
        "trust": trust(read_measured(), read_first_meetings(), scored_criteria(data)),
        "labels": labels_section(data),
        "methods": methods(data),
        "provenance": provenance(data),
    }
