"""Where a base model's files are: the embedded model, a local folder, or the hub and its cache."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from models.errors import ModelError

TINY_BASE = "tiny-base"
TINY_BASE_FOLDER = Path(__file__).parent / "tiny_base"

_DESCRIPTION = ["*.json", "*.txt", "*.model", "*.jinja"]
_WEIGHTS = ["*.safetensors"]
_ADAPTER = "adapter_config.json"
_INDEX = "model.safetensors.index.json"


def description_folder(base: str, revision: str | None) -> Path:
    """The folder with a model's configuration and tokenizer; weights of a hub model may still be missing from it.

    Raises:
        ModelError: there is no such folder, or the hub and its cache have no such model.
    """
    local = _local_folder(base)
    return local or _cached(base, revision) or _download(base, revision, _DESCRIPTION)


def weights_folder(base: str, revision: str | None) -> Path:
    """The folder with everything, weights downloaded where they have to be.

    Raises:
        ModelError: as above, or the model has no complete safetensors weights, or names weights that lie elsewhere.
    """
    folder = _local_folder(base) or _cached(base, revision) or _download(base, revision, _DESCRIPTION + _WEIGHTS)
    if (folder / _ADAPTER).is_file():
        raise ModelError(f"{base} is an adapter to a model that lies elsewhere ({_ADAPTER}): merge it, or name that model")
    if outside := next((name for name in _shards(folder) if Path(str(name)).name != name), None):
        raise ModelError(f"{base} names weights outside its folder ({str(outside)[:80]}): save the model again")
    missing = [name for name in _shards(folder) if not (folder / name).is_file()]
    if missing or not _shards(folder):
        lacks = f"lacks {missing[0]}" if missing else "has no safetensors weights"
        raise ModelError(f"{base} {lacks}: only complete safetensors weights are loaded, convert or complete the folder first")
    return folder


def read_config(folder: Path) -> dict[str, Any]:
    """`config.json` as plain data.

    Raises:
        ModelError: it is missing or no JSON object.
    """
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder} has no readable config.json ({error}): name a folder saved with save_pretrained") from error
    if not isinstance(config, dict):
        raise ModelError(f"{folder / 'config.json'} is not a JSON object: name a folder saved with save_pretrained")
    return config


def stored_bytes(folder: Path) -> int | None:
    """Size of the weights by their index or files; None where neither is there yet."""
    try:
        return int(json.loads((folder / _INDEX).read_text(encoding="utf-8"))["metadata"]["total_size"])
    except (OSError, ValueError, KeyError, TypeError):
        return sum(path.stat().st_size for path in folder.glob("*.safetensors")) or None


def meant_folder(base: str) -> Path | None:
    """The folder that `model.base` means, there or not: the embedded model's, or a local one; None for a hub id."""
    if base == TINY_BASE:
        return TINY_BASE_FOLDER
    looks_local = base.startswith((".", "/", "~")) or base.count("/") > 1 or Path(base).is_dir()
    return Path(base).expanduser() if looks_local else None


def _local_folder(base: str) -> Path | None:
    folder = meant_folder(base)
    if folder is not None and folder.is_dir():
        return folder
    if folder is not None or base.count("/") != 1:
        raise ModelError(f"no model folder {base}: give {TINY_BASE}, an existing folder, or a hub id such as Qwen/Qwen2.5-0.5B")
    return None


def _shards(folder: Path) -> list[str]:
    index = folder / _INDEX
    if not index.is_file():
        return [path.name for path in folder.glob("*.safetensors")]
    try:
        return sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"{index} is not a safetensors index: download or save the model again") from error


def _cached(base: str, revision: str | None) -> Path | None:
    from huggingface_hub import snapshot_download

    try:
        folder = Path(snapshot_download(base, revision=revision, local_files_only=True))
    except (OSError, ValueError):
        return None
    shards = _shards(folder)
    whole = bool(shards) and all((folder / name).is_file() for name in shards) and (folder / "config.json").is_file()
    return folder if whole else None


def _download(base: str, revision: str | None, patterns: list[str]) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

    try:
        return Path(snapshot_download(base, revision=revision, allow_patterns=patterns))
    except GatedRepoError as error:
        raise ModelError(f"{base} is gated: accept its terms on the hub and log in, or name another model") from error
    except RevisionNotFoundError as error:
        raise ModelError(f"{base} has no revision {revision}: give a commit or tag of that model") from error
    except RepositoryNotFoundError as error:
        raise ModelError(f"the hub has no model {base}: check the id, or give a local folder") from error
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{base} is not in the local cache and cannot be fetched ({type(error).__name__}): "
            "connect to the network once, or give a local folder"
        ) from error
