"""The store: one folder per artifact, named by its step's fingerprint, complete or absent."""

from stage1.store.artifact import MANIFEST, Artifact, DamagedArtifact, Draft
from stage1.store.files import write_json
from stage1.store.place import folder_and_url, open_store
from stage1.store.remote import StoreUnreachable
from stage1.store.store import Store

__all__ = [
    "MANIFEST", "Artifact", "DamagedArtifact", "Draft", "Store", "StoreUnreachable", "folder_and_url", "open_store",
    "write_json",
]  # fmt: skip
