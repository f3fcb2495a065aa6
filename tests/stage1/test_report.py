"""The report: every format says the same, needs nothing from outside, and shows hostile text harmlessly."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re
from collections import Counter
from html.parser import HTMLParser

import pytest
from report_samples import HOSTILE, report_data

from compiler import compile_spec
from evaluators.analysis.samples import CRITERIA
from evaluators.labels import answer_key, compare
from evaluators.results import Check, Evidence, Finding
from stage1.report.data import NotRunYet, gather
from stage1.report.labels import labelling_sheet, scored_answers
from stage1.report.provenance import _training_methods
from stage1.report.render import render_html, render_json, render_markdown
from stage1.report.svg import ticks
from stage1.report.verdicts import design
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


SECTIONS = ("verdicts", "review", "rates", "forest", "negatives", "refusal", "lengths", "power", "training", "answers", "losses",
            "trust", "methods", "provenance")  # fmt: skip


def test_every_section_is_there_and_its_heading_is_the_same_in_every_format(page: _Page) -> None:
    """What is on the page is in the Markdown and in the JSON, too."""
    data = report_data()
    markdown, document = render_markdown(data), json.loads(render_json(data))

    assert set(SECTIONS) <= page.ids
    for name in SECTIONS[1:]:
        heading = document[name]["heading"]
        assert heading in page.text
        assert f"## {heading}" in markdown


def test_the_eight_questions_are_answered_before_and_after() -> None:
    """Each by name, from the design and by the results; with a go or no-go and what stands against a go."""
    review = json.loads(render_json(report_data()))["review"]

    assert [each["question"] for each in review["questions"]] == [
        "baseline completeness", "fair comparison", "control variables", "statistical power", "evaluation robustness",
        "ablation", "metrics", "reproducibility",
    ]  # fmt: skip
    assert all(each["before"] and each["after"] and each["verdict"] for each in review["questions"])
    assert {each["level"] for each in review["planned"]} == {"trial run", "publication"}
    assert review["decision"]["go"] is False
    assert any("confounded" in reason for reason in review["decision"]["against"])


def test_what_a_check_measured_stands_beside_the_plans_estimate_of_it() -> None:
    """Against publication, after the run: an estimate is called the plan's, and what the check of its code measured follows."""
    data = report_data()
    checks = (
        Check(
            code="M004", subject="exposure", done=True, note="items of the pairs that were demonstrated before: sft_dpo 0.0%"
        ),
        Check(code="M006", subject="off-policy gap", done=False, note="the references were not recorded"),
    )
    measured = data.analysis.model_copy(update={"evidence": Evidence(checks=checks)})

    against = json.loads(render_json(dataclasses.replace(data, analysis=measured)))["review"]["decision"]["against"]

    told = {line[:4]: line for line in against if " in the plan: " in line}
    assert told["M004"].startswith("M004 in the plan: sft_dpo sees good answers to the same instructions in 2 stages")
    assert told["M004"].endswith(". Measured: items of the pairs that were demonstrated before: sft_dpo 0.0%")
    assert "Measured" not in told["M006"] + told["M011"]
    assert not [line for line in against if re.match(r"M\d{3}: ", line)]


def test_an_experiment_that_nothing_stands_against_is_a_go() -> None:
    """Planned for publication, no finding against the design, every claim decided."""
    data = report_data()
    assert data.review is not None
    decisions = tuple(dataclasses.replace(each, go=True, conditions=()) for each in data.review.decisions)
    claims = tuple(claim for claim in data.analysis.claims if claim.verdict in ("supported", "contradicted"))
    clean = dataclasses.replace(
        data,
        review=dataclasses.replace(data.review, decisions=decisions),
        analysis=data.analysis.model_copy(update={"claims": claims, "level": "publication"}),
    )

    decision = json.loads(render_json(clean))["review"]["decision"]

    assert decision == {"go": True, "against": [], "note": ""}


def test_findings_on_data_are_told_with_claims_numbers_and_the_verdicts_they_change() -> None:
    """Whatever the check: code, sentence, numbers, claims, changed verdict."""
    data = report_data()
    found = Finding(
        code="M016", subject="leakage", weight="blocks", claims=("dpo_aligns",), message="7 items leak", numbers={"leaked": 7},
        changes={"dpo_aligns": "confounded"},
    )  # fmt: skip
    evidence = Evidence(checks=(Check(code="M016", subject="leakage", done=True, found=1),), findings=(found,))
    told = dataclasses.replace(data, analysis=data.analysis.model_copy(update={"evidence": evidence}))

    text = " ".join(_Page(render_html(told)).text.split())

    assert "1 check of data and results: 1 finding, 1 changed a verdict" in text
    assert re.search(
        r"M016 leakage blocks ?7 items leak\. Changed a verdict: dpo_aligns: confounded\. ?About dpo_aligns\.", text
    )
    assert "leaked 7" in text
    assert "M016 changed a verdict: 7 items leak." in text


def test_trust_in_the_scorer_is_told_per_criterion(page: _Page) -> None:
    """Every criterion of the run with its agreement on labels; the scorer is named by its fingerprint."""
    trust = json.loads(render_json(report_data()))["trust"]

    assert [row["name"] for row in trust["rows"]] == [name.replace("_", " ") for name in CRITERIA]
    assert trust["scorer"] in page.text


