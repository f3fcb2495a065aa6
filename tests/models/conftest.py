"""Tiny models on disk, made once for all tests of this folder."""

from pathlib import Path

import pytest
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


@pytest.fixture(scope="session")
def tokenizer(base_folder: Path):
    """Its tokenizer, through the loader."""
    return tiny_models.open_base(base_folder).tokenizer
