"""The corpus of the embedded base model: documents about the facts of the bank, composed anew from a seed.

`documents(seed)` streams them without end. Same seed, same documents, on every platform.
"""

from datagen.corpus.stream import Mix, documents

__all__ = ["Mix", "documents"]
