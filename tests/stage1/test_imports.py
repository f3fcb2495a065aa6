"""What must stay light stays light: planning and a fully cached run load no training library."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = ("torch", "lightning", "transformers", "peft", "mlflow", "trl", "bitsandbytes", "scipy", "statsmodels", "fsspec")


def loaded_after(code: str, tmp_path: Path) -> set[str]:
    """The heavy modules in `sys.modules` after running some code in a fresh interpreter."""
    probe = f"{code}\nimport sys\nprint('LOADED', *[name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", probe], cwd=tmp_path, capture_output=True, text=True, check=True)
    return set(done.stdout.rsplit("LOADED", 1)[1].split())


def test_plan_imports_nothing_heavy(tmp_path: Path) -> None:
    """`stage1 plan` of the quickstart answers without torch, lightning, transformers or mlflow; with remembered power without scipy."""
    code = f"""
from stage1.commands.plan import show_plan
from pathlib import Path
show_plan(Path({str(ROOT / "specs" / "quickstart.yaml")!r}), [], as_json=False, out=None, require_go=False, store_root=Path('runs'))
"""

    assert loaded_after(code, tmp_path) <= {"scipy"}  # simulates the power
    assert loaded_after(code, tmp_path) == set()


@pytest.mark.parametrize(
    "module", ["compiler", "datagen.bank", "datagen.preferences", "evaluators.scoring", "stage1.store", "stage1.report.render"]
)
def test_pure_packages_load_no_training_library(module: str, tmp_path: Path) -> None:
    """Compiler, data generation, scoring, store and report never import torch or MLflow, not even indirectly."""
    loaded = loaded_after(f"import importlib; importlib.import_module({module!r})", tmp_path)

    assert not loaded & {"torch", "lightning", "transformers", "peft", "mlflow"}
