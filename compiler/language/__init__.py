"""The language: what may stand in a spec, as pydantic models. Every key has a description; the editor's schema is made from them."""
