"""Names that refer to nothing."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.checks.subject import Subject
from compiler.contrasts import FACTORS
from compiler.diagnostics import Diagnostic, did_you_mean, error, quoted, suggestion
from compiler.language.arms import Arm, TrainOverride
from compiler.language.data import CHOSEN
from compiler.language.evidence import OWN, PREFERENCE_ACCURACY
from compiler.resolve import recipe_name
from compiler.source.tree import Path


def check_recipes(subject: Subject) -> Iterator[Diagnostic]:
    """Every arm's recipe exists."""
    known = subject.declared("recipes")
    for name, arm in subject.spec.arms.items():
        used = recipe_name(arm)
        if used is None or used in known:
            continue
        path = ("arms", name, "train", "use") if isinstance(arm.train, TrainOverride) else ("arms", name, "train")
        message = f"arm {quoted(name)} is trained by {quoted(used)}, which is no recipe"
        yield error(
            "S202",
            subject.value(*path),
            message,
            label="no such recipe",
            help=suggestion(used, known, "recipes"),
            replacement=did_you_mean(used, known),
        )


def check_arms(subject: Subject) -> Iterator[Diagnostic]:
    """Every arm that is referred to exists, and none is called like something else."""
    known = subject.declared("arms")
    if CHOSEN in known:
        yield error(
            "S203",
            subject.key("arms", CHOSEN),
            f"an arm cannot be called `{CHOSEN}`",
            label="a word of the language",
            help=f"`demonstrations.from: {CHOSEN}` means the chosen answers of the pairs; choose another name",
        )
    for path, name in _references(subject):
        if name in subject.draft.varied:
            yield _varied(subject, path, name)
        elif name not in known and (path[0] != "claims" or _misspelt(name, known)):
            yield error(
                "S201",
                subject.value(*path),
                f"there is no arm {quoted(name)}",
                label="no such arm",
                help=suggestion(name, known, "arms"),
                replacement=did_you_mean(name, known),
            )


def _misspelt(name: str, known: tuple[str, ...]) -> bool:
    """Whether a claim's arm is a slip of the pen; one that is simply missing is a matter of method (M001)."""
    letters = [word for word in known if abs(len(word) - len(name)) <= 1 and _slip(name, word)]
    return any(not any(c.isdigit() for c in set(name) ^ set(word)) for word in letters)


def _slip(one: str, other: str) -> bool:
    """Whether two words are a swap of neighbours, or one letter, apart."""
    if len(one) == len(other):
        unequal = [index for index, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
        return len(unequal) == 1 or (len(unequal) == 2 and sorted(one) == sorted(other))
    longer, shorter = (one, other) if len(one) > len(other) else (other, one)
    return any(longer[:index] + longer[index + 1 :] == shorter for index in range(len(longer)))


def _varied(subject: Subject, path: Path, name: str) -> Diagnostic:
    made = subject.draft.varied[name]
    listed = ", ".join(quoted(arm) for arm in made[:6]) + (f" and {len(made) - 6} more" if len(made) > 6 else "")
    way_out = f"name one of {listed}"
    if path[0] == "arms" and path[2:] in (("from",), ("train", "match", "tokens")):
        setting, some = ".".join(map(str, path[2:])), ", ".join(made[:3]) + (", ..." if len(made) > 3 else "")
        way_out += f"; or let this arm follow all of them: `vary: {{{setting}: [{some}]}}`"
    message = f"arm {quoted(name)} is varied, so there are {len(made)} of it"
    return error("S220", subject.value(*path), message, label="which of them?", help=way_out)


def _references(subject: Subject) -> Iterator[tuple[Path, str]]:
    """Every place where an arm is named, and the name."""
    spec = subject.spec
    named: list[tuple[Path, str | None]] = [
        (("data", "demonstrations", "from"), spec.data.demonstrations.from_),
        (("data", "preferences", "chosen", "from"), spec.data.preferences.chosen.from_),
    ]
    for name, arm in spec.arms.items():
        named += _references_of_arm(name, arm)
    for name, claim in spec.claims.items():
        named += [(("claims", name, "compare", index), arm) for index, arm in enumerate(claim.compare)]
    for path, arm_name in named:
        if arm_name is not None and not (arm_name == CHOSEN and path[-2:] == ("demonstrations", "from")):
            yield path, arm_name


def _references_of_arm(name: str, arm: Arm) -> Iterator[tuple[Path, str | None]]:
    yield ("arms", name, "from"), arm.from_
    if isinstance(arm.train, TrainOverride) and arm.train.match is not None:
        yield ("arms", name, "train", "match", "tokens"), arm.train.match.tokens
    if arm.data is not None and arm.data.demonstrations is not None:
        yield ("arms", name, "data", "demonstrations", "from"), arm.data.demonstrations.from_
    if arm.data is not None and arm.data.preferences is not None:
        yield ("arms", name, "data", "preferences", "chosen", "from"), arm.data.preferences.chosen.from_


def check_endpoints(subject: Subject) -> Iterator[Diagnostic]:
    """Every endpoint that decides is also measured, and every claim has one."""
    evaluation = subject.spec.evaluation
    measured = (*evaluation.measured, PREFERENCE_ACCURACY)
    named: list[tuple[Path, tuple[str, ...]]] = [(("evaluation", "primary"), evaluation.primary)]
    named += [(("claims", name, "on"), claim.on or ()) for name, claim in subject.spec.claims.items()]
    for path, endpoints in named:
        for index, endpoint in enumerate(endpoints):
            if endpoint not in measured and subject.draft.is_whole("evaluation", "criteria"):
                key = "evaluation.own_criteria" if endpoint.startswith(OWN) else "evaluation.criteria"
                message, way_out = f"{quoted(endpoint)} decides, but `{key}` leaves it out", f"add it to `{key}`"
                yield error("S204", subject.value(*path, index), message, label="not measured", help=way_out)
    if not evaluation.primary and subject.draft.is_whole("evaluation", "primary"):
        yield from _without_endpoint(subject)


def _without_endpoint(subject: Subject) -> Iterator[Diagnostic]:
    for name, claim in subject.spec.claims.items():
        if claim.on is None and subject.draft.is_whole("claims", name, "on"):
            yield error(
                "S205",
                subject.key("claims", name),
                f"claim {quoted(name)} is about nothing: it has no `on`, and `evaluation.primary` is empty",
                label="no endpoint",
                help="add `on: [addresses_instruction]` here, or name the primary endpoints in `evaluation.primary`",
            )


def check_factors(subject: Subject) -> Iterator[Diagnostic]:
    """Every factor that a claim isolates exists."""
    for name, claim in subject.spec.claims.items():
        for index, factor in enumerate(claim.isolates):
            if factor not in FACTORS:
                yield error(
                    "S206",
                    subject.value("claims", name, "isolates", index),
                    f"{quoted(factor)} is no factor in which arms can differ",
                    label="no such factor",
                    help=suggestion(factor, FACTORS, "factors"),
                    replacement=did_you_mean(factor, FACTORS),
                )
