"""From arms with `vary` to the arms they stand for, on the tree of the spec, so that every value keeps its place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from math import prod

from compiler.diagnostics import Diagnostic, Place, error, quoted
from compiler.expand.naming import arm_name, labels, word_of
from compiler.source.reading import LARGEST
from compiler.source.tree import Entry, Node, NoSuchPath, mapping, with_value

VARY = "vary"
MOST_ARMS = 2_000
"""Arms that all `vary` of a spec may make together: more is a mistake, or a search that needs another tool."""


@dataclass(frozen=True, slots=True)
class Expansion:
    """A spec without any `vary`."""

    tree: Node
    findings: list[Diagnostic] = field(default_factory=list)
    varied: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Arm with `vary` -> the arms it became."""

    @property
    def notes(self) -> tuple[str, ...]:
        """One line per varied arm: how many arms it became, and which."""
        return tuple(_note(arm, names) for arm, names in self.varied.items())

    def once(self, findings: Iterable[Diagnostic]) -> Iterator[Diagnostic]:
        """The findings, a mistake in a varied arm told once and not for each of the arms it became."""
        told: set[tuple[object, ...]] = set()
        for found in findings:
            identity = (found.code, found.place, found.label, found.help)
            if not (self.varied and found.code.startswith("S") and identity in told):
                yield found
            told.add(identity)


@dataclass(frozen=True, slots=True)
class _Setting:
    """One setting of an arm that is varied."""

    path: tuple[str, ...]
    key: Place
    values: tuple[tuple[str, Node], ...]
    """Each with the word that it puts into an arm's name."""


def _note(arm: str, names: tuple[str, ...]) -> str:
    listed = ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
    return f"arm `{arm}` is varied into {len(names)}: {listed}"


def expand(tree: Node) -> Expansion:
    """The tree with every varied arm written out; one whose `vary` is wrong stays a single arm."""
    arms = tree.child("arms")
    if arms is None or arms.entries is None or not any(entry.node.child(VARY) for entry in arms.entries.values()):
        return Expansion(tree)
    findings: list[Diagnostic] = []
    grids: dict[str, list[_Setting]] = {}
    for name, entry in arms.entries.items():
        vary = entry.node.child(VARY)
        if vary is not None and (vary.scalar is not None or not vary.is_scalar):
            grids[name] = _settings(name, vary, findings)
    findings += _too_many(arms, grids)
    if findings:
        grids = {}
    entries, varied = _written_out(arms.entries, grids, findings)
    whole = {**(tree.entries or {}), "arms": Entry((tree.entries or {})["arms"].key, mapping(arms.place, entries))}
    return Expansion(mapping(tree.place, whole), findings, varied)


def _settings(arm: str, vary: Node, findings: list[Diagnostic]) -> list[_Setting]:
    if not vary.entries:
        findings.append(_wrong_type(f"arms.{arm}.{VARY}", vary, "a mapping of settings to lists of values"))
        return []
    found = list(_flat(f"arms.{arm}.{VARY}", (), vary, findings))
    for setting in found:
        findings += _given_twice(f"arms.{arm}.{VARY}.{'.'.join(setting.path)}", setting.values)
    return found


def _flat(where: str, path: tuple[str, ...], node: Node, findings: list[Diagnostic]) -> Iterator[_Setting]:
    """The settings under `vary`, whose paths may be written with dots or as nested mappings."""
    for key, entry in (node.entries or {}).items():
        below = (*path, *key.split("."))
        if entry.node.items and all(below):
            values = tuple((word_of(value, number), value) for number, value in enumerate(entry.node.items, start=1))
            yield _Setting(below, entry.key, values)
        elif entry.node.entries and all(below):
            yield from _flat(where, below, entry.node, findings)
        else:
            findings.append(_wrong_type(f"{where}.{'.'.join(below)}", entry.node, "a list of values"))


def _wrong_type(where: str, node: Node, expected: str) -> Diagnostic:
    message = f"{quoted(where)} takes {expected}, found {node.noun if node.is_scalar else 'an empty ' + node.noun[2:]}"
    return error("S217", node.place, message, label="no values to vary", help="such as `vary: {train.beta: [0.05, 0.1, 0.3]}`")


