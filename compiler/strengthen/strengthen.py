"""Adds to a spec what its findings ask for, until nothing is left that can be added. Comments and layout stay."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from compiler.checks.method import Design, Finding, run_method_checks
from compiler.checks.method.power import Power
from compiler.compile import Compilation

_ROUNDS = 100
"""Additions at most: one finding is answered at a time, since what answers one often answers others."""
Compile = Callable[[str], Compilation]


@dataclass(frozen=True, slots=True)
class Strengthened:
    """A strengthened spec."""

    text: str
    added: tuple[str, ...]
    """What was added: the dotted path and the finding that it answers."""
    left: tuple[Finding, ...]
    """Findings that no addition cures: a person has to decide."""


def strengthen(text: str, level: str, compile_: Compile, power: Power | None = None) -> Strengthened:
    """Add arms, claims, seeds, items and corrections until the findings are answered.

    Args:
        text: a spec whose language is right.
        level: `mvp` or `publication`: how strict to be.
        compile_: from a spec's text to its compilation; it need not look at power.
        power: answers questions of power, once arms and claims are complete; None: items and seeds stay as they are.

    Raises:
        ValueError: the spec has mistakes of language, so that there is nothing to strengthen yet.
    """
    yaml = _yaml(text)
    document = yaml.load(text)
    added: list[str] = []
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
    return Strengthened(_dumped(yaml, document), tuple(added), findings)


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


def _add(document: CommentedMap, finding: Finding) -> list[str]:
    """Write a finding's remedy into the document; what was written."""
    added = []
    for section, entries in (("arms", finding.remedy.arms), ("claims", finding.remedy.claims)):
        for name, body in entries.items():
            if name not in document.setdefault(section, CommentedMap()):
                cost = "one more training per seed" if section == "arms" and body.get("train") else "one more test"
                _put(document[section], name, body, f"{finding.code}, for {', '.join(finding.claims[:2])}; cost: {cost}")
                added.append(f"{section}.{name} ({finding.code})")
    for path, value in finding.remedy.settings.items():
        *above, key = path.split(".")
        at = document
        for part in above:
            at = at.setdefault(part, CommentedMap()) if isinstance(at.get(part, CommentedMap()), Mapping) else at
        if at.get(key) != value:
            _put(at, key, value, f"{finding.code}; was {at.get(key)}; cost: grows with it")
            added.append(f"{path} ({finding.code})")
    return added


def _put(at: CommentedMap, key: str, value: Any, why: str) -> None:
    """Set a key, its reason beside it; inside a flow mapping, where no comment fits, the value alone."""
    at[key] = _flow(value)
    if not at.fa.flow_style():
        at.yaml_add_eol_comment(why, key, column=0)


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
