"""S0: what keeps a text from being read as YAML 1.2."""

from __future__ import annotations

from compiler.codes.entry import Code

_MINIMAL = """
experiment: demo
arms:
  base: {}
"""

CODES = (
    Code(
        "S001",
        "this is not YAML",
        """
        The text breaks the grammar of YAML: a bracket or a quote is not closed, a colon is missing, or the lines of a
        mapping do not begin in the same column. Reading stops here, so the mistakes after it are not told yet.
        """,
        "experiment: demo\narms: {base: {}\n",
        _MINIMAL,
    ),
    Code(
        "S002",
        "a tab indents",
        "YAML is indented with blanks only, since a tab has no width of its own. Set the editor to insert blanks.",
        "experiment: demo\narms:\n\tbase: {}\n",
        _MINIMAL,
    ),
    Code(
        "S003",
        "the spec is empty",
        "There is nothing in the file but, perhaps, comments. The smallest spec names an experiment and one arm.",
        "# nothing yet\n",
        _MINIMAL,
    ),
    Code(
        "S004",
        "the spec is not a mapping",
        "A spec is a mapping: `key: value` lines. A list or a single value was found instead.",
        "- experiment: demo\n- arms: {base: {}}\n",
        _MINIMAL,
    ),
    Code(
        "S005",
        "a key is given twice",
        """
        YAML forbids the same key twice in one mapping; most readers silently keep the last one, and an experiment then
        runs with a value that its author never sees. The note says where the key was given first.
        """,
        "experiment: demo\nseeds: [1]\narms: {base: {}}\nseeds: [1, 2]\n",
        "experiment: demo\nseeds: [1, 2]\narms: {base: {}}\n",
    ),
    Code(
        "S006",
        "nested too deeply",
        "A spec needs about seven levels of mappings and lists; the reader stops at 32, aliases written out.",
        "experiment: demo\narms: " + "[" * 40 + "]" * 40 + "\n",
        _MINIMAL,
    ),
    Code(
        "S007",
        "too large",
        "The text is longer than eight million characters, or its aliases, written out, make more than a million values.",
        "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
        + "".join(f"{b}: &{b} [{', '.join(['*' + a] * 10)}]\n" for a, b in ("ab", "bc", "cd", "de", "ef")),
        _MINIMAL,
    ),
    Code(
        "S008",
        "a character that is not text",
        "Control characters, such as a zero byte, and halves of characters cannot stand in YAML. Is this the right file?",
        'experiment: demo\ndescription: "half a smile: \\ud83d"\narms: {base: {}}\n',
        'experiment: demo\ndescription: "a smile: \\U0001F642"\narms: {base: {}}\n',
    ),
    Code(
        "S009",
        "an alias that repeats nothing",
        """
        `*name` repeats the value marked `&name` above it. There is no such mark above, or the alias stands inside that
        very value.
        """,
        "experiment: demo\nmodel: {adapter: *small}\narms: {base: {}}\n",
        "experiment: demo\nmodel: {adapter: &small {rank: 8}}\narms: {base: {}}\n",
    ),
    Code(
        "S010",
        "a tag",
        """
        YAML tags such as `!!str` or `!include` mean nothing in a spec. Write the value itself, in quotes if it is to be
        text.
        """,
        "experiment: !!str demo\narms: {base: {}}\n",
        _MINIMAL,
    ),
    Code(
        "S011",
        "a second document",
        "`---` begins another YAML document in the same file. One file holds one spec.",
        "experiment: demo\narms: {base: {}}\n---\nexperiment: second\n",
        _MINIMAL,
    ),
    Code(
        "S012",
        "a key that is not text",
        "The key of a mapping must be a word. A mapping, a list or nothing was found in its place.",
        "experiment: demo\narms: {base: {}, [a, b]: {}}\n",
        "experiment: demo\narms: {base: {}, a: {}}\n",
    ),
    Code(
        "S013",
        "a merge of something that is no mapping",
        "`<<: *name` takes over the keys of the mapping marked `&name`, or of several in a list; keys that are given stay.",
        "experiment: demo\nmodel: {<<: small}\narms: {base: {}}\n",
        "experiment: demo\nmodel: {adapter: &small {rank: 8}}\narms: {base: {}}\n",
    ),
)
