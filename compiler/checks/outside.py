"""What a spec brings in from outside: criteria in Python, answers made elsewhere."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

from compiler.checks.subject import Subject
from compiler.diagnostics import Diagnostic, did_you_mean, error, printable, quoted, suggestion, warning
from compiler.language.evidence import EntryPoint
from compiler.outside_answers import MalformedResponses, read_responses
from compiler.resolve import ResolvedArm
from compiler.source.text import SourceText
from compiler.source.tree import Path
from compiler.world import CRITERIA_GROUP

_MOST = 20
"""Wrong lines of a file told one by one."""
_ANSWERS = "a JSONL file of answers in UTF-8"
_LINE = "an answer is one JSON object with the `id` of a held-out item, or its `instruction`, and `response`"


def check_own_criteria(subject: Subject) -> Iterator[Diagnostic]:
    """One's own criteria are there, as files or in installed packages, and it is said that their code is run."""
    for name, where in subject.spec.evaluation.own_criteria.items():
        place: Path = ("evaluation", "own_criteria", name)
        if isinstance(where, EntryPoint):
            yield _installed(subject, name, where.entry_point)
            continue
        missing = _unreadable(subject, place, where, "a Python file with a `CRITERION` of that name")
        wrong = missing or _not_python(subject, place, where)
        yield wrong if wrong is not None else _executes(subject, name, quoted(where), "its content is")


def _not_python(subject: Subject, place: Path, path: str) -> Diagnostic | None:
    """A file that Python cannot even read; nothing of it is run."""
    try:
        source = SourceText(path, subject.world.read_text(path))
    except UnicodeDecodeError:
        message = f"the file {quoted(path)} cannot be read"
        return error("S310", subject.value(*place), message, label="not UTF-8", help="a Python file in UTF-8")
    try:
        with warnings.catch_warnings(action="ignore"):  # of its style, which is its author's business
            compile(source.text, path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as wrong:
        why = (wrong.msg if isinstance(wrong, SyntaxError) else "") or str(wrong) or type(wrong).__name__
        line = (wrong.lineno if isinstance(wrong, SyntaxError) else None) or 1
        message = f"criterion {quoted(place[-1])} is not Python: {printable(why)}"
        where = source.line_place(min(line, sum(1 for _ in source.numbered_lines())))
        return error(
            "S315",
            where,
            message,
            label="not Python",
            help="mend it; a criterion's file defines `CRITERION`: see `stage1 explain S311`",
        )
    return None


def _installed(subject: Subject, name: str, entry_point: str) -> Diagnostic:
    """An entry point is declared by exactly one installed package."""
    installed = subject.world.installed_criteria()
    found = [each for each in installed if each.entry_point == entry_point]
    if len(found) == 1:
        what = f"{quoted(found[0].object)} of {found[0].distribution} {found[0].version}"
        return _executes(subject, name, what, "the package's version and the module's source are")
    place = subject.value("evaluation", "own_criteria", name, "entry_point")
    if found:
        packages = " and ".join(each.distribution for each in found)
        message = f"criterion {quoted(entry_point)} is declared by {packages}"
        return error("S313", place, message, label="which one is meant?", help="uninstall all but one of them")
    known = sorted({each.entry_point for each in installed})
    there = suggestion(entry_point, known, "installed criteria") if known else "install the package that declares it"
    message = f"no installed package declares a criterion {quoted(entry_point)}"
    help_ = f"{there}; packages declare criteria in the entry point group `{CRITERIA_GROUP}`"
    return error("S313", place, message, label="not installed", help=help_, replacement=did_you_mean(entry_point, known))


def _executes(subject: Subject, name: str, what: str, recorded: str) -> Diagnostic:
    return warning(
        "S311",
        subject.value("evaluation", "own_criteria", name),
        f"criterion {quoted(name)} is code: `run` executes {what}",
        label="runs with all your rights",
        help=f"read it before you run a spec that somebody else wrote; {recorded} part of the plan's fingerprint",
    )


def check_responses(subject: Subject) -> Iterator[Diagnostic]:
    """Answers made elsewhere are there, and their arm is nothing else: not trained, not asked, not built upon."""
    for name, arm in subject.spec.arms.items():
        if arm.responses is None or not subject.draft.is_whole("arms", name):
            continue
        missing = _unreadable(subject, ("arms", name, "responses"), arm.responses, _ANSWERS)
        yield from _lines(subject, name, arm.responses) if missing is None else (missing,)
        said = {"from": arm.from_, "train": arm.train, "prompt": arm.prompt, "data": arm.data}
        for key in (key for key, value in said.items() if value is not None):
            message = f"arm {quoted(name)} has answers made elsewhere, so `{key}` means nothing"
            yield error("S312", subject.key("arms", name, key), message, label="means nothing here", help="remove it")
    yield from _built_upon(subject)


def _lines(subject: Subject, name: str, path: str) -> Iterator[Diagnostic]:
    """Every line answers a held-out item, none of them twice."""
    try:
        source = SourceText(path, subject.world.read_text(path))
    except UnicodeDecodeError:
        place = subject.value("arms", name, "responses")
        yield error("S310", place, f"the file {quoted(path)} cannot be read", label="not UTF-8", help=_ANSWERS)
        return
    whole = subject.draft.is_whole("data", "instructions")
    items = subject.world.held_out(subject.spec.data.instructions) if whole else None
    try:
        read_responses(source.text.split("\n"), path, items)
    except MalformedResponses as malformed:
        wrong = malformed.problems
        for number, what in wrong[:_MOST]:
            message = f"line {number} is no answer to a held-out item: {printable(what)}"
            yield error("S314", source.line_place(number), message, label="malformed", help=_LINE)
        if len(wrong) > _MOST:
            yield error("S314", source.place(0, 0), f"{len(wrong) - _MOST} more lines of {quoted(path)} are wrong")


def _built_upon(subject: Subject) -> Iterator[Diagnostic]:
    for name, arm in subject.arms.items():
        for need in arm.needs():
            source: ResolvedArm | None = subject.arms.get(need.arm)
            if source is None or source.responses is None:
                continue
            message = f"arm {quoted(name)} {need.how} {quoted(need.arm)}, which has answers and no weights"
            place = (
                subject.key("arms", name, *need.path)
                if subject.written("arms", name, *need.path)
                else subject.key("arms", name)
            )
            yield error("S312", place, message, label="no weights", help="name an arm of the base model or a trained one")


def _unreadable(subject: Subject, place: Path, path: str, expected: str) -> Diagnostic | None:
    try:
        subject.world.digest_file(path)
    except OSError as failure:
        why = "not found" if isinstance(failure, FileNotFoundError) else printable(str(failure.strerror or failure))[:100]
        message = f"the file {quoted(path)} cannot be read"
        return error(
            "S310", subject.value(*place), message, label=why, help=f"{expected}; paths are seen from the working directory"
        )
    return None
