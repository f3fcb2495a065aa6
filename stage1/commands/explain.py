"""`stage1 explain` and `stage1 schema`: what the compiler knows about its own language."""

from __future__ import annotations

import json
import sys

import compiler
from compiler.catalogue import explain, nearest


def explain_code(code: str) -> int:
    """Print what a diagnostic code means; 2 for a code that does not exist."""
    text = explain(code)
    if text is None:
        similar = nearest(code)
        print(f"error: there is no diagnostic {code}" + (f"; did you mean {similar}?" if similar else ""), file=sys.stderr)
        return 2
    print(text)
    return 0


def print_schema() -> int:
    """Print the JSON Schema of a spec."""
    print(json.dumps(compiler.schema(), indent=2))
    return 0
