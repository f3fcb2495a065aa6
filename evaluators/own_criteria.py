"""Criteria of one's own, with the interface of the nine: a Python file that defines `CRITERION`, or several `CRITERIA`, or
what the entry point of an installed package refers to.

What a judge returns is true, false, None where the criterion does not apply, or a number from 0 (worst) to 1 (best) on an
ordinal scale. Such code can do whatever the person who runs it can.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

from evaluators.criteria import Criterion

LOOKS_LIKE = (
    'a criterion looks like `CRITERION = Criterion(name="{name}", definition="...", sees=(), blind_to=(), '
    "judge=lambda view: len(view.words) <= 20)`, with `from evaluators.criteria import Criterion`"
)
"""What is wanted, for whoever wrote something else."""


class NoCriterion(ValueError):
    """There is no criterion where one should be; the message names the file (and line) or the package."""


def read_criterion(text: str, path: str, name: str) -> Criterion:
    """The criterion of that name in a file's text.

    Raises:
        NoCriterion: the text is no Python, fails when executed, or defines no such criterion.
    """
    module = ModuleType(f"own_criteria_{name}")
    module.__file__ = path
    sys.modules[module.__name__] = module  # where `dataclass` looks up the names of a class's module
    try:
        exec(compile(text, path, "exec", dont_inherit=True), module.__dict__)  # the plan has warned that it does
    except SyntaxError as error:
        raise NoCriterion(f"{path}:{error.lineno}: not Python: {error.msg}") from None
    except (Exception, SystemExit) as error:  # a file that calls `sys.exit` is to end no run
        raise NoCriterion(f"{path}:{_line(error, path)}: {type(error).__name__}: {error}") from error
    named = {each.name: each for each in _defined(module.__dict__, path)}
    if name not in named:
        there = f"there is {', '.join(sorted(named))}" if named else "it defines neither CRITERION nor CRITERIA"
        raise NoCriterion(f"{path}: no criterion is named {name!r}; {there}")
    return named[name]


def _defined(names: Mapping[str, Any], path: str) -> list[Criterion]:
    """What `CRITERIA` and `CRITERION` hold.

    Raises:
        NoCriterion: something else than criteria.
    """
    several = names.get("CRITERIA", ())
    if not isinstance(several, list | tuple):
        raise NoCriterion(f"{path}: CRITERIA is of type {type(several).__name__}, not a list or tuple of Criterion")
    found = [(f"CRITERIA[{place}]", each) for place, each in enumerate(several)]
    found += [("CRITERION", names["CRITERION"])] if "CRITERION" in names else []
    for where, each in found:
        if not isinstance(each, Criterion):
            raise NoCriterion(f"{path}: {where} is of type {type(each).__name__}, not a Criterion")
    return [each for _, each in found]


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
    except (Exception, SystemExit) as error:
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
