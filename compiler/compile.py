"""`compile_spec`: text in, diagnostics and a plan out. No disk, no clock, no network: the world is handed in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from compiler.addresses import without_secrets
from compiler.checks import run_checks
from compiler.checks.method import Design, Finding, run_method_checks
from compiler.checks.method.power import Power
from compiler.checks.subject import Subject
from compiler.confounds import Confounds, confounds_of
from compiler.contrasts import Contrast, contrasts
from compiler.diagnostics import Diagnostic, error
from compiler.expand import Expansion, expand
from compiler.language.data import BANK
from compiler.language.evidence import EntryPoint
from compiler.language.spec import Spec
from compiler.lowering import Digests, lower
from compiler.plan import Plan, fingerprint
from compiler.resolve import ResolvedArm, resolve_arms
from compiler.shape import Draft, check_shape
from compiler.source.inheriting import EXTENDS, Family, inherit
from compiler.source.overrides import flag_name, overridden
from compiler.source.reading import read
from compiler.source.text import SourceText
from compiler.source.tree import Node
from compiler.world import InstalledCriterion, Remembering, World

COSMETIC = frozenset({"description", "tracking", "runtime"})
"""Sections of a spec that change no result."""
_PASSWORD = (
    "tracking.uri holds a password or key, which is left out of the plan and of all that is written; "
    "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD would keep it out of the spec, too"
)


@dataclass(frozen=True, slots=True)
class Compilation:
    """What became of a spec."""

    diagnostics: tuple[Diagnostic, ...]
    spec: Spec | None = None
    """The spec with its defaults; None if anything about its shape is wrong."""
    plan: Plan | None = None
    """None if there is any error."""
    contrasts: tuple[Contrast, ...] = ()
    """Per claim, in what its two arms differ."""
    notes: tuple[str, ...] = ()
    """What a person should know of though nothing is wrong: into how many arms `vary` was expanded."""

    design: Design | None = None
    """The experiment as the method checks see it; None if its parts do not fit together."""
    findings: tuple[Finding, ...] = ()
    """What the method checks found, with remedies; the diagnostics tell it, too."""

    @property
    def ok(self) -> bool:
        """Whether there is a plan."""
        return self.plan is not None


def compile_spec(path: str, text: str, overrides: Sequence[str], world: World, power: Power | None = None) -> Compilation:
    """Check a spec and lower it to a plan; every mistake is found, not only the first.

    Args:
        path: the spec's name in messages.
        text: the spec.
        overrides: what was given with `--set`, such as `recipes.dpo.beta=0.3`; the last one wins.
        world: answers questions about the files that the spec refers to.
        power: answers questions of power; None: nothing is said about it.
    """
    compilation = _compiled(SourceText(path, text), overrides, Remembering(world), power)
    sources = (path, *(flag_name(number) for number in range(1, len(overrides) + 1)))
    return replace(compilation, diagnostics=_sorted(compilation.diagnostics, sources))


def _compiled(source: SourceText, overrides: Sequence[str], world: World, power: Power | None) -> Compilation:
    tree, findings = read(source)
    if tree is None or tree.entries is None:
        return Compilation(tuple(findings or [_no_mapping(source, tree)]))
    family = inherit(source, tree, world)
    expansion = _expanded(family, overrides)
    findings += family.findings + expansion.findings
    compilation = _judged(expansion, findings, world, power)
    told = [family.explained(finding) for finding in expansion.once(compilation.diagnostics)]
    return replace(compilation, diagnostics=tuple(told), notes=(*expansion.notes, *_notes(compilation.spec)))


def _notes(spec: Spec | None) -> tuple[str, ...]:
    uri = spec.tracking.uri if spec is not None else None
    return (_PASSWORD,) if uri and without_secrets(uri) != uri else ()


def _expanded(family: Family, overrides: Sequence[str]) -> Expansion:
    tree, findings = overridden(family.tree, overrides)
    expansion = expand(tree)
    return replace(expansion, findings=[*findings, *_extended_by_flag(family.tree, tree), *expansion.findings])


def _extended_by_flag(before: Node, after: Node) -> list[Diagnostic]:
    entry = (after.entries or {}).get(EXTENDS)
    if entry is None or before.child(EXTENDS) is entry.node:
        return []
    message = f"`{EXTENDS}` cannot be set by a flag: the file is read before flags apply"
    return [error("S403", entry.key, message, label="too late", help=f"write `{EXTENDS}:` in the spec, or plan the other spec")]


def _extends_unknown(tree: Node) -> bool:
    """Whether a spec extends one that could not be read."""
    node = tree.child(EXTENDS)
    return node is not None and not (node.is_scalar and node.scalar is None)


def _judged(expansion: Expansion, findings: list[Diagnostic], world: World, power: Power | None) -> Compilation:
    draft, wrong_shape = check_shape(expansion.tree)
    findings = findings + wrong_shape
    if _extends_unknown(expansion.tree):  # what is missing here may stand there
        return Compilation(tuple(finding for finding in findings if finding.code != "S101"))
    if draft is None:
        return Compilation(tuple(findings))
    draft = replace(draft, varied=expansion.varied)
    subject = Subject(draft, resolve_arms(draft.spec), world)
    findings += run_checks(subject)
    spec = None if draft.broken else draft.spec
    if _has_error(findings):
        return Compilation(tuple(findings), spec)
    table = contrasts(draft.spec, subject.arms)
    design = Design(subject, table, power)
    found = run_method_checks(design)
    findings += [finding.diagnostic(draft.spec.level) for finding in found]
    plan = None if _has_error(findings) else _plan(draft, subject.arms, confounds_of(table, found), world)
    return Compilation(tuple(findings), spec, plan, table, design=design, findings=found)


def _no_mapping(source: SourceText, tree: Node | None) -> Diagnostic:
    way_out = "begin with `experiment: NAME`; specs/quickstart.yaml is an example"
    if tree is None or (tree.items is None and tree.scalar is None):
        return error("S003", source.place(0, 0), "the spec is empty", label="nothing here", help=way_out)
    message = f"a spec is a mapping of keys to values, found {tree.noun}"
    return error("S004", source.place(0, 0), message, label=f"this is {tree.noun}", help=way_out)


def _plan(draft: Draft, arms: Mapping[str, ResolvedArm], confounds: Confounds, world: World) -> Plan:
    spec = draft.spec
    source = spec.data.instructions.source
    answered = (arm.responses for arm in spec.arms.values() if arm.responses is not None)
    paths = sorted({*spec.evaluation.own_files, *answered})
    digests = Digests(
        world.digest_model(spec.model.base),
        None if source == BANK else world.digest_file(source),
        {path: world.digest_file(path) for path in paths},
        _installed(spec, world),
    )
    lowered = lower(spec, arms, confounds, digests)
    resolved = _resolved(spec)
    return Plan.model_construct(
        experiment=spec.experiment,
        spec=resolved,
        spec_fingerprint=fingerprint({key: value for key, value in resolved.items() if key not in COSMETIC}),
        fingerprint=fingerprint(sorted(step.fingerprint for step in lowered.steps)),
        steps=lowered.steps,
        arms=lowered.arms,
        analyze=lowered.analyze,
    )


def _installed(spec: Spec, world: World) -> dict[str, InstalledCriterion]:
    wanted = {each.entry_point for each in spec.evaluation.own_criteria.values() if isinstance(each, EntryPoint)}
    return {each.entry_point: each for each in (world.installed_criteria() if wanted else ()) if each.entry_point in wanted}


def _resolved(spec: Spec) -> dict[str, Any]:
    """The spec with every default filled in; of what an arm overrides, only what it says. No password is in it."""
    whole: dict[str, Any] = spec.model_dump(mode="json", by_alias=True)
    if spec.tracking.uri is not None:
        whole["tracking"]["uri"] = without_secrets(spec.tracking.uri)
    for name, arm in spec.arms.items():
        said = arm.model_dump(mode="json", by_alias=True, exclude_unset=True)
        whole["arms"][name] |= {key: said[key] for key in ("train", "data") if key in said}
    return whole


def _has_error(findings: Iterable[Diagnostic]) -> bool:
    return any(finding.severity == "error" for finding in findings)


def _sorted(findings: Sequence[Diagnostic], sources: Sequence[str]) -> tuple[Diagnostic, ...]:
    """Each finding once: those of the spec in the order of its lines, then those of each flag, then those of other files."""
    rank = {source: number for number, source in enumerate(sources)}
    in_order = sorted(findings, key=lambda found: (rank.get(found.source, len(rank)), found.source, found.span, found.code))
    return tuple(dict.fromkeys(in_order))
