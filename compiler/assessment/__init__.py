"""The method review: eight questions answered by name, then validity, controls, power, recommendations, and go or no-go."""

from __future__ import annotations

from compiler.assessment.assess import assess
from compiler.assessment.records import Answer, Assessment, Decision

__all__ = ["Answer", "Assessment", "Decision", "assess"]
