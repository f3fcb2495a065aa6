"""`vary`: one arm becomes several, a grid over any of its settings."""

from compiler.expand.expansion import Expansion, expand

__all__ = ["Expansion", "expand"]
