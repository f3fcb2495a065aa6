"""Reports in the folder of an experiment's runs: one of another plan does not stand for the plan beside it."""

from __future__ import annotations

import re
from pathlib import Path

_PLAN = re.compile(r"stage1 report; plan ([0-9a-f]{64})")
"""In the BibTeX entry of every report, as HTML and as Markdown."""
_NAMES = ("report.html", "report.md")


def set_aside_reports_of_others(folder: Path, plan: str) -> list[Path]:
    """Rename the reports of other plans to `report-<first 12 of their plan's fingerprint>`; where they are now.

    What names no plan is not by this program, and is left alone.
    """
    plans = {path: _plan_of(path) for path in (folder / name for name in _NAMES) if path.is_file()}
    return [path.replace(path.with_stem(f"report-{of[:12]}")) for path, of in plans.items() if of and of != plan]


def _plan_of(report: Path) -> str | None:
    found = _PLAN.findall(report.read_text(encoding="utf-8", errors="replace"))
    return str(found[-1]) if found else None
