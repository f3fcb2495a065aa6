"""The report in its three formats: one offline HTML page, Markdown, and JSON."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from stage1.report import svg
from stage1.report.data import ReportData
from stage1.report.document import report_document
from stage1.report.figures import curves_figure, refusal_figure
from stage1.report.words import endpoint_name, percent, shortened

_TEMPLATES = Path(__file__).parent / "templates"
_MOST_ANSWERS = 3_800_000
"""Bytes of answers on a page of at most 5 MB; longer ones are shortened until all fit, and stand whole in the JSON report."""
_AROUND = 160
"""Bytes around an answer: who gave it, what it fails."""
_CAPS = (20_000, 4_000, 1_500, 600, 250, 80)
_MARKDOWN_CAP = 300
_MEANS_SOMETHING = re.compile(r"[\\`*]|<(?=[A-Za-z/!?])|\](?=[(\[:])|^[#>+-](?=\s)|!(?=\[)")


def render_json(data: ReportData) -> str:
    """The report as one JSON document: the words of the page, and the whole analysis with its numbers."""
    document = {**report_document(data), "analysis": data.analysis.model_dump(mode="json")}
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def render_markdown(data: ReportData) -> str:
    """The report as Markdown, without drawings; long answers are shortened."""
    environment = _environment(autoescape=False)
    environment.filters |= {"cell": _cell, "inline": _inline, "fenced": _fenced}
    document = report_document(data)
    shortens = any(len(text) > _MARKDOWN_CAP for text in _answers(document))
    return environment.get_template("report.md.j2").render(view=document, cap=_MARKDOWN_CAP, shortens=shortens)


def render_html(data: ReportData) -> str:
    """The report as one HTML file that needs no network, no script to be read, and escapes all model text."""
    document, arms = report_document(data), list(data.analysis.arms)
    environment = _environment(autoescape=True)
    environment.globals |= {"strip": svg.strip, "series": svg.series, "arm_list": arms}
    training, refusal, cap = document["training"], document["refusal"], _cap(document)
    return environment.get_template("report.html.j2").render(
        view=document,
        curves=[curves_figure(each["title"], each["bands"], arms) for each in training["curves"]] if training else [],
        refusal_figure=refusal_figure(refusal["rows"], arms) if refusal else "",
        rate_groups=_rate_groups(document, data),
        reach=_reach(document),
        most=max([document["power"]["smallest_effect"] * 1.5, *(row["at"] or 0 for row in document["power"]["rows"])]),
        cap=cap,
        shortens=any(len(text) > cap for text in _answers(document)),
        style=_resource("style.css"),
        script=_resource("filters.js"),
        settings=json.dumps(data.plan.spec, indent=1, ensure_ascii=False),
    )


def _resource(name: str) -> Markup:
    return Markup((_TEMPLATES / name).read_text(encoding="utf-8"))


def _rate_groups(document: dict[str, Any], data: ReportData) -> list[dict[str, Any]]:
    """The rows worth a picture: primary endpoints, the marker, preference accuracy."""
    shown = {endpoint_name(name) for name in (*data.analysis.primary, "ends_with_end", "preference_accuracy")}
    return [row for row in document["rates"]["rows"] if row["name"] in shown]


def _reach(document: dict[str, Any]) -> dict[str, float]:
    """How far plots of differences reach to either side of zero."""

    def furthest(rows: list[dict[str, Any]]) -> float:
        values: list[float] = [abs(value) for row in rows for value in row["at"] or () if value is not None]
        widest: float = max([document["forest"]["smallest_effect"] * 1.5, *values])
        return widest

    return {name: furthest(document[name]["rows"]) for name in ("forest", "negatives")}


def _cap(document: dict[str, Any]) -> int:
    """The longest that an answer may be for the page to stay of a size that mail and phones take."""
    texts = _answers(document)
    return next((cap for cap in _CAPS if sum(_bytes(text[:cap]) + _AROUND for text in texts) <= _MOST_ANSWERS), _CAPS[-1])


def _answers(document: dict[str, Any]) -> list[str]:
    return [answer["text"] for item in document["answers"]["items"] for answer in item["answers"]]


def _bytes(text: str) -> int:
    """As the page stores it."""
    return len(escape(text).encode())


def _cell(text: object) -> str:
    """Text for a cell of a Markdown table."""
    return _inline(text).replace("|", "\\|")


def _inline(text: object) -> str:
    """Text in which Markdown and HTML mean nothing, on one line."""
    return _MEANS_SOMETHING.sub(r"\\\g<0>", " ".join(str(text).split()))


def _fenced(text: str) -> str:
    """Text as an indented block, in which nothing means anything."""
    return "\n".join(f"    {line}" for line in text.split("\n"))


def _environment(*, autoescape: bool) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=autoescape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"shortened": shortened, "percent": percent}
    return environment
