"""The smallest additions that make every claim of a spec answerable, written into its own text."""

from __future__ import annotations

from compiler.strengthen.costs import Costs
from compiler.strengthen.strengthen import Strengthened, strengthen

__all__ = ["Costs", "Strengthened", "strengthen"]
