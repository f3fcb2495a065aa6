"""The report in a real browser: laid out, filtered, printed, free of console errors. Skipped where there is no Chromium."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from report_samples import report_data

from stage1.report.render import render_html

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome", "chrome") if (found := shutil.which(name))), None
)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")

PROBE = """
<script>
window.failures = [];
addEventListener('error', event => failures.push(event.message));
addEventListener('securitypolicyviolation', event => failures.push('policy: ' + event.violatedDirective));
addEventListener('load', () => {
  const choose = (id, value) => {
    const control = document.getElementById(id);
    control.value = value;
    control.dispatchEvent(new Event(id === 'words' ? 'input' : 'change'));
    return document.querySelectorAll('#items > details:not([hidden])').length;
  };
  const seen = {
    all: choose('which', ''),
    disagree: choose('which', 'disagree'),
    on_one: choose('criterion', 'on_topic'),
    none: choose('words', 'no such words'),
    found: choose('words', 'QUESTION 11'),
    back: (choose('words', ''), choose('criterion', ''), choose('which', '')),
    wide: document.documentElement.scrollWidth > innerWidth,
    filters: !document.querySelector('.filters').hidden,
    alerts: window.alerted || 0,
    unlabelled: [...document.querySelectorAll('select, input')].filter(each => !each.labels.length).length,
    focusable: [...document.querySelectorAll('.scroll, pre.long')].every(each => each.tabIndex === 0),
    failures,
  };
  const out = document.createElement('output');
  out.id = 'seen';
  out.textContent = JSON.stringify(seen);
  document.body.append(out);
});
window.alert = () => { window.alerted = (window.alerted || 0) + 1; };
</script>
"""


def _browse(page: Path, *options: str) -> str:
    command = [
        str(CHROMIUM), "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={page.parent / 'profile'}",
        "--virtual-time-budget=5000", *options, page.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample report, whose every answer tries to break the page, with a probe in front of it."""
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render_html(report_data()).replace("<style>", PROBE + "<style>", 1), encoding="utf-8")
    return path


@pytest.mark.parametrize("window", ["1280,900", "390,844"])
def test_the_page_works_on_desktop_and_phone(page: Path, window: str) -> None:
    """Filters narrow and restore the items, nothing overflows sideways, no script of an answer runs, nothing fails."""
    dom = _browse(page, f"--window-size={window}", "--dump-dom")
    found = re.search(r'<output id="seen">(.*?)</output>', dom, re.DOTALL)
    assert found is not None, "the page's script did not finish"
    seen = json.loads(found[1].replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">"))

    assert seen["all"] == seen["back"] == 12
    assert seen["disagree"] == seen["on_one"] == 12
    assert seen["none"] == 0
    assert seen["found"] == 1
    assert not seen["wide"]
    assert seen["filters"]
    assert seen["focusable"]
    assert seen["unlabelled"] == seen["alerts"] == 0
    assert seen["failures"] == []


def test_the_page_prints(page: Path) -> None:
    """Print to PDF gives a document with pages."""
    out = page.parent / "report.pdf"
    _browse(page, f"--print-to-pdf={out}", "--no-pdf-header-footer")

    assert out.read_bytes().startswith(b"%PDF")
    assert len(re.findall(rb"/Type ?/Page\b", out.read_bytes())) >= 3
