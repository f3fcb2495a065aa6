"""Text to tree: YAML 1.2, places, and bounds on hostile input."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from compiler.source.reading import DEEPEST, read
from compiler.source.scalars import resolve
from compiler.source.text import SourceText


def tree(text):
    """The tree of a text that is right."""
    node, findings = read(SourceText("spec.yaml", text))
    assert not findings
    return node


def codes(text):
    """The codes of what is wrong with a text."""
    return [finding.code for finding in read(SourceText("spec.yaml", text))[1]]


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("1e-4", 1e-4), ("1E5", 1e5), (".5", 0.5), ("5.", 5.0), ("-0.0", 0.0), ("+7", 7), ("0o17", 15), ("0x1F", 31), ("012", 12),
        ("true", True), ("FALSE", False), ("null", None), ("~", None), ("", None), (".inf", float("inf")), ("-.INF", float("-inf")),
        ("no", "no"), ("off", "off"), ("y", "y"), ("1_000", "1_000"), ("12:30", "12:30"), ("2024-01-01", "2024-01-01"),
        ("0b11", "0b11"), ("=", "="), ("1e", "1e"), ("+-1", "+-1"), ("nan", "nan"), ("tRue", "tRue"), ("١٢", "١٢"),
    ],
)  # fmt: skip
def test_plain_words_mean_what_yaml_1_2_says(word, value):
    """The core schema: numbers, truth values and null; all else is text, whatever YAML 1.1 made of it."""
    found = resolve(word)

    assert (type(found), found) == (type(value), value)


@given(st.one_of(st.integers(), st.floats(allow_nan=False), st.booleans(), st.none()))
def test_what_python_writes_as_json_is_read_back(value):
    """Numbers of any size that JSON can write keep their value."""
    import json

    assert resolve(json.dumps(value).replace("Infinity", ".inf")) == value


def test_a_number_too_long_for_a_machine_is_text():
    """A number of thousands of digits neither crashes nor takes long."""
    assert isinstance(resolve("9" * 5000), float | str)


def test_places_are_those_an_editor_shows():
    """Lines and columns count from 1, whatever ends a line; keys and values have their own places."""
    node = tree("a: 1\r\nlong key:   two words\r\nc:\n  - x\n  - {d: 'é'}\r# end\r")

    assert str(node.key_place(("long key",))) == "spec.yaml:2:1"
    assert str(node.value_place(("long key",))) == "spec.yaml:2:13"
    assert node.value_place(("long key",)).text == "long key:   two words"
    assert str(node.value_place(("c", 1, "d"))) == "spec.yaml:5:9"
    assert node.value_place(("c", 1, "d")).span.end_column == 12
    assert str(node.value_place(("c",))) == "spec.yaml:3:1"


def test_what_was_never_written_has_the_place_of_what_is_above_it():
    """A missing key is shown at the nearest key that was written; at worst, at the beginning."""
    node = tree("a: {b: 1}\n")

    assert str(node.key_place(("a", "x", "y"))) == "spec.yaml:1:1"
    assert str(node.key_place(("z",))) == "spec.yaml:1:1"


def test_the_nothing_after_a_key_has_the_place_of_the_key():
    """`key:` with nothing after it is shown at the key, not at whatever comes next."""
    assert str(tree("a: 1\nkey:\n\n\nb: 2\n").value_place(("key",))) == "spec.yaml:2:1"


def test_merge_keys_keep_what_is_given():
    """`<<` adds the keys that are not there; of several mappings the first one wins."""
    node = tree("x: &x {a: 1, b: 1}\ny: &y {b: 2, c: 2}\nz: {b: 0, <<: [*x, *y]}\n")

    assert node.plain()["z"] == {"a": 1, "b": 0, "c": 2}


def test_an_alias_is_shown_where_it_stands():
    """A repeated value has the place of its alias; the keys in it have the place where they were written."""
    node = tree("x: &x {a: 1}\ny: *x\n")

    assert node.plain() == {"x": {"a": 1}, "y": {"a": 1}}
    assert str(node.value_place(("y",))) == "spec.yaml:2:4"
    assert str(node.key_place(("y", "a"))) == "spec.yaml:1:8"


def test_mistakes_before_a_break_of_grammar_are_told_too():
    """Reading stops at a break of grammar; what was found before it is not lost."""
    assert codes("a: 1\na: 2\nb: !tag 3\nc: [\n") == ["S005", "S010", "S001"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a: [" + "[" * 100_000, "S006"),
        ("{a: " * 100_000, "S006"),
        ("- " * 100_000, "S006"),
        ("a0: &a0 [[]]\n" + "".join(f"a{i + 1}: &a{i + 1} [*a{i}]\n" for i in range(100)), "S006"),
        ("a0: &a0 [x, x]\n" + "".join(f"a{i + 1}: &a{i + 1} [*a{i}, *a{i}]\n" for i in range(30)), "S007"),
        ("a: " + "x" * 9_000_000, "S007"),
        ("&a [*a]", "S009"),
        ("a: \x00", "S008"),
        ("\x7fELF\x02\x01", "S008"),
        ("%YAML 9.9\n---\na: 1", "S001"),
    ],
    ids=[
        "flow lists",
        "flow mappings",
        "block lists",
        "aliases deep",
        "aliases wide",
        "long",
        "circle",
        "zero",
        "binary",
        "version",
    ],
)
def test_hostile_text_is_refused_at_once(text, code):
    """Nesting, alias bombs, size and control characters are bounded: one finding, within seconds."""
    started = time.process_time()

    assert codes(text)[-1] == code
    assert time.process_time() - started < 5


def test_the_bound_on_depth_is_exact():
    """As deep as allowed is read, one deeper is not."""
    assert not codes("[" * DEEPEST + "]" * DEEPEST)
    assert codes("[" * (DEEPEST + 1) + "]" * (DEEPEST + 1)) == ["S006"]


TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x85\u2028\u2029?"), max_size=20)
"""Without what the library does not read as it writes it: line ends of YAML 1.1, and `{?0: 1}`, whose key it reads as `0`."""

YAML_VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**12), 10**12),
        st.floats(allow_nan=False, allow_infinity=False),
        TEXT,
    ),
    lambda below: st.one_of(st.lists(below, max_size=4), st.dictionaries(TEXT, below, max_size=4)),
    max_leaves=20,
)


@settings(deadline=None, max_examples=60)
@given(YAML_VALUES, st.booleans())
def test_what_a_yaml_library_writes_is_read_back(value, flow):
    """Any value that the library dumps, in block or flow style, and reads itself, comes back the same (lists as tuples)."""
    from io import StringIO

    out, yaml = StringIO(), YAML(typ="safe", pure=True)
    yaml.default_flow_style = flow
    yaml.dump(value, out)
    try:
        yaml.load(out.getvalue())
    except YAMLError:  # it dumps the key ":0" in flow style as a plain one, which is no YAML
        reject()
    node, findings = read(SourceText("spec.yaml", out.getvalue()))

    assert not findings
    assert (node.plain() if node is not None else None) == frozen(value)


def frozen(value):
    """The value with tuples for lists."""
    if isinstance(value, list):
        return tuple(frozen(item) for item in value)
    return {key: frozen(below) for key, below in value.items()} if isinstance(value, dict) else value
