"""How diagnostics look: the same object as text, as one line, and as JSON."""

from __future__ import annotations

import json
import re
import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st

from compiler.diagnostics import Diagnostic, Place, Span, did_you_mean, error, printable, quoted, warning
from compiler.render import render_lines, render_text, to_json

SPEC = """\
# One
# two
# three
experiment: demo
data:
  preferences:
    chosen: {from: sft}
recipes:
  sft: {objective: sft}
  dpo:
    objective: dpo
    epochs: 1
    # a comment
    betaa: 0.1
arms:
  sft: {train: sft}
  sft_dpo: {from: sft, train: dpo}
"""


def test_the_layout(compiled):
    """The first line can be searched for, then place, line, caret and label, help, where to read more, and a count."""
    found = compiled(SPEC)

    assert render_text(found.diagnostics, color=False) == (
        "error[S104]: unknown key `betaa` in recipe `dpo`\n"
        "  --> spec.yaml:14:5\n"
        "   |\n"
        "14 |     betaa: 0.1\n"
        "   |     ^^^^^ not a field of a dpo recipe\n"
        "   = help: did you mean `beta`?\n"
        "   = see: stage1 explain S104\n"
        "1 error, 0 warnings; nothing was run"
    )


def test_a_flag_has_its_place_in_the_flag(compiled):
    """The caret of a wrong override stands under the key in the flag as it was typed."""
    found = compiled(SPEC.replace("betaa", "beta"), "seeds=[1]", "recipes.dpo.betaa=0.1")

    assert (
        "error[S104]: unknown key `betaa` in recipe `dpo`\n"
        " --> --set[2]:1:13\n"
        "  |\n"
        "1 | recipes.dpo.betaa=0.1\n"
        "  |             ^^^^^ not a field of a dpo recipe\n"
    ) in render_text(found.diagnostics, color=False)


def test_notes_come_before_help(compiled):
    """Notes tell the other place that a finding is about."""
    text = render_text(compiled("experiment: a\nexperiment: b\narms: {base: {}}\n").diagnostics, color=False)

    assert "  = note: first given at spec.yaml:1:1\n  = help: keep one of the two\n" in text


def test_counts_agree_in_number():
    """One error, two errors; without any error something will be run."""
    place = Place("a.yaml", Span(1, 1, 1, 2), "x")
    one, two = error("S104", place, "no"), warning("S214", place, "hm")

    assert render_text([one, one, two], color=False).endswith("\n2 errors, 1 warning; nothing was run")
    assert render_text([two], color=False).endswith("\n0 errors, 1 warning")
    assert render_text([], color=False) == "0 errors, 0 warnings"


def test_colour_adds_nothing_but_colour(compiled):
    """Without the escape sequences, coloured text is the plain text."""
    found = compiled(SPEC).diagnostics
    coloured = render_text(found, color=True)

    assert "\x1b[1;31merror[S104]" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == render_text(found, color=False)


def test_the_caret_stands_under_wide_characters_and_tabs():
    """Wide characters take two columns, a tab is shown as one blank, combining marks take none."""
    line = "a\t日本e\u0301: bad"
    place = Place("a.yaml", Span(1, 9, 1, 12), line)

    shown = render_text([error("S104", place, "no", label="here")], color=False).split("\n")

    assert shown[3] == "1 | a 日本e\u0301: bad"
    assert shown[4] == "  | " + " " * len("a xxxxe: ") + "^^^ here"


def test_a_long_line_is_cut_around_the_caret():
    """Of a very long line the part around the caret is shown."""
    line = "x" * 5000 + " bad " + "y" * 5000
    shown = render_text([error("S104", Place("a", Span(1, 5002, 1, 5005), line), "no")], color=False).split("\n")

    assert len(shown[3]) < 140
    assert shown[3].startswith("1 | …x")
    assert shown[3].endswith("y…")
    assert shown[3][shown[4].index("^") :].startswith("bad")


def test_text_of_a_user_cannot_move_the_cursor(compiled):
    """Control characters in keys, values, flags and file names are shown, not sent to the terminal."""
    found = compiled('experiment: demo\n"\\e[2J\\u202e": 1\narms: {base: {}}\n', "\x1b]0;title\x07=1")

    for text in (render_text(found.diagnostics, color=False), render_lines(found.diagnostics)):
        assert not [c for c in text if c != "\n" and unicodedata.category(c).startswith("C")]


def test_one_line_each(compiled):
    """Editors and build logs read one line per finding."""
    assert render_lines(compiled(SPEC).diagnostics) == "spec.yaml:14:5: error[S104] unknown key `betaa` in recipe `dpo`"


def test_json_has_ranges_and_the_fix(compiled):
    """Ranges count from 1 and exclude their end; where the repair is known, it is text for a range."""
    (found,) = to_json(compiled(SPEC).diagnostics)

    assert json.loads(json.dumps(found)) == {
        "code": "S104",
        "severity": "error",
        "message": "unknown key `betaa` in recipe `dpo`",
        "source": "spec.yaml",
        "span": {"line": 14, "column": 5, "end_line": 14, "end_column": 10},
        "label": "not a field of a dpo recipe",
        "help": "did you mean `beta`?",
        "notes": [],
        "fix": {
            "source": "spec.yaml",
            "span": {"line": 14, "column": 5, "end_line": 14, "end_column": 10},
            "text": "beta",
        },
    }


def test_the_fix_fixes(compiled):
    """Putting a fix in place of its range makes the finding go away."""
    (found,) = compiled(SPEC).diagnostics
    lines = SPEC.split("\n")
    line, span = lines[found.span.line - 1], found.span
    lines[span.line - 1] = line[: span.column - 1] + (found.replacement or "") + line[span.end_column - 1 :]

    assert compiled("\n".join(lines)).diagnostics == ()


@settings(deadline=None)
@given(st.text(), st.text(), st.integers(1, 300), st.integers(0, 300), st.integers(0, 2), st.booleans())
def test_anything_can_be_rendered(text, label, column, width, more_lines, color):
    """Whatever a line holds and wherever a span points, rendering gives text in which every line of the frame is there."""
    span = Span(3, column, 3 + more_lines, column + width)
    found = Diagnostic(
        "S104", "error", quoted(text), Place(printable(text), span, text), printable(label), help=printable(label)
    )

    shown = render_text([found], color)

    assert shown.count("^") >= 1
    assert len(to_json([found])) == 1
    assert len(render_lines([found]).split("\n")) == 1


def test_words_are_meant_when_they_are_close():
    """Typing mistakes and case are forgiven; unrelated words are not."""
    names = ("learning_rate", "beta", "sft", "demonstrations")

    assert did_you_mean("learnign_rate", names) == "learning_rate"
    assert did_you_mean("SFT", names) == "sft"
    assert did_you_mean("stf", names) == "sft"
    assert did_you_mean("instructions", names) is None
    assert did_you_mean("x" * 100_000, names) is None
