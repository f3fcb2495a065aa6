"""Plain values written as YAML mean what they were, in lines of a bounded width."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from compiler.flow import WIDTH, entry_lines, flow, nested

WORDS = st.from_regex(r"[a-z_]{1,12}", fullmatch=True)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-999, 999)
    | st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=9)
)
VALUES = st.recursive(
    SCALARS, lambda below: st.lists(below, max_size=3) | st.dictionaries(WORDS, below, max_size=4), max_leaves=9
)


def read(text: str):
    """What YAML 1.2 makes of a text."""
    return YAML(typ="safe", pure=True).load(text)


@given(value=VALUES)
@settings(deadline=None, max_examples=60)
def test_what_is_written_is_read_again(value):
    """Numbers, words that look like numbers, quotes: all come back as they were."""
    assert read(f"key: {flow(value)}") == {"key": value}


@given(value=st.dictionaries(WORDS, VALUES, max_size=6))
@settings(deadline=None, max_examples=60)
def test_a_long_entry_is_broken_and_still_means_the_same(value):
    """Lines broken between keys, with a comment, are the same mapping."""
    assert read("\n".join(entry_lines("name", value, "M001, M002"))) == {"name": value}


def test_lines_keep_to_their_width():
    """An entry of many short parts fits into the width."""
    lines = entry_lines("name", {f"key_{number}": {"some": [1, 2, 3]} for number in range(40)}, "M001", indent=2)

    assert len(lines) > 3
    assert max(map(len, lines)) <= WIDTH


def test_paths_that_meet_are_one_mapping():
    """Two settings of one section are written under one key."""
    assert nested({"a.b": 1, "a.c": {"d": 2}, "e": 3}) == {"a": {"b": 1, "c": {"d": 2}}, "e": 3}
