"""From a seed to a model folder: corpus -> tokenizer -> model -> files."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from pathlib import Path

import torch
from transformers import GenerationConfig, Qwen2Config, Qwen2ForCausalLM, Qwen2Tokenizer

from datagen.corpus import documents
from models.quiet import quiet_transformers
from stage1.tiny_base.rows import batches, encoded, packed
from stage1.tiny_base.settings import Architecture, BuildSettings
from stage1.tiny_base.tokenizer import train_tokenizer
from trainers.pretraining import Progress, Schedule, pretrain


def new_model(sizes: Architecture, tokenizer: Qwen2Tokenizer) -> Qwen2ForCausalLM:
    """A freshly initialised model in float32, drawn from torch's global generator."""
    return Qwen2ForCausalLM(
        Qwen2Config(
            vocab_size=sizes.vocabulary,
            hidden_size=sizes.hidden,
            intermediate_size=sizes.intermediate,
            num_hidden_layers=sizes.layers,
            num_attention_heads=sizes.heads,
            num_key_value_heads=sizes.kv_heads,
            max_position_embeddings=sizes.positions,
            tie_word_embeddings=True,
            bos_token_id=tokenizer.eos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=None,
        )
    ).float()


def build(settings: BuildSettings, folder: Path, device: str, on_step: Callable[[Progress], None] = lambda _: None) -> None:
    """Trains tokenizer and model and saves both to the folder, the weights in bfloat16."""
    torch.manual_seed(settings.seed)
    tokenizer = train_tokenizer(
        islice(documents(settings.seed, settings.mix), settings.tokenizer_documents), settings.architecture.vocabulary
    )
    if len(tokenizer) != settings.architecture.vocabulary:
        raise ValueError(f"the corpus yields only {len(tokenizer)} tokens; ask for a smaller vocabulary")
    model = new_model(settings.architecture, tokenizer).to(device)
    texts = documents(settings.seed, settings.mix)
    rows = packed(encoded(texts, tokenizer), settings.row_length + 1)
    schedule = Schedule(steps=settings.steps, learning_rate=settings.learning_rate)
    pretrain(model, batches(rows, settings.batch_rows), schedule, on_step)
    save(model, tokenizer, folder)


def save(model: Qwen2ForCausalLM, tokenizer: Qwen2Tokenizer, folder: Path) -> None:
    """Writes weights (bfloat16), configurations and tokenizer."""
    folder.mkdir(parents=True, exist_ok=True)
    end = tokenizer.eos_token_id
    model.generation_config = GenerationConfig(eos_token_id=end, pad_token_id=end, do_sample=False)
    with quiet_transformers():
        model.to(device="cpu", dtype=torch.bfloat16).save_pretrained(folder)
        tokenizer.save_pretrained(folder, save_jinja_files=False)
