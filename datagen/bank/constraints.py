"""Whether a text of the bank's own, which is plain and complete, has the form that a constraint demands.

The criteria judge what models write, and are far more forgiving and suspicious at once; this is only for what people wrote.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from compiler.records import Constraint, ConstraintType

NEEDS_N = frozenset({"list", "sentences", "words_max"})
NEEDS_TEXT = frozenset({"contains", "starts_with"})
_NUMBER = re.compile(r"-?\d{1,3}(,\d{3})+(\.\d+)?|-?\d+(\.\d+)?")
_SENTENCE_END = re.compile(r"[.!?]+(?=\s|$)")


_CHECKS: Mapping[ConstraintType, Callable[[str, int, str], bool]] = {
    "one_word": lambda text, n, wanted: len(text.split()) == 1,
    "yes_no": lambda text, n, wanted: text.rstrip(".").casefold() in {"yes", "no"},
    "number": lambda text, n, wanted: _NUMBER.fullmatch(text) is not None,
    "list": lambda text, n, wanted: sum(bool(line.strip()) for line in text.splitlines()) == n,
    "sentences": lambda text, n, wanted: text.endswith((".", "!", "?")) and len(_SENTENCE_END.findall(text)) == n,
    "words_max": lambda text, n, wanted: len(text.split()) <= n,
    "contains": lambda text, n, wanted: wanted.casefold() in text.casefold(),
    "starts_with": lambda text, n, wanted: text.casefold().startswith(wanted.casefold()),
}


def satisfies(text: str, constraint: Constraint | None) -> bool:
    """Whether the text has the form asked for; always true without a constraint."""
    return constraint is None or _CHECKS[constraint.type](text, constraint.n or 0, constraint.text or "")


def constraint_problems(constraint: Constraint, place: str) -> Iterator[str]:
    """What a constraint lacks, such as the `n` of a list; `place` opens each message."""
    if constraint.type in NEEDS_N and (constraint.n is None or constraint.n < 1):
        yield f"{place}: constraint {constraint.type} needs n, at least 1"
    if constraint.type in NEEDS_TEXT and not (constraint.text or "").strip():
        yield f"{place}: constraint {constraint.type} needs a text"


def mentions(text: str, answers: Iterable[str]) -> bool:
    """Whether one of the answers stands in the text, as whole words and in any case."""
    return any(re.search(rf"(?<!\w){re.escape(answer)}(?!\w)", text, re.IGNORECASE) for answer in answers)
