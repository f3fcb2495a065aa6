"""The JSON Schema of a spec, generated from the models: completion, hover text and checks in an editor."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from compiler.language.spec import Spec

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class _Generator(GenerateJsonSchema):
    """Without a title for every key: an editor shows the key itself."""

    schema_dialect = DIALECT

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Never."""
        return False


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a spec."""
    return {"$schema": DIALECT, **Spec.model_json_schema(by_alias=True, schema_generator=_Generator)}
