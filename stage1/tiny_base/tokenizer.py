"""The byte-level BPE tokenizer of the embedded base model: Qwen2's, with a small vocabulary learned from our corpus."""

from __future__ import annotations

import json
from collections.abc import Iterable

from tokenizers.trainers import BpeTrainer
from transformers import Qwen2Tokenizer

END_OF_TEXT = "<|endoftext|>"
CHAT_TOKENS = ("<|im_start|>", "<|im_end|>")
"""In the vocabulary and in the chat template, as Qwen2.5 has them, and nowhere in the corpus."""

CHAT_TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


def train_tokenizer(texts: Iterable[str], vocabulary: int) -> Qwen2Tokenizer:
    """A tokenizer of `vocabulary` entries in all, whose text entries come first and special tokens last."""
    pipeline = Qwen2Tokenizer(vocab={}, merges=[]).backend_tokenizer
    special = (END_OF_TEXT, *CHAT_TOKENS)
    trainer = BpeTrainer(
        vocab_size=vocabulary - len(special),
        initial_alphabet=sorted(_bytes()),
        show_progress=False,
        special_tokens=[],
    )
    pipeline.train_from_iterator(texts, trainer)
    learned = json.loads(pipeline.to_str())["model"]
    merges = [tuple(merge) for merge in learned["merges"]]
    tokenizer = Qwen2Tokenizer(learned["vocab"], merges, additional_special_tokens=list(CHAT_TOKENS), model_max_length=1024)
    tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer


def _bytes() -> list[str]:
    from tokenizers.pre_tokenizers import ByteLevel

    return ByteLevel.alphabet()
