"""What the embedded base model is built from."""

from __future__ import annotations

from dataclasses import dataclass, field

from datagen.corpus import Mix


@dataclass(frozen=True)
class Architecture:
    """Sizes of the Qwen2 model; input and output embeddings are tied."""

    vocabulary: int = 3072
    hidden: int = 192
    layers: int = 4
    intermediate: int = 512
    heads: int = 6
    kv_heads: int = 2
    positions: int = 1024


@dataclass(frozen=True)
class BuildSettings:
    """Everything that decides what the build produces."""

    seed: int = 1
    architecture: Architecture = Architecture()
    mix: Mix = field(default_factory=Mix)
    tokenizer_documents: int = 6000
    """The tokenizer is learned from this many documents, the first of the stream that the model is trained on."""
    steps: int = 2700
    batch_rows: int = 8
    row_length: int = 512
    """Tokens predicted per row."""
    learning_rate: float = 3e-3
