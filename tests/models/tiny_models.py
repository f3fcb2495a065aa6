"""Small random models and a small byte-level tokenizer, made on the spot, that pass through the same doors as real ones."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM
from transformers.models.qwen2.modeling_qwen2 import Qwen2RMSNorm

from models.loading import LoadedBase, ModelSettings, load_base

CHAT_TEMPLATE = "{% for m in messages %}<|im_start|>{{ m.role }}<tool_call>{{ m.content }}<|im_end|>{% endfor %}"


def make_tokenizer(*, eos: str | None = "<|endoftext|>") -> PreTrainedTokenizerFast:
    """Byte-level BPE with Qwen's special tokens, a chat template, and a template token that is not marked special."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=310,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=["<|endoftext|>", "<|im_start|>", "<|im_end|>"],
        show_progress=False,
    )
    tokenizer.train_from_iterator(["Instruction: What is the capital of France?\nResponse: Paris\nEND"] * 3, trainer)
    tokenizer.add_tokens([AddedToken("<tool_call>", special=False, normalized=False)])
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=eos)
    fast.chat_template = CHAT_TEMPLATE
    return fast


def make_model(
    *, seed: int = 0, hidden_size: int = 32, dtype: torch.dtype = torch.float32, tied: bool = True
) -> Qwen2ForCausalLM:
    """A Qwen2 of two narrow layers with random weights, drawn wide enough that its next tokens differ clearly."""
    config = Qwen2Config(
        vocab_size=320,
        hidden_size=hidden_size,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        tie_word_embeddings=tied,
        initializer_range=0.2,
        bos_token_id=None,
        eos_token_id=0,
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = Qwen2ForCausalLM(config).to(dtype)
    return _exact_norms(model) if dtype == torch.float64 else model


def _exact_norms(model: Qwen2ForCausalLM) -> Qwen2ForCausalLM:
    """transformers computes norms in float32 whatever the dtype; in float64 comparisons that would drown the differences."""
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, Qwen2RMSNorm):
                exact = torch.nn.RMSNorm(child.weight.shape, eps=child.variance_epsilon, dtype=torch.float64)
                exact.load_state_dict(child.state_dict())
                setattr(module, name, exact)
    return model


def save_base(folder: Path, **options: object) -> Path:
    """A model folder as `save_pretrained` leaves it."""
    make_model(**options).save_pretrained(folder)
    make_tokenizer().save_pretrained(folder)
    return folder


def open_base(folder: Path) -> LoadedBase:
    """Through the front door, on the CPU in float32."""
    return load_base({"base": str(folder)}, "cpu")


def wrap(model: Qwen2ForCausalLM) -> LoadedBase:
    """A model in memory as a loaded base, for dtypes that the front door does not open."""
    model = model.eval().requires_grad_(False)
    return LoadedBase(model, make_tokenizer(), torch.device("cpu"), ModelSettings(base="in-memory"))


def edit_json(path: Path, **changes: object) -> None:
    """Changes keys of a JSON file in place."""
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
