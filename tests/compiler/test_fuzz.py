"""Whatever is typed, the outcome is a plan or diagnostics: never a traceback, never a hang."""

from __future__ import annotations

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compiler.render import render_lines, render_text, to_json

KEYS = st.sampled_from(
    [
        "experiment",
        "level",
        "seeds",
        "model",
        "base",
        "adapter",
        "data",
        "instructions",
        "source",
        "demonstrations",
        "from",
        "preferences",
        "chosen",
        "rejected",
        "recipes",
        "sft",
        "dpo",
        "objective",
        "beta",
        "epochs",
        "arms",
        "train",
        "use",
        "match",
        "tokens",
        "prompt",
        "evaluation",
        "criteria",
        "primary",
        "decode",
        "temperature",
        "claims",
        "says",
        "compare",
        "expect",
        "on",
        "isolates",
        "analysis",
        "correction",
        "labels",
        "<<",
        "few_shot",
    ]
)
WORDS = st.one_of(
    KEYS,
    st.sampled_from(
        [
            "bank",
            "tiny-base",
            "base",
            "sft_dpo",
            "chosen",
            "uniform",
            "empirical",
            "few-shot",
            "on_topic",
            "greater",
            "*a",
            "&a",
            "!t",
            "null",
            "true",
            ".nan",
            "1e-4",
            "-1",
            "0.5",
            "200",
        ]
    ),
    st.text(max_size=5),
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), WORDS),
    lambda below: st.one_of(st.lists(below, max_size=4), st.dictionaries(KEYS | st.text(max_size=4), below, max_size=5)),
    max_leaves=25,
)
SETTINGS = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


def holds(found) -> None:
    """There is a plan exactly if nothing is wrong, and everything found can be shown and stored."""
    errors = [d for d in found.diagnostics if d.severity == "error"]
    assert found.ok == (not errors)
    assert render_text(found.diagnostics, color=True).endswith(("warnings", "warning", "nothing was run"))
    assert len(render_lines(found.diagnostics).split("\n")) == max(1, len(found.diagnostics))
    json.dumps(to_json(found.diagnostics)).encode()
    assert all(
        d.span.line >= 1 and d.span.column >= 1 and (d.span.end_line, d.span.end_column) > (d.span.line, d.span.column)
        for d in found.diagnostics
    )
    assert all(d.message and "\n" not in d.message for d in found.diagnostics)


@SETTINGS
@given(text=st.text(alphabet=st.characters(), max_size=200))
def test_any_text(text, compiled):
    """Any characters at all."""
    holds(compiled(text))


@SETTINGS
@given(data=st.binary(max_size=300))
def test_any_bytes(data, compiled):
    """Any bytes, read as the front door reads them or as Latin-1."""
    holds(compiled(data.decode("latin-1")))
    holds(compiled(data.decode("utf-8", errors="surrogateescape")))


@SETTINGS
@given(
    words=st.lists(
        st.sampled_from([*"[]{}:,-&*!|>'\"%@`#?~ \n\t", "\n  ", ": ", "- ", "? ", "<<", "&a ", "*a", "---", "..."]) | WORDS,
        max_size=40,
    )
)
def test_any_soup_of_yaml(words, compiled):
    """Pieces of YAML grammar in any order."""
    holds(compiled("".join(words)))


@SETTINGS
@given(spec=st.dictionaries(KEYS, VALUES, max_size=8))
def test_any_mapping(spec, compiled):
    """The language's own keys and words in all the wrong places."""
    holds(compiled(json.dumps({"experiment": "demo", "arms": {"base": {}}} | spec)))


@SETTINGS
@given(data=st.data())
def test_a_spec_with_something_cut_out_or_put_in(data, four_arms, compiled):
    """A right spec, broken at one place: what was typed half, pasted twice, or garbled."""
    start = data.draw(st.integers(0, len(four_arms)))
    end = data.draw(st.integers(start, min(len(four_arms), start + 60)))
    put = data.draw(st.one_of(st.just(""), WORDS, st.text(max_size=8), st.just(four_arms[start:end] * 2)))

    holds(compiled(four_arms[:start] + put + four_arms[end:]))


@SETTINGS
@given(
    flags=st.lists(
        st.one_of(
            st.text(max_size=30),
            st.builds("{}={}".format, st.lists(WORDS, max_size=4).map(".".join), WORDS | VALUES.map(json.dumps)),
        ),
        max_size=3,
    )
)
def test_any_flags(flags, four_arms, compiled):
    """Whatever follows `--set`."""
    holds(compiled(four_arms, *flags))


@SETTINGS
@given(lines=st.text(max_size=100) | st.lists(VALUES.map(json.dumps), max_size=5).map("\n".join))
def test_any_instruction_file(lines, compiled):
    """Whatever stands in the file of instructions."""
    text = (
        "experiment: demo\ndata: {instructions: {source: mine.jsonl, train: 1, validation: 0, heldout: 1}}\narms: {base: {}}\n"
    )

    holds(compiled(text, files={"mine.jsonl": lines}))
