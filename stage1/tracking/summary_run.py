"""The run that sums the experiment up: its verdicts, its rates and the report, first on the experiment's page."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from compiler.plan import Plan
from evaluators.results import Analysis
from stage1.tracking.connection import Connection

CHARTS, ANSWERS = "stage1", "stage1-answers"
"""The keys under which MLflow keeps the views that the printed links open."""


def page_of(base: str, experiment: str, view: str = CHARTS) -> str:
    """The address of a view: the arms as charts, or their answers side by side."""
    mode = {CHARTS: "CHART", ANSWERS: "ARTIFACT"}[view]
    return f"{base.rstrip('/')}/#/experiments/{experiment}/runs?compareRunsMode={mode}&viewStateShareKey={view}"


def log_summary(plan: Plan, analysis: Analysis, page: Path, connection: Connection) -> None:
    """Make or renew the summary run of this plan, and the description of the experiment."""
    client, note = connection.client, summary_text(plan, analysis)
    run_id = _found(plan, connection) or _made(plan, connection)
    for claim in analysis.claims:
        client.set_tag(run_id, f"verdict.{claim.claim}", claim.verdict)
    client.set_tag(run_id, "mlflow.runName", f"summary: {_verdicts(analysis)}")
    client.set_tag(run_id, "mlflow.note.content", note)
    client.log_artifact(run_id, str(page))
    client.log_text(run_id, note, "summary.md")
    client.set_terminated(run_id, "FINISHED")
    client.set_experiment_tag(connection.experiment, "mlflow.note.content", note)


def summary_text(plan: Plan, analysis: Analysis) -> str:
    """Verdicts and primary rates as Markdown; the first line, all that MLflow shows of it folded, has every claim's verdict."""
    lines = [f"{_headline(analysis)} (plan `{plan.fingerprint[:12]}`; unfold for sentences and rates)", ""]
    lines += [f"- **{claim.verdict}**: {_plain(claim.says)}. {_plain(claim.sentence)}" for claim in analysis.claims]
    endpoints = list(dict.fromkeys([*analysis.primary, "preference_accuracy"]))
    rates = {(rate.arm, rate.endpoint): rate.rate for rate in analysis.rates}
    lines += ["", f"| arm | {' | '.join(endpoints)} |", "|---" * (len(endpoints) + 1) + "|"]
    for arm in analysis.arms:
        lines.append(f"| {_plain(arm)} | {' | '.join(_percent(rates.get((arm, endpoint))) for endpoint in endpoints)} |")
    return "\n".join(lines) + "\n"


def set_views(plan: Plan, connection: Connection) -> None:
    """Have the links open this plan's arms in order: by itself MLflow shows the last ten runs only.

    As charts the seeds are folded; tables of answers cannot be.
    """
    by_arm = {"aggregateFunction": "average", "groupByKeys": [{"mode": "param", "groupByData": "arm"}]}
    arms = {
        "searchFilter": f"tags.`stage1.plan` = '{plan.fingerprint}' and params.arm != ''",
        "orderByKey": "attributes.start_time",
        "orderByAsc": True,
        "runsHiddenMode": "SHOWALL",
    }
    for key, view in ((CHARTS, arms | {"groupBy": by_arm}), (ANSWERS, arms)):
        connection.client.set_experiment_tag(connection.experiment, f"mlflow.sharedViewState.{key}", json.dumps(view))


def _verdicts(analysis: Analysis) -> str:
    """`2 supported, 1 confounded`."""
    counts = Counter(claim.verdict for claim in analysis.claims)
    return ", ".join(f"{count} {verdict}" for verdict, count in counts.items()) or "no claims"


def _headline(analysis: Analysis) -> str:
    """`**supported** a, b; **confounded** c`: names in a spec are plain words."""
    names: dict[str, list[str]] = {}
    for claim in analysis.claims:
        names.setdefault(claim.verdict, []).append(claim.claim)
    return "; ".join(f"**{verdict}** {', '.join(claims)}" for verdict, claims in names.items()) or "**no claims**"


def _found(plan: Plan, connection: Connection) -> str | None:
    wanted = f"tags.`stage1.role` = 'summary' and tags.`stage1.plan` = '{plan.fingerprint}'"
    runs: list[Any] = connection.client.search_runs([connection.experiment], wanted, max_results=1)
    return str(runs[0].info.run_id) if runs else None


def _made(plan: Plan, connection: Connection) -> str:
    tags = {"stage1.role": "summary", "stage1.plan": plan.fingerprint, "stage1.spec": plan.spec_fingerprint}
    return str(connection.client.create_run(connection.experiment, run_name="summary", tags=tags).info.run_id)


def _percent(rate: float | None) -> str:
    return "n/a" if rate is None else f"{100 * rate:.1f}%"


def _plain(text: str) -> str:
    """A spec's words, with nothing in them that Markdown or HTML would act on."""
    kept = text.replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|").replace("[", "\\[").replace("]", "\\]")
    return " ".join(kept.split())
