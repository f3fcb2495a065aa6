"""Checks on data and results: what the method review could not know before the run, and what it does to the verdicts.

One file per subject, each with one or two checks. A check looks at a `Subject` and says what it looked at and what it found.
To add one: write it, and list it in `examine`.
"""

from evaluators.evidence.examine import judge
from evaluators.evidence.material import ArmRun, Material, Training

__all__ = ["ArmRun", "Material", "Training", "judge"]
