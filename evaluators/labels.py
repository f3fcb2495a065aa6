"""A person's labels of answers, read from a CSV file, and the scorer's agreement with them.

The header names `item_id`, then how the answer is known (`answer`, the key that a labelling sheet gives it; or `arm`, and
`seed` for a trained arm), then criteria. A cell says true, yes, 1 or pass; false, no, 0 or fail; null or na where the criterion
does not apply; an empty cell is no label. Cells are separated by commas, or by semicolons or tabs where the header has no
comma. Other columns, such as the text of the answer, are left alone, unless their name is nearly that of a criterion.
"""

from __future__ import annotations

import csv
import hashlib
import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

from evaluators.criteria.agreement import Judgement, cohen_kappa

_WORDS: Mapping[str, Judgement] = {
    **dict.fromkeys(("true", "t", "yes", "y", "1", "pass"), True),
    **dict.fromkeys(("false", "f", "no", "n", "0", "fail"), False),
    **dict.fromkeys(("null", "na", "n/a", "none"), None),
}


_MOST = 20
"""Messages told one by one."""


class MalformedLabels(ValueError):
    """Lines that are no labels: all of them, one message each, with file and line; as text, the first of them and a count."""

    def __init__(self, problems: Sequence[str]) -> None:
        more = [f"and {len(problems) - _MOST:,} more lines of this kind"] if len(problems) > _MOST else []
        super().__init__("\n".join([*problems[:_MOST], *more]))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Scored:
    """An answer that may be labelled, and what the scorer made of it."""

    item_id: str
    arm: str
    seed: int | None
    response: str
    criteria: Mapping[str, Judgement]


@dataclass(frozen=True, slots=True)
class Dispute:
    """A label that the scorer does not share."""

    item_id: str
    criterion: str
    person: Judgement
    scorer: Judgement
    response: str
    line: int


@dataclass(frozen=True, slots=True)
class Compared:
    """The scorer against a person on one criterion."""

    criterion: str
    n: int
    agreed: int
    kappa: float | None
    disputes: tuple[Dispute, ...]


@dataclass(frozen=True, slots=True)
class _Label:
    line: int
    answer: Scored
    values: Mapping[str, Judgement]


def answer_key(item_id: str, response: str) -> str:
    """What a labelling sheet calls an answer: it says nothing of the arm, and equal answers to an item have one key."""
    return hashlib.sha256(f"{item_id}\0{response}".encode()).hexdigest()[:12]


def compare(lines: Iterable[str], path: str, scored: Sequence[Scored]) -> list[Compared]:
    """Read labels and hold the scorer's judgements against them, criterion by criterion.

    Args:
        lines: the CSV text, line by line.
        path: what to call the file in messages.
        scored: the answers of the run. Equal answers to one item count once, whichever arms gave them.

    Raises:
        MalformedLabels: the header or lines are malformed, or name answers that are not there; every one is named.
    """
    labels = _read(lines, path, scored)
    pairs: dict[str, list[tuple[_Label, Judgement, Judgement]]] = defaultdict(list)
    for label in labels:
        for criterion, value in label.values.items():
            pairs[criterion].append((label, value, label.answer.criteria[criterion]))
    return [_compared(criterion, found) for criterion, found in pairs.items()]


def _compared(criterion: str, found: Sequence[tuple[_Label, Judgement, Judgement]]) -> Compared:
    disputes = tuple(
        Dispute(label.answer.item_id, criterion, person, scorer, label.answer.response, label.line)
        for label, person, scorer in found
        if person is not scorer
    )
    kappa = cohen_kappa([(person, scorer) for _, person, scorer in found])
    return Compared(criterion, len(found), len(found) - len(disputes), kappa, disputes)


def _read(lines: Iterable[str], path: str, scored: Sequence[Scored]) -> list[_Label]:
    rest = iter(lines)
    first = next(rest, "")
    rows = csv.reader(itertools.chain([first], rest), delimiter=_separator(first), strict=True)
    try:
        header = [name.strip().removeprefix("\ufeff") for name in next(rows, [])]
        criteria = list(dict.fromkeys(name for each in scored for name in each.criteria))
        _check_header(header, criteria, path)
        return _read_rows(rows, header, criteria, path, _index(scored))
    except csv.Error as error:
        raise MalformedLabels([f"{path}:{rows.line_num}: not CSV: {error}"]) from None


