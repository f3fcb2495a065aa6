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


def unusable(root: Path, *, to_write: bool) -> str | None:
    """Why a folder cannot be the store, and the way out; None: it can, or can be made. Makes nothing."""
    if os.path.isdir(root):  # unlike Path's, no error where a folder above may not be looked into
        place = root
    elif os.path.lexists(root):
        return f"{root} is a file; name a folder, which is made if it is not there"
    else:
        place = next(above for above in root.absolute().parents if os.path.lexists(above))
        if not os.path.isdir(place):
            return f"{root} cannot be made, because {place} is a file; name another folder"
    if to_write and not os.access(place, os.W_OK | os.X_OK):
        what = f"{root} may not be written" if place is root else f"{root} cannot be made, because {place} may not be written"
        return f"{what}; give write permission, or name another folder"
    return None


def open_store(root: Path, url: str | None = None) -> Store:
    """The store in a folder, or the one at a URL used through that folder.

    Raises:
        StoreUnreachable: nothing here speaks the URL's protocol.
    """
    if url is None:
        return Store(root)
    from stage1.store.shared import SharedStore  # only a URL is worth the time of importing it

    return SharedStore(root, url)
