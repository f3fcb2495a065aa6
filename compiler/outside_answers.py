"""Answers to held-out items that were made elsewhere, by any engine: one JSON object a line, read strictly.

A line has `id` (of the held-out item) or `instruction`, and `response`; `hit_token_limit` and `tokens` where they are known.
Other keys are left alone. Tokens that are not told are counted as words.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from compiler.json_lines import NoObject, json_object, name_of, numbered_lines
from compiler.records import Answer, Item

_MOST = 5
"""Messages told one by one."""


class MalformedResponses(ValueError):
    """Lines that are no answers to held-out items: all of them, by number, one message each.

    As text, with the file's name, the first of them and a count, for a step's failure is told in one line.
    """

    def __init__(self, path: str, problems: Sequence[tuple[int, str]]) -> None:
        told = [f"{path}:{number}: {what}" for number, what in problems[:_MOST]]
        more = [f"and {len(problems) - _MOST:,} more lines are wrong"] if len(problems) > _MOST else []
        super().__init__("; ".join([*told, *more]))
        self.problems = tuple(problems)


class _Wrong(ValueError):
    """One thing wrong with a line; the place is added where lines are counted."""


def read_responses(lines: Iterable[str], path: str, items: Sequence[Item] | None) -> list[Answer]:
    """The answers of a file, in the order of the items. Items without an answer are left out: the analysis counts them.

    Args:
        lines: the text, split at line feeds.
        path: what to call the file in messages.
        items: the held-out items; None: not known yet, so that whatever is named might be one.

    Raises:
        MalformedResponses: a line is malformed, answers no held-out item, or answers one a second time; or there is none.
    """
    ids = None if items is None else {item.id: item.id for item in items}
    instructions = None if items is None else {item.instruction: item.id for item in items}
    found: dict[str, tuple[int, Answer]] = {}
    problems = []
    for number, text in numbered_lines(lines):
        try:
            answer = _answer(text, ids, instructions)
        except (_Wrong, NoObject) as wrong:
            problems.append((number, str(wrong)))
            continue
        if answer.item_id in found:
            problems.append((number, f"item {answer.item_id!r} was answered before, on line {found[answer.item_id][0]}"))
        found.setdefault(answer.item_id, (number, answer))
    if not found and not problems:
        problems.append((1, "the file holds no answers; one JSON object a line is expected"))
    if problems:
        raise MalformedResponses(path, problems)
    return [found[name][1] for name in (found if ids is None else ids) if name in found]


def _answer(text: str, ids: Mapping[str, str] | None, instructions: Mapping[str, str] | None) -> Answer:
    row = json_object(text)
    if "response" not in row:
        has = ", ".join(f"`{key[:40]}`" for key in list(row)[:6])
        raise _Wrong(f"missing `response`; the line has {has or 'nothing'}")
    response = row["response"]
    if not isinstance(response, str):
        raise _Wrong(f"`response` must be a string, not {name_of(response)}")
    cut = row.get("hit_token_limit", False)
    if not isinstance(cut, bool):
        raise _Wrong(f"`hit_token_limit` must be true or false, not {name_of(cut)}")
    tokens = row.get("tokens", len(response.split()))
    if isinstance(tokens, bool) or not isinstance(tokens, int) or tokens < 0:
        raise _Wrong("`tokens` must be a whole number")
    return Answer(item_id=_item(row, ids, instructions), split="heldout", response=response, tokens=tokens, hit_token_limit=cut)


def _item(row: Mapping[str, Any], ids: Mapping[str, str] | None, instructions: Mapping[str, str] | None) -> str:
    for key, known in (("id", ids), ("instruction", instructions)):
        if key in row:
            named = row[key]
            if not isinstance(named, str) or (known is not None and named not in known):
                raise _Wrong(f"no held-out item has the {key} {json.dumps(named, ensure_ascii=False)[:200]}")
            return named if known is None else known[named]
    raise _Wrong("missing `id` or `instruction`: which held-out item is it an answer to?")
