"""From a spec to a plan: text in, diagnostics and a plan out. Pure: no torch, no clock, no network; files through a port."""

from compiler.compile import Compilation, compile_spec
from compiler.language.schema import schema
from compiler.world import World

__all__ = ["Compilation", "World", "compile_spec", "schema"]
