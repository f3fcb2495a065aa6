"""The JSON Schema of a spec, generated from the models: completion, hover text and checks in an editor."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from compiler.language.spec import Spec

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_SECTIONS = ("arms", "recipes", "claims")
_INCOMPLETE = ("SftRecipe", "DpoRecipe", "Claim", "TrainOverride")
"""What a spec that extends another one may write in part."""


class _Generator(GenerateJsonSchema):
    """Without a title for every key: an editor shows the key itself."""

    schema_dialect = DIALECT

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Never."""
        return False


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a spec, whole or extending another one."""
    return _partial({"$schema": DIALECT, **Spec.model_json_schema(by_alias=True, schema_generator=_Generator)})


def _partial(whole: dict[str, Any]) -> dict[str, Any]:
    """Asks for what must be written only where nothing can be inherited: in a spec without `extends`."""
    parts = {name: whole["$defs"][name] for name in _INCOMPLETE}
    required = {name: part.pop("required") for name, part in parts.items()}
    for section in _SECTIONS:
        named = whole["properties"][section]
        pattern, values = next(iter(named["patternProperties"].items()))
        values = {"anyOf": values["oneOf"]} if "oneOf" in values else {"anyOf": [values]}
        named["patternProperties"] = {pattern: {"anyOf": [*values["anyOf"], {"type": "null"}]}}
    objective = {"type": "object", "required": [key for key in required["SftRecipe"] if key in required["DpoRecipe"]]}
    training = {"if": {"type": "object"}, "then": {"required": required["TrainOverride"]}}
    complete = {
        "arms": {"additionalProperties": {"type": "object", "properties": {"train": training}}},
        "recipes": {"additionalProperties": objective},
        "claims": {"additionalProperties": {"type": "object", "required": required["Claim"]}},
    }
    whole["if"] = {"required": ["extends"], "properties": {"extends": {"type": "string"}}}
    whole["else"] = {"required": whole.pop("required"), "properties": complete}
    return whole
