"""Files that a spec refers to: the instruction file, the model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from pydantic import ValidationError

from compiler.checks.subject import Subject
from compiler.diagnostics import Diagnostic, Place, did_you_mean, error, printable, quoted, warning
from compiler.language.data import BANK, BANK_ITEMS
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
    written = subject.draft.tree.at(("model", "revision"))
    if digest is None and (written is None or written.scalar is None):
        message = f"{quoted(model.base)} is not pinned: the hub may serve other weights under this name one day"
        meant = did_you_mean(model.base, (EMBEDDED,))
        way_out = f"did you mean {quoted(meant)}? " if meant is not None else ""
        way_out += "set `model.revision` to a commit" if "/" in model.base else "models of the hub are called OWNER/NAME"
        yield warning("S224", place, message, label="whatever is there then", help=way_out)


def check_instructions(subject: Subject) -> Iterator[Diagnostic]:
    """The instruction file is there, every line of it is an item, and there are enough of them."""
    source = subject.spec.data.instructions.source
    place = subject.value("data", "instructions", "source")
    if source == BANK:
        yield from _too_few(subject, BANK_ITEMS, subject.key("data", "instructions"))
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


class _Line(Item):
    """A line of an instruction file; an id that is left out is the number of the line."""

    id: str = ""


@dataclass(slots=True)
class _Seen:
    """On which line an id or an instruction was first."""

    ids: dict[str, int] = field(default_factory=dict)
    instructions: dict[str, int] = field(default_factory=dict)


def _items(subject: Subject, source: SourceText) -> Iterator[Diagnostic]:
    seen = _Seen()
    lines = ((number, line) for number, line in source.numbered_lines() if line.strip("\ufeff \t"))
    wrong = [finding for number, line in lines if (finding := _item(source, number, line, seen)) is not None]
    yield from wrong[:_MOST]
    if len(wrong) > _MOST:
        yield error("S303", source.place(0, 0), f"{len(wrong) - _MOST} more lines of {quoted(source.name)} are wrong")
    if not wrong:
        yield from _too_few(subject, len(seen.ids), subject.value("data", "instructions", "source"))


def _too_few(subject: Subject, found: int, place: Place) -> Iterator[Diagnostic]:
    asked = subject.spec.data.instructions
    total = asked.train + asked.validation + asked.heldout
    if found < total:
        yield error(
            "S304",
            place,
            f"{total} instructions are asked for, {quoted(asked.source)} has {found}",
            label=f"{found} items",
            help="ask for fewer",
            notes=(f"train {asked.train} + validation {asked.validation} + heldout {asked.heldout} = {total}",),
        )


def _item(source: SourceText, number: int, line: str, seen: _Seen) -> Diagnostic | None:
    place = source.line_place(number)
    try:
        item = _Line.model_validate_json(line.removeprefix("\ufeff"), strict=True)
    except ValidationError as invalid:
        first = invalid.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(key) for key in first["loc"])
        message = f"line {number} is no item: {quoted(where) + ': ' if where else ''}{printable(first['msg'])}"
        return error("S303", place, message, label="malformed", help="an item is one JSON object with `kind` and `instruction`")
    for what, word, lines in (("id", item.id or str(number), seen.ids), ("instruction", item.instruction, seen.instructions)):
        first_line = lines.setdefault(word, number)
        if first_line != number:
            return error("S303", place, f"the {what} {quoted(word)} is given twice", label=f"first on line {first_line}")
    return None


def _why(failure: Exception) -> str:
    return printable(str(getattr(failure, "strerror", None) or failure))[:100]
