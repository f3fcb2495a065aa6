"""The language: what may stand in a spec, as pydantic models from which the editor's schema is made."""
