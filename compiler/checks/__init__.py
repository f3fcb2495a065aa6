"""Checks beyond shape, in families. To add one: write a function from a `Subject` to diagnostics, and list it here.

A check never stops another: each looks at the spec with the mistakes of shape cut out and says only what it is sure of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from compiler.checks import files, graph, names, outside, training, values
from compiler.checks.subject import Subject
from compiler.diagnostics import Diagnostic

Check = Callable[[Subject], Iterable[Diagnostic]]

CHECKS: tuple[Check, ...] = (
    values.check_duplicates,
    values.check_mixes,
    values.check_assumptions,
    names.check_recipes,
    names.check_arms,
    names.check_endpoints,
    names.check_factors,
    graph.check_cycles,
    graph.check_idle_arms,
    graph.check_twins,
    training.check_overrides,
    training.check_chosen,
    training.check_matches,
    training.check_batches,
    training.check_losses,
    training.check_engines,
    training.check_pairs,
    training.check_weights,
    training.check_shards,
    training.check_unused,
    files.check_model,
    files.check_instructions,
    outside.check_own_criteria,
    outside.check_responses,
)


def run_checks(subject: Subject) -> Iterator[Diagnostic]:
    """What every check has to say."""
    for check in CHECKS:
        yield from check(subject)