def _given_twice(where: str, values: tuple[tuple[str, Node], ...]) -> Iterator[Diagnostic]:
    seen: set[str] = set()
    for _, value in values:
        identity = repr(_identity(value.plain()))
        if identity in seen:
            message = f"a value stands twice in {quoted(where)}"
            yield error("S108", value.place, message, label="again here", help="keep one of the two")
        seen.add(identity)


def _identity(value: object) -> object:
    """What makes two values the same: 1 and 1.0 are, 1 and true are not."""
    return float(value) if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53 else value


def _too_many(arms: Node, grids: Mapping[str, list[_Setting]]) -> Iterator[Diagnostic]:
    total = 0
    for name, settings in grids.items():
        made = prod(len(setting.values) for setting in settings) if settings else 0
        total += made
        arm = arms.child(name)
        if total <= MOST_ARMS and (arm is None or made * _without_vary(arm).size <= LARGEST):
            continue
        told = " x ".join(str(len(setting.values)) for setting in settings)
        yield error(
            "S218",
            arms.key_place((name, VARY)),
            f"`{VARY}` makes {total:,} arms, at most {MOST_ARMS:,} are allowed",
            label=f"{told} = {made:,} arms" if len(settings) > 1 else f"{made:,} arms",
            help="vary fewer settings at once, or give them fewer values",
        )
        return


def _written_out(
    written: Mapping[str, Entry], grids: Mapping[str, list[_Setting]], findings: list[Diagnostic]
) -> tuple[dict[str, Entry], dict[str, tuple[str, ...]]]:
    """All arms, and which ones the varied ones became."""
    entries: dict[str, Entry] = {}
    varied: dict[str, tuple[str, ...]] = {}
    for name, entry in written.items():
        if not grids.get(name):
            entries[name] = Entry(entry.key, _without_vary(entry.node))
            continue
        made = dict(_grid(name, entry.node, grids[name], findings))
        for taken in sorted(made.keys() & (written.keys() | entries.keys())):
            message = f"`{VARY}` makes an arm {quoted(taken)}, and there is one of that name"
            findings.append(error("S219", entry.key, message, label="makes it again", help="rename one of the two"))
        entries |= {arm: Entry(entry.key, node) for arm, node in made.items()}
        varied[name] = tuple(made)
    return entries, varied


def _grid(arm: str, node: Node, settings: list[_Setting], findings: list[Diagnostic]) -> Iterator[tuple[str, Node]]:
    plain = _without_vary(node)
    words = labels([setting.path for setting in settings])
    made: set[str] = set()
    for number, values in enumerate(product(*(setting.values for setting in settings)), start=1):
        changed = plain
        for setting, (_, value) in zip(settings, values, strict=True):
            changed = _with(changed, setting, value, findings)
        name = arm_name(arm, [(label, word) for label, (word, _) in zip(words, values, strict=True)], number)
        name = name if name not in made else f"{name}-{number}"
        made.add(name)
        yield name, changed


def _with(arm: Node, setting: _Setting, value: Node, findings: list[Diagnostic]) -> Node:
    train = arm.child("train")
    if len(setting.path) > 1 and setting.path[0] == "train" and train is not None and isinstance(train.scalar, str):
        use = mapping(train.place, {"use": Entry(train.place, train)})  # `train: dpo` is short for `train: {use: dpo}`
        arm = with_value(arm, ("train",), use, (train.place,))
    try:
        return with_value(arm, setting.path, value, (setting.key,) * len(setting.path))
    except NoSuchPath as missing:
        above = ".".join(setting.path[: missing.depth])
        message = f"`{above}` is {missing.found.noun} and has no {quoted(setting.path[missing.depth])} to vary"
        wrong = error("S217", setting.key, message, label="cannot be varied", help=f"vary `{above}` as a whole")
        if wrong not in findings:
            findings.append(wrong)
        return arm


def _without_vary(arm: Node) -> Node:
    if arm.entries is None or VARY not in arm.entries:
        return arm
    return mapping(arm.place, {key: entry for key, entry in arm.entries.items() if key != VARY})
