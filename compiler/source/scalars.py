"""What a plain word means: the YAML 1.2 core schema (https://yaml.org/spec/1.2.2/#103-core-schema).

So `1e-4` is a number, and `no`, `on`, `1_000`, `12:30` and `2024-01-01` are text.
"""

from __future__ import annotations

import re

from compiler.source.tree import Scalar

_WORDS: dict[str, Scalar] = (
    dict.fromkeys(("", "~", "null", "Null", "NULL"))
    | dict.fromkeys(("true", "True", "TRUE"), True)
    | dict.fromkeys(("false", "False", "FALSE"), False)
    | dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf"))
    | dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf"))
    | dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan"))
)
_INTEGERS = (
    (re.compile(r"[-+]?[0-9]{1,300}", re.ASCII), 10),
    (re.compile(r"0o[0-7]{1,300}"), 8),
    (re.compile(r"0x[0-9a-fA-F]{1,300}"), 16),
)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", re.ASCII)


def resolve(word: str) -> Scalar:
    """The value of a word written without quotes."""
    if word in _WORDS:
        return _WORDS[word]
    for pattern, base in _INTEGERS:
        if pattern.fullmatch(word):
            return int(word, base)
    return float(word) if _FLOAT.fullmatch(word) else word