def test_long_answers_are_whole_in_json_and_the_page_stays_small() -> None:
    """However long the answers, the page stays under 5 MB; what is cut says so."""
    data = report_data()
    long = [
        dataclasses.replace(
            run, answers={key: a.model_copy(update={"response": "y" * 100_000}) for key, a in run.answers.items()}
        )
        for run in data.runs
    ]
    big = dataclasses.replace(data, runs=tuple(long))

    page, document = render_html(big), json.loads(render_json(big))

    assert len(page.encode()) < 5_000_000
    assert "more characters]" in page
    assert len(document["answers"]["items"][0]["answers"][0]["text"]) == 100_000


def test_an_answer_stands_once_under_all_that_gave_it() -> None:
    """Arms and seeds with the same answer and judgement share an entry; seeds are named where only some of an arm gave it."""
    data = report_data()
    item = data.items[0].id
    odd = next(run for run in data.runs if run.arm == "sft" and run.seed == 2)
    other = dataclasses.replace(odd, answers={**odd.answers, item: odd.answers[item].model_copy(update={"response": "odd"})})
    runs = tuple(other if run is odd else run for run in data.runs)

    told = json.loads(render_json(dataclasses.replace(data, runs=runs)))["answers"]["items"][0]["answers"]

    assert [each["told"] for each in told] == ["base", "sft (seeds 1, 3); sft_dpo; dpo_only", "sft (seed 2)"]
    given = [(arm, seed) for each in told for arm, seeds in each["by"].items() for seed in seeds or [None]]
    assert Counter(given) == Counter((run.arm, run.seed) for run in data.runs)


def test_markdown_holds_no_markup_of_answers() -> None:
    """Answers stand in indented blocks, where neither HTML nor Markdown means anything."""
    markdown = render_markdown(report_data())

    assert "<script>" in markdown
    assert all(line.startswith("    ") for line in markdown.split("\n") if "<script>" in line)
    assert "Question 3 \\<b>?" in markdown


def test_bibtex_cites_what_was_used_and_escapes_names() -> None:
    """The experiment's own entry, and those of the corrections and objectives of this spec."""
    bibtex = json.loads(render_json(report_data()))["methods"]["bibtex"]

    assert bibtex.startswith("@misc{stage1-")
    assert "two\\_stage\\_beats\\_dpo\\_only" in bibtex
    for key in ("wilson1927", "cohen1960", "holm1979", "benjamini1995", "rafailov2023", "hu2022"):
        assert f"{{{key}," in bibtex


def test_the_labelling_sheet_does_not_tell_the_arm() -> None:
    """Every different answer once, by a key; a cell that a spreadsheet would take for a formula is made harmless."""
    data = report_data()
    rows = list(csv.DictReader(io.StringIO(labelling_sheet(data))))

    assert len(rows) == len(data.items)
    assert not {"arm", "seed"} & rows[0].keys()
    assert all(row["answer"] == answer_key(row["item_id"], HOSTILE) for row in rows)


def test_labels_of_a_person_are_compared_and_disputes_shown() -> None:
    """Filled in, the sheet gives agreement per criterion, and every dispute with the answer it is about."""
    data = report_data()
    rows = list(csv.DictReader(io.StringIO(labelling_sheet(data))))
    lines = ["item_id,answer,coherent,on_topic"]
    scored = {(each.item_id, each.response): each for each in scored_answers(data)}
    for row in rows[:6]:
        judged = scored[row["item_id"], HOSTILE].criteria["coherent"]
        lines.append(f"{row['item_id']},{row['answer']},{str(judged).lower()},{str(not judged).lower()}")
    compared = compare(lines, "labels.csv", scored_answers(data))

    section = json.loads(render_json(dataclasses.replace(data, labels=tuple(compared))))["labels"]

    assert section["heading"] == "A person and the scorer agree on 6 of 12 labels of this run's answers"
    assert {dispute["criterion"] for dispute in section["disputes"]} == {"on topic"}
    assert len(section["disputes"]) == 6


def test_what_was_made_elsewhere_is_not_told_as_made_here(tmp_path, monkeypatch) -> None:
    """With answers from files alone no base model, decoding or training is described; the files are named."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.jsonl").write_text('{"id": "x", "response": "y"}\n')
    monkeypatch.setattr(DiskWorld, "held_out", lambda *_: None)
    text = "experiment: e\narms: {mine: {responses: a.jsonl}, theirs: {responses: a.jsonl}}\n"
    plan = compile_spec("e.yaml", text, [], DiskWorld()).plan
    assert plan is not None
    analysis = report_data().analysis.model_copy(update={"arms": ("mine", "theirs"), "seeds": ()})
    data = dataclasses.replace(report_data(), plan=plan, analysis=analysis, runs=(), manifests={})

    assert design(data).startswith("2 arms whose answers were made elsewhere; training seeds none")
    told = _training_methods(data)
    assert "The answers of mine were made elsewhere and read from a.jsonl." in told
    for never in ("base model", "seeds", "answered greedily"):
        assert never not in told
