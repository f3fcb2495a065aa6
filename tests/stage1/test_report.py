"""The report: every format says the same, needs nothing from outside, and shows hostile text harmlessly."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest
from report_samples import HOSTILE, report_data

from compiler import compile_spec
from stage1.report.data import NotRunYet, gather
from stage1.report.render import render_html, render_json, render_markdown
from stage1.report.svg import ticks
from stage1.report.words import harmless, p_value, points
from stage1.store import Store
from stage1.world import DiskWorld

from report_samples import QUICKSTART  # isort: skip


class _Page(HTMLParser):
    """Collects tags, attributes and text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.headings: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href")]
        self.ids |= {value or "" for name, value in attrs if name == "id"}

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def page() -> _Page:
    """The HTML report of the sample, parsed."""
    return _Page(render_html(report_data()))


def test_the_page_stands_alone(page: _Page) -> None:
    """No link, image, style or script is fetched from anywhere; links lead to places on the page itself."""
    assert all(link.startswith("#") for link in page.links)
    assert {link[1:] for link in page.links} <= page.ids
    assert not {"link", "img", "iframe"} & set(page.tags)


def test_model_text_is_shown_and_never_run(page: _Page) -> None:
    """A script in an answer is text on the page; only the page's own script exists."""
    assert page.tags.count("script") == 1
    assert "<script>alert(1)</script>" in page.text
    assert "\x1b" not in page.text
    assert "\u202e" not in page.text


def test_every_format_gives_each_verdict_with_its_sentence(page: _Page) -> None:
    """HTML, Markdown and JSON carry the same verdicts and sentences."""
    data = report_data()
    markdown, document = render_markdown(data), json.loads(render_json(data))

    for claim in data.analysis.claims:
        assert claim.sentence in page.text
        assert claim.sentence in markdown
        assert claim.verdict.upper() in markdown
    assert [claim["verdict"] for claim in document["claims"]] == [claim.verdict for claim in data.analysis.claims]


def test_verdicts_come_before_numbers(page: _Page) -> None:
    """The first heading after the title is the verdicts."""
    headings = re.findall(r"<h2[^>]*>([^<]*)<", render_html(report_data()))

    assert headings[0] == "Verdicts"


def test_every_rate_in_the_table_is_the_analysis_rate(page: _Page) -> None:
    """No number is computed on the way to the page."""
    data = report_data()

    for rate in data.analysis.rates:
        assert rate.rate is not None
        assert f"{rate.rate:.1%}" in page.text


def test_a_plan_that_has_not_been_run_is_named(tmp_path) -> None:
    """Asking for a report too early says what is missing and what to type."""
    plan = compile_spec(str(QUICKSTART), QUICKSTART.read_text(), [], DiskWorld()).plan
    assert plan is not None

    with pytest.raises(NotRunYet, match="stage1 run"):
        gather(plan, Store(tmp_path))


def test_harmless_keeps_what_people_read() -> None:
    """Letters of any script, emoji and line breaks stay; control and direction characters become visible."""
    shown = harmless(HOSTILE)

    assert "مرحبا\n" in shown
    assert "\U0001f600" in shown
    assert "␀␛[31m" in shown
    assert "<U+202E>" in shown


def test_numbers_read_as_people_write_them() -> None:
    """Points carry a real minus sign, tiny p-values a bound, absent values a dash."""
    assert points(-0.1234) == "−12.3 points"
    assert p_value(0.0004) == "< 0.001"
    assert points(None) == p_value(None) == "–"


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-0.37, 0.37), (0.001, 0.0042), (5, 5), (0, 12345)])
def test_ticks_are_few_round_and_inside(low: float, high: float) -> None:
    """An axis gets between one and twelve marks, all within its range."""
    marks = ticks(low, high)

    assert 1 <= len(marks) <= 12
    assert all(low - 1e-9 <= mark <= high + 1e-9 for mark in marks)
