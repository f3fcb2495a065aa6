"""MLflow, and the only package that knows it: one flat run per arm and seed, and one that sums the experiment up."""

from stage1.tracking.beside import TrackerBeside

__all__ = ["TrackerBeside"]
