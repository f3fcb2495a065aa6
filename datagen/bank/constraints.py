"""Whether a text of the bank's own, which is plain and complete, has the form that a constraint demands.

The criteria judge what models write, and are far more forgiving and suspicious at once; this is only for what people wrote.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from compiler.records import Constraint, ConstraintType

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
