"""Tiny models and small data for the trainers; the model builder is shared with the tests of `models`."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "models"))

import tiny_models

from models.loading import LoadedBase


@pytest.fixture(scope="session")
def base_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random model and its tokenizer as a folder."""
    return tiny_models.save_base(tmp_path_factory.mktemp("base"))


@pytest.fixture
def base(base_folder: Path) -> LoadedBase:
    """That folder, loaded."""
    return tiny_models.open_base(base_folder)
