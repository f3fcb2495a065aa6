"""Criteria of one's own as a plan has them: loaded for a score, and tried before a run spends anything on what they judge."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from compiler.plan import Step
from evaluators.criteria import Criterion
from evaluators.own_criteria import LOOKS_LIKE, NoCriterion, criterion_of_package, read_criterion
from stage1.failures import one_line
from stage1.installed import ChangedPackage, find_criterion
from stage1.steps.planned_files import ChangedFile, NotText, text_as_planned


def planned_criterion(name: str, planned: Mapping[str, Any], read_text: Callable[[str], str]) -> Criterion:
    """The criterion that a score step's settings name, its code run.

    Raises:
        NoCriterion: there is none in the file, or behind the entry point.
        ChangedFile, NotText, ChangedPackage: the code is not what was planned with.
        OSError: the file cannot be read.
    """
    if "file" in planned:
        return read_criterion(text_as_planned(read_text, planned["file"], planned["digest"]), planned["file"], name)
    place = f"{planned['distribution']} {planned['version']}, {planned['object']}"
    return criterion_of_package(find_criterion(planned).load, place)


def faulty_criteria(steps: Iterable[Step], read_text: Callable[[str], str]) -> Iterator[str]:
    """A line for each criterion of one's own that these steps will need and that cannot be loaded; runs their code."""
    wanted = {
        name: planned for step in steps if step.kind == "score" for name, planned in (step.settings.get("own") or {}).items()
    }
    for name, planned in wanted.items():
        try:
            planned_criterion(name, planned, read_text)
        except NoCriterion as wrong:
            yield f"criterion `{name}`: {one_line(wrong)}; {LOOKS_LIKE.format(name=name)}"
        except (ChangedFile, NotText, ChangedPackage) as wrong:
            yield f"criterion `{name}`: {one_line(wrong)}"
        except OSError as failure:
            yield f"criterion `{name}`: {planned.get('file')} cannot be read: {failure.strerror or one_line(failure)}"
