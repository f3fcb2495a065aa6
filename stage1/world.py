"""The disk, as the compiler may see it: spec files, data files and the identity of local weights."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from compiler.language.data import Instructions
from compiler.records import Item
from compiler.world import InstalledCriterion
from models.weights import meant_folder
from stage1.installed import installed_criteria
from stage1.store.files import sha256

_READ = ("*.safetensors", "*.json", "*.txt", "*.model", "*.spm", "*.codes", "*.jinja", "additional_chat_templates/*.jinja")
"""What may be read when a model is loaded: weights, every configuration, vocabularies, chat templates."""
_RATES = "measurements.json"
"""What `stage1.tiny_base` measured of a model and put beside it; nothing that is loaded."""


class DiskWorld:
    """Reads relative to the working directory, like every other path a user types."""

    def read_text(self, path: str) -> str:
        """The file's text, a byte-order mark removed.

        Raises:
            OSError: it cannot be read.
            UnicodeDecodeError: it is not UTF-8.
        """
        return Path(path).read_text(encoding="utf-8-sig")

    def digest_file(self, path: str) -> str:
        """SHA-256 (hex) of a file's bytes.

        Raises:
            OSError: it cannot be read.
        """
        return sha256(Path(path))

    def digest_model(self, base: str) -> str | None:
        """One digest over all files that loading a model on this disk may read; None for a hub id.

        Files that one tokenizer reads another passes over, so all of their kinds count. Model cards and pictures do not.

        Raises:
            FileNotFoundError: a path was meant, and there is no such folder or it holds no weights.
        """
        folder = meant_folder(base)
        if folder is None:
            return None
        files = sorted(file for pattern in _READ for file in folder.glob(pattern) if file.is_file() and file.name != _RATES)
        if not any(file.suffix == ".safetensors" for file in files):
            raise FileNotFoundError(f"no safetensors weights in {folder}")
        with ThreadPoolExecutor() as pool:  # hashing lets other threads run, and weights are tens of gigabytes in many files
            digests = pool.map(self.digest_file, map(str, files))
            lines = [f"{file.relative_to(folder).as_posix()} {digest}" for file, digest in zip(files, digests, strict=True)]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def installed_criteria(self) -> tuple[InstalledCriterion, ...]:
        """The criteria that installed packages declare."""
        return installed_criteria()

    def held_out(self, instructions: Instructions) -> tuple[Item, ...] | None:
        """The items on which every arm is scored, as the run will draw them; None where the instruction file is faulty."""
        from stage1.steps.instructions import drawn  # to read the bank and draw from it takes a second or two

        try:
            return drawn(instructions.model_dump(), self.read_text).heldout
        except (OSError, ValueError):
            return None
