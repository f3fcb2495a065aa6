"""The JSON Schema: generated, shipped, and as strict as the compiler where a schema can be."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

from compiler import schema

ROOT = Path(__file__).parents[2]
SPECS = sorted((ROOT / "specs").glob("*.yaml"))
RIGHT = sorted((ROOT / "tests" / "cases" / "right").glob("*.yaml"))
STRICT = (
    "out_of_range",
    "unknown_keys_everywhere",
    "words_not_known",
    "wrong_types",
    "no_arms",
    "nothing_required_given",
    "bad_names",
)


def load(path):
    """A spec as plain JSON data."""
    return json.loads(json.dumps(YAML(typ="safe", pure=True).load(path.read_text())))


def parts():
    """Every part of the language with its schema."""
    whole = schema()
    yield "Spec", whole
    yield from whole["$defs"].items()


def test_the_shipped_schema_is_the_generated_one():
    """`specs/experiment.schema.json` is the output of `stage1 schema`."""
    assert json.loads((ROOT / "specs" / "experiment.schema.json").read_text()) == schema()


def test_the_schema_is_a_schema():
    """It follows its own dialect, which editors know."""
    jsonschema.Draft202012Validator.check_schema(schema())
    assert schema()["$schema"] == jsonschema.Draft202012Validator.META_SCHEMA["$id"]


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_every_shipped_spec_is_valid(path, compiled):
    """Each spec passes the schema, compiles without a mistake of language, and tells editors where the schema is."""
    jsonschema.validate(load(path), schema())

    found = compiled(path.read_text())
    assert found.ok
    assert not [d for d in found.diagnostics if not d.code.startswith("M")]
    assert path.read_text().startswith("# yaml-language-server: $schema=./experiment.schema.json\n")


@pytest.mark.parametrize(
    "path", [p for p in RIGHT if p.stem not in ("anchors_and_merges", "flags", "vary_by_flags")], ids=lambda path: path.stem
)
def test_what_compiles_passes_the_schema(path):
    """An editor does not complain about what the compiler accepts."""
    from compiler.source.reading import read
    from compiler.source.text import SourceText

    tree, _ = read(SourceText(path.name, path.read_text()))
    jsonschema.validate(json.loads(json.dumps(tree.plain())), schema())


@pytest.mark.parametrize("name", STRICT)
def test_an_editor_sees_mistakes_of_shape(name):
    """Unknown keys, wrong types, words and ranges are mistakes for the schema too."""
    from compiler.source.reading import read
    from compiler.source.text import SourceText

    path = ROOT / "tests" / "cases" / "wrong" / f"{name}.yaml"
    tree, _ = read(SourceText(path.name, path.read_text()))
    assert list(jsonschema.Draft202012Validator(schema()).iter_errors(tree.plain()))


@pytest.mark.parametrize(("name", "part"), list(parts()), ids=lambda value: value if isinstance(value, str) else "")
def test_every_key_is_described(name, part):
    """A key has a description to hover over, and either a default or it is required; only an arm's override has neither."""
    needed = {"SftRecipe": ["objective"], "DpoRecipe": ["objective"], "Claim": ["says", "compare", "expect"]}.get(name, [])
    needed = [*needed, *(schema()["else"]["required"] if name == "Spec" else ()), *part.get("required", ())]
    for key, written in part.get("properties", {}).items():
        about = schema()["$defs"].get(written.get("$ref", "").rpartition("/")[2], {}) | written
        assert about.get("description", "").endswith("."), f"{name}.{key}"
        known = "default" in about or key in needed or key in ("recipes", "claims")
        assert known or name == "TrainOverride", f"{name}.{key}"
    if "properties" in part:
        assert part["additionalProperties"] is False
