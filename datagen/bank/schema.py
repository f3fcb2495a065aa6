"""Reads one relation file strictly: every mistake is an error that names its place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from compiler.records import Constraint, Kind
from datagen.bank.constraints import constraint_problems, mentions
from datagen.bank.facts import Fact, Phrasing, Relation
from datagen.bank.render import fits, good_answer, slug, to_item
from datagen.bank.wording import ENTITY_PLACEHOLDERS, VALUE_PLACEHOLDERS, placeholders

Scalar = StrictStr | StrictInt


class InvalidRelation(ValueError):
    """A relation file that breaks the format; the message lists everything that is wrong with it."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _PhrasingEntry(_Strict):
    kind: Kind
    text: str
    constraint: Constraint | None = None
    good: str | None = None


class _RelationFile(_Strict):
    relation: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    topic: str = Field(pattern=r"^[a-z][a-z ]*$")
    open: bool = False
    phrasings: tuple[_PhrasingEntry, ...] = Field(min_length=1)
    statements: tuple[str, ...] = ()
    facts: dict[Scalar, Scalar | list[Scalar]] = Field(default_factory=dict)
    members: dict[Scalar, list[Scalar]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _facts_or_members(self) -> Self:
        if bool(self.facts) == bool(self.members):
            raise ValueError("give either `facts` or `members`")
        return self


def read_relation(text: str, path: str) -> Relation:
    """The relation in a YAML text; `path` is only for messages.

    Raises:
        InvalidRelation: the text is no YAML, breaks the schema, uses an unknown placeholder, has two entities of one id, or
            has a phrasing that fits no fact or a fact that no phrasing fits.
    """
    try:
        return build_relation(YAML(typ="safe", pure=True).load(text), path)
    except YAMLError as error:
        raise InvalidRelation(f"{path}: {error}") from error


def build_relation(data: Any, path: str) -> Relation:
    """The relation described by parsed YAML, or by code that speaks the same format. Raises as `read_relation` does."""
    try:
        file = _RelationFile.model_validate(data)
    except ValidationError as error:
        lines = [f"{path}: {'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in error.errors()]
        raise InvalidRelation("\n".join(lines)) from error
    relation = Relation(
        name=file.relation,
        topic=file.topic,
        open=file.open,
        phrasings=tuple(_phrasing(file, place, entry) for place, entry in enumerate(file.phrasings, start=1)),
        statements=file.statements,
        facts=tuple(_facts(file)),
    )
    problems = list(_template_problems(relation, lists=bool(file.members))) or list(_fact_problems(relation))
    if problems:
        raise InvalidRelation("\n".join(f"{path}: {problem}" for problem in problems))
    return relation


def _phrasing(file: _RelationFile, place: int, entry: _PhrasingEntry) -> Phrasing:
    good = entry.good or ("{list}" if file.members else "{value}")
    return Phrasing(f"{file.relation}/{place}", entry.kind, entry.text, entry.constraint, good)


def _facts(file: _RelationFile) -> Iterator[Fact]:
    for entity, members in file.members.items():
        yield Fact(str(entity), "", members=tuple(map(str, members)))
    for entity, given in file.facts.items():
        value, *synonyms = map(str, given if isinstance(given, list) else [given])
        yield Fact(str(entity), value, tuple(synonyms))


def _template_problems(relation: Relation, *, lists: bool) -> Iterator[str]:
    value = frozenset({"members", "list"}) if lists else VALUE_PLACEHOLDERS
    for phrasing in relation.phrasings:
        place, constraint = f"phrasing {phrasing.family}", phrasing.constraint
        yield from _unknown(f"{place}: text", phrasing.text, ENTITY_PLACEHOLDERS | ({"n"} if lists else set()))
        yield from _unknown(f"{place}: good", phrasing.good, ENTITY_PLACEHOLDERS | value)
        if not placeholders(phrasing.text) & ENTITY_PLACEHOLDERS:
            yield f"{place}: text does not mention {{entity}}"
        if constraint:
            yield from _unknown(f"{place}: constraint", constraint.text or "", ENTITY_PLACEHOLDERS | value)
            yield from constraint_problems(constraint, place)
        if lists and (constraint is None or constraint.type != "list"):
            yield f"{place}: a list task needs the constraint {{type: list, n: ...}}"
    for statement in relation.statements:
        yield from _unknown(f"statement {statement!r}", statement, ENTITY_PLACEHOLDERS | value)


def _unknown(place: str, template: str, known: Iterable[str]) -> Iterator[str]:
    for name in sorted(placeholders(template) - set(known)):
        yield f"{place} uses {{{name}}}; known here: {', '.join(sorted(known))}"


def _fact_problems(relation: Relation) -> Iterator[str]:
    owners: dict[str, str] = {}
    for fact in relation.facts:
        other = owners.setdefault(slug(fact.entity), fact.entity)
        if other != fact.entity:
            yield f"entities {other!r} and {fact.entity!r} have the same id {slug(fact.entity)!r}"
        texts = (fact.entity, *fact.members, *fact.synonyms, *(() if fact.members else (fact.value,)))
        if any(not text.strip() or text != text.strip() for text in texts):
            yield f"fact {fact.entity!r}: empty text, or space at an end"
        if fact.members and (len(fact.members) < 5 or len(set(fact.members)) < len(fact.members)):
            yield f"fact {fact.entity!r}: needs at least 5 distinct members"
        if not any(fits(phrasing, fact) for phrasing in relation.phrasings):
            yield f"fact {fact.entity!r}: fits no phrasing's constraint"
        for phrasing in relation.phrasings:
            answers = to_item(relation, phrasing, fact).answers
            if answers and not mentions(good_answer(phrasing, fact), answers):
                yield f"fact {fact.entity!r}: the good answer of {phrasing.family} holds no reference answer"
    for phrasing in relation.phrasings:
        if not any(fits(phrasing, fact) for fact in relation.facts):
            yield f"phrasing {phrasing.family}: its good answer satisfies its constraint for no fact"
