"""Files that a spec refers to: the instruction file, the model."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import ValidationError

from compiler.checks.subject import Subject
from compiler.diagnostics import Diagnostic, error, printable, quoted
from compiler.language.data import BANK
from compiler.language.model import EMBEDDED
from compiler.records import Item
from compiler.source.text import SourceText

_MOST = 20
"""Malformed lines told one by one."""


def check_model(subject: Subject) -> Iterator[Diagnostic]:
    """The model is there, as far as that can be known without a network."""
    model, place = subject.spec.model, subject.value("model", "base")
    try:
        digest = subject.world.digest_model(model.base)
    except OSError as missing:
        way_out = f"`{EMBEDDED}`, a hub id such as `Qwen/Qwen2.5-32B`, or a folder with safetensors weights"
        message = f"there is no model {quoted(model.base)} on this disk"
        yield error("S305", place, message, label=_why(missing), help=way_out)
        return
    if digest is not None and model.revision is not None:
        message = f"`model.revision` is for models of the hub; {quoted(model.base)} is on this disk"
        yield error("S306", subject.value("model", "revision"), message, label="means nothing here", help="remove it")


def check_instructions(subject: Subject) -> Iterator[Diagnostic]:
    """The instruction file is there, every line of it is an item, and there are enough of them."""
    source = subject.spec.data.instructions.source
    place = subject.value("data", "instructions", "source")
    if source == BANK:
        return
    try:
        text = subject.world.read_text(source)
    except FileNotFoundError:
        way_out = f"`{BANK}` is the built-in instruction bank; a path is read from the working directory"
        yield error("S301", place, f"there is no instruction file {quoted(source)}", label="not found", help=way_out)
    except UnicodeDecodeError:
        yield error("S302", place, f"the instruction file {quoted(source)} is not text", label="not UTF-8")
    except (OSError, ValueError) as unreadable:
        yield error("S302", place, f"the instruction file {quoted(source)} cannot be read", label=_why(unreadable))
    else:
        yield from _items(subject, SourceText(source, text))


def _items(subject: Subject, source: SourceText) -> Iterator[Diagnostic]:
    ids: dict[str, int] = {}
    wrong = 0
    for number, line in source.numbered_lines():
        if not line.strip():
            continue
        finding = _item(source, number, line, ids)
        if finding is not None:
            wrong += 1
            if wrong <= _MOST:
                yield finding
    if wrong > _MOST:
        yield error("S303", source.place(0, 0), f"{wrong - _MOST} more lines of {quoted(source.name)} are wrong")
    if not wrong:
        yield from _too_few(subject, len(ids))


def _too_few(subject: Subject, found: int) -> Iterator[Diagnostic]:
    asked = subject.spec.data.instructions
    total = asked.train + asked.validation + asked.heldout
    if found < total:
        yield error(
            "S304",
            subject.value("data", "instructions", "source"),
            f"{total} instructions are asked for, {quoted(asked.source)} has {found}",
            label=f"{found} items",
            help="ask for fewer",
            notes=(f"train {asked.train} + validation {asked.validation} + heldout {asked.heldout} = {total}",),
        )


def _item(source: SourceText, number: int, line: str, ids: dict[str, int]) -> Diagnostic | None:
    place = source.line_place(number)
    try:
        item = Item.model_validate_json(line)
    except ValidationError as invalid:
        first = invalid.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(key) for key in first["loc"])
        message = f"line {number} is no item: {quoted(where) + ': ' if where else ''}{printable(first['msg'])}"
        way_out = "an item is one JSON object a line, with `id`, `kind` and `instruction`"
        return error("S303", place, message, label="malformed", help=way_out)
    first_line = ids.setdefault(item.id, number)
    if first_line != number:
        return error("S303", place, f"the id {quoted(item.id)} is given twice", label=f"first on line {first_line}")
    return None


def _why(failure: Exception) -> str:
    return printable(str(getattr(failure, "strerror", None) or failure))[:100]
