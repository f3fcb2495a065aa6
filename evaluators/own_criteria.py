"""Criteria of one's own, with the interface of the nine: a Python file that defines `CRITERION`, or several `CRITERIA`, or
what the entry point of an installed package refers to.

What a judge returns is true, false, None where the criterion does not apply, or a number from 0 (worst) to 1 (best) on an
ordinal scale. Such code can do whatever the person who runs it can.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

from evaluators.criteria import Criterion


class NoCriterion(ValueError):
    """There is no criterion where one should be; the message names the file (and line) or the package."""


def read_criterion(text: str, path: str, name: str) -> Criterion:
    """The criterion of that name in a file's text.

    Raises:
        NoCriterion: the text is no Python, fails when executed, or defines no such criterion.
    """
    module = ModuleType(f"own_criteria_{name}")
    module.__file__ = path
    try:
        exec(compile(text, path, "exec"), module.__dict__)  # the plan has warned that it does
    except SyntaxError as error:
        raise NoCriterion(f"{path}:{error.lineno}: not Python: {error.msg}") from None
    except Exception as error:
        raise NoCriterion(f"{path}:{_line(error, path)}: {type(error).__name__}: {error}") from error
    found = [*getattr(module, "CRITERIA", ()), *([module.CRITERION] if hasattr(module, "CRITERION") else [])]
    named = {each.name: each for each in found if isinstance(each, Criterion)}
    if name not in named:
        there = ", ".join(sorted(named)) or "none"
        raise NoCriterion(f"{path}: no CRITERION and none of CRITERIA is named {name!r}; there is {there}")
    return named[name]


def criterion_of_package(load: Callable[[], object], place: str) -> Criterion:
    """What an entry point refers to.

    Args:
        load: imports it.
        place: package and object, for messages.

    Raises:
        NoCriterion: it cannot be imported, or is no criterion.
    """
    try:
        found = load()
    except Exception as error:
        raise NoCriterion(f"{place}: {type(error).__name__}: {error}") from error
    if not isinstance(found, Criterion):
        raise NoCriterion(f"{place}: not an evaluators.criteria.Criterion but {type(found).__name__}")
    return found


def _line(error: BaseException, path: str) -> int:
    """The line of the file in which an exception arose; 1 where it cannot be told."""
    found, trace = 1, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == path:
            found = trace.tb_lineno
        trace = trace.tb_next
    return found
