"""Adds to a spec what its findings ask for, until nothing is left that can be added. Comments and layout stay."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from compiler.checks.method import Design, Finding, run_method_checks
from compiler.checks.method.power import Power
from compiler.compile import Compilation
from compiler.flow import flow
from compiler.plan import Plan
from compiler.strengthen.costs import Addition, Costs, merged

_ROUNDS = 100
"""Additions at most: one finding is answered at a time, since what answers one often answers others."""
Compile = Callable[[str], Compilation]
Priced = Callable[[Plan], Costs | None]


@dataclass(frozen=True, slots=True)
class Strengthened:
    """A strengthened spec."""

    text: str
    added: tuple[str, ...]
    """What was added: the dotted path, the finding that it answers, and what it costs."""
    left: tuple[Finding, ...]
    """Findings that no addition cures: a person has to decide."""


def strengthen(
    text: str, level: str, compile_: Compile, power: Power | None = None, priced: Priced | None = None
) -> Strengthened:
    """Add arms, claims, seeds, items and corrections until the findings are answered.

    Args:
        text: a spec whose language is right.
        level: `mvp` or `publication`: how strict to be.
        compile_: from a spec's text to its compilation; it need not look at power.
        power: answers questions of power, once arms and claims are complete; None: items and seeds stay as they are.
        priced: from the strengthened plan to what its additions cost; None: costs are not told.

    Raises:
        ValueError: the spec has mistakes of language, so that there is nothing to strengthen yet.
    """
    yaml = _yaml(text)
    document = yaml.load(text)
    added: list[Addition] = []
    findings: tuple[Finding, ...] = ()
    sized: Power | None = None
    for _ in range(_ROUNDS):
        findings = _findings(compile_(_dumped(yaml, document)).design, level, sized)
        new = next((lines for finding in findings if (lines := _add(document, finding))), [])
        added += new
        if not new and sized is power:
            break
        if not new:  # items and seeds come last: what they have to be depends on the arms and claims
            sized = power
    added = merged(added)
    costs = _costs(compile_(_dumped(yaml, document)).plan, added, priced)
    for addition, cost in zip(added, costs, strict=True):
        _explain(document, addition, cost)
    told = tuple(f"{addition.name} ({addition.code}): {cost}" for addition, cost in zip(added, costs, strict=True))
    return Strengthened(_dumped(yaml, document), told, findings)


def _costs(plan: Plan | None, added: Sequence[Addition], priced: Priced | None) -> list[str]:
    """What each addition costs; where the plan cannot be made yet or its model is unknown, in words."""
    known = priced(plan) if priced is not None and plan is not None else None
    if known is not None:
        return [known.of(addition) for addition in added]
    words = {"arms": "its steps, once per seed", "claims": "one more test", "seeds": "every training once more per seed"}
    return [words.get(addition.path[0], "no training") for addition in added]


def _yaml(text: str) -> YAML:
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 10_000
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def _dumped(yaml: YAML, document: Any) -> str:
    out = io.StringIO()
    yaml.dump(document, out)
    return out.getvalue()


def _findings(design: Design | None, level: str, power: Power | None) -> tuple[Finding, ...]:
    if design is None:
        raise ValueError("the spec has mistakes of language: correct them first")
    strict = level == "publication"
    return run_method_checks(Design(design.subject, design.contrasts, power, "publication" if strict else "mvp"))


def _add(document: CommentedMap, finding: Finding) -> list[Addition]:
    """Write a finding's remedy into the document; what was written."""
    added = []
    for section, entries in (("arms", finding.remedy.arms), ("claims", finding.remedy.claims)):
        for name, body in entries.items():
            if name not in document.setdefault(section, CommentedMap()):
                document[section][name] = _flow(body)
                added.append(Addition((section, name), body, finding.code, finding.claims))
    for path, value in finding.remedy.settings.items():
        *above, key = path.split(".")
        at = document
        for part in above:
            at = at.setdefault(part, CommentedMap()) if isinstance(at.get(part, CommentedMap()), Mapping) else at
        if at.get(key) != value:
            added.append(Addition((*above, key), value, finding.code, finding.claims, _plain(at.get(key))))
            at[key] = _flow(value)
    return added


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, list) else dict(value) if isinstance(value, Mapping) else value


def _explain(document: CommentedMap, addition: Addition, cost: str) -> None:
    """Name beside an addition the finding that it answers and what it costs; inside a flow mapping on the line above it."""
    claims = ", ".join(addition.claims[:2]) + (f" and {len(addition.claims) - 2} more" if len(addition.claims) > 2 else "")
    was = f"; was {flow(addition.was)}" if addition.was is not None else ""
    why = f"{addition.code}, for {claims}{was}; cost: {cost}"
    at: Any = document
    for key in addition.path[:-1]:
        if at[key].fa.flow_style():
            at.yaml_set_comment_before_after_key(key, before=f"{addition.name}: {why}", indent=at.lc.col)
            return
        at = at[key]
    at.yaml_add_eol_comment(why, addition.path[-1], column=0)


def _flow(value: Any) -> Any:
    found: CommentedMap | CommentedSeq
    if isinstance(value, Mapping):
        found = CommentedMap((key, _flow(below)) for key, below in value.items())
    elif isinstance(value, list | tuple):
        found = CommentedSeq(_flow(item) for item in value)
    else:
        return value
    found.fa.set_flow_style()
    return found
