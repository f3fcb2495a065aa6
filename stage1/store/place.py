"""Where a store is: a folder, or an fsspec URL with a folder of this machine for what is read and made."""

from __future__ import annotations

import os
from pathlib import Path

from stage1.store.store import Store

CACHE = "STAGE1_CACHE"
_USUAL = "runs"


def folder_and_url(store: str) -> tuple[Path, str | None]:
    """What `--store` names: the folder to work in, and the URL at which artifacts are shared, if it is one."""
    if "://" not in store:
        return Path(store), None
    return Path(os.environ.get(CACHE) or _USUAL), store


def open_store(root: Path, url: str | None = None) -> Store:
    """The store in a folder, or the one at a URL used through that folder.

    Raises:
        StoreUnreachable: nothing here speaks the URL's protocol.
    """
    if url is None:
        return Store(root)
    from stage1.store.shared import SharedStore  # only a URL is worth the time of importing it

    return SharedStore(root, url)
