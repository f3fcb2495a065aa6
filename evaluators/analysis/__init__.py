"""From item scores to rates, contrasts and a verdict for each claim."""

from evaluators.analysis.analyze import analyze
from evaluators.analysis.settings import AnalyzeSettings

__all__ = ["AnalyzeSettings", "analyze"]