def _separator(header: str) -> str:
    """A spreadsheet may save semicolons or tabs for commas."""
    return next((mark for mark in ",;\t" if mark in header), ",")


def _near_misses(header: Sequence[str], criteria: Sequence[str], path: str) -> list[str]:
    """Columns that hold labels of nothing, by the looks of their name."""
    absent = [name for name in criteria if name not in header]
    found = [(name, get_close_matches(name, absent, n=1, cutoff=0.8)) for name in header if name not in criteria]
    return [
        f"{path}:1: the column `{name}` is no criterion of this run; did you mean `{near[0]}`?" for name, near in found if near
    ]


def _check_header(header: Sequence[str], criteria: Sequence[str], path: str) -> None:
    problems = []
    if "item_id" not in header or not {"answer", "arm"} & set(header):
        problems.append(
            f"{path}:1: the header must name `item_id`, and `answer` or `arm`; it has {', '.join(header) or 'nothing'}"
        )
    elif not set(criteria) & set(header):
        problems.append(f"{path}:1: no column is a criterion of this run; there are {', '.join(criteria)}")
    problems += _near_misses(header, criteria, path)
    problems += [
        f"{path}:1: the column `{name}` is there twice" for name in dict.fromkeys(header) if name and header.count(name) > 1
    ]
    if problems:
        raise MalformedLabels(problems)


def _index(scored: Sequence[Scored]) -> dict[tuple[str, ...], Scored]:
    found: dict[tuple[str, ...], Scored] = {}
    for each in scored:
        found[each.item_id, answer_key(each.item_id, each.response)] = each
        found[each.item_id, each.arm, "" if each.seed is None else str(each.seed)] = each
    return found


def _read_rows(
    rows: Iterable[list[str]],
    header: Sequence[str],
    criteria: Sequence[str],
    path: str,
    answers: Mapping[tuple[str, ...], Scored],
) -> list[_Label]:
    labels: dict[tuple[str, str], _Label] = {}
    problems = []
    line = 1
    reader = iter(rows)
    while True:
        line = getattr(rows, "line_num", line) + 1
        cells = next(reader, None)
        if cells is None:
            break
        if not any(cell.strip() for cell in cells):
            continue
        try:
            label = _label(dict(zip(header, cells, strict=False)), len(cells), header, criteria, line, answers)
        except ValueError as wrong:
            problems.append(f"{path}:{line}: {wrong}")
            continue
        key = (label.answer.item_id, label.answer.response)
        if key in labels and any(labels[key].values.get(name, value) is not value for name, value in label.values.items()):
            problems.append(f"{path}:{line}: this answer has other labels on line {labels[key].line}")
            continue
        before = labels.setdefault(key, label)
        labels[key] = replace(before, values={**before.values, **label.values})
    if not any(label.values for label in labels.values()) and not problems:
        problems.append(f"{path}:{line}: there is no label in this file: fill in the columns of the criteria")
    if problems:
        raise MalformedLabels(problems)
    return list(labels.values())


def _label(
    row: Mapping[str, str],
    width: int,
    header: Sequence[str],
    criteria: Sequence[str],
    line: int,
    answers: Mapping[tuple[str, ...], Scored],
) -> _Label:
    if width != len(header):
        raise ValueError(f"{width} cells, but the header has {len(header)}")
    item, key = row["item_id"].strip(), row.get("answer", "").strip()
    arm, seed = row.get("arm", "").strip(), row.get("seed", "").strip()
    answer = answers.get((item, key) if key else (item, arm, seed))
    if answer is None:
        named = f"answer {key!r}" if key else f"an answer of arm {arm!r}" + (f" with seed {seed}" if seed else "")
        raise ValueError(f"the run has no {named.removeprefix('an ')} to item {item!r}")
    values = {}
    for name in criteria:
        said = row.get(name, "").strip().casefold()
        if said and said not in _WORDS:
            raise ValueError(f"`{name}` says {row[name]!r}; true or false is expected, null where it does not apply")
        if said:
            values[name] = _WORDS[said]
    return _Label(line, answer, values)
