"""What a spec brings in from outside: criteria in Python, answers made elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.checks.subject import Subject
from compiler.diagnostics import Diagnostic, error, printable, quoted, warning
from compiler.resolve import ResolvedArm
from compiler.source.tree import Path


def check_own_criteria(subject: Subject) -> Iterator[Diagnostic]:
    """The files of one's own criteria are there, and it is said that their code is run."""
    for name, path in subject.spec.evaluation.own_criteria.items():
        place: Path = ("evaluation", "own_criteria", name)
        missing = _unreadable(subject, place, path, "a Python file with a `CRITERION` of that name")
        if missing is not None:
            yield missing
            continue
        yield warning(
            "S311",
            subject.value(*place),
            f"criterion {quoted(name)} is code: `run` executes {quoted(path)}",
            label="runs with all your rights",
            help="read it before you run a spec that somebody else wrote; its content is part of the plan's fingerprint",
        )


def check_responses(subject: Subject) -> Iterator[Diagnostic]:
    """Answers made elsewhere are there, and their arm is nothing else: not trained, not asked, not built upon."""
    for name, arm in subject.spec.arms.items():
        if arm.responses is None or not subject.draft.is_whole("arms", name):
            continue
        missing = _unreadable(subject, ("arms", name, "responses"), arm.responses, "a JSONL file of answers")
        if missing is not None:
            yield missing
        said = {"from": arm.from_, "train": arm.train, "prompt": arm.prompt, "data": arm.data}
        for key in (key for key, value in said.items() if value is not None):
            message = f"arm {quoted(name)} has answers made elsewhere, so `{key}` means nothing"
            yield error("S312", subject.key("arms", name, key), message, label="means nothing here", help="remove it")
    yield from _built_upon(subject)


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
