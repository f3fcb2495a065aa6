"""What other tools call the things of a spec: words that people write from habit, and the ones that are meant."""

from __future__ import annotations

from collections.abc import Mapping

_WORDS: Mapping[str, str] = {
    # recipes
    "lr": "learning_rate",
    "num_train_epochs": "epochs",
    "num_epochs": "epochs",
    "n_epochs": "epochs",
    "bs": "batch_size",
    "per_device_train_batch_size": "micro_batch_size",
    "train_batch_size": "batch_size",
    "max_seq_length": "max_length",
    "max_seq_len": "max_length",
    "lr_scheduler_type": "schedule",
    "lr_scheduler": "schedule",
    "warmup": "warmup_ratio",
    "gradient_clip_val": "max_grad_norm",
    "clip_grad_norm": "max_grad_norm",
    "wd": "weight_decay",
    "loss_type": "loss",
    "rpo_alpha": "sft_weight",
    "method": "objective",
    # models and adapters
    "r": "rank",
    "lora_rank": "rank",
    "lora_r": "rank",
    "lora_alpha": "alpha",
    "lora_dropout": "dropout",
    "target_modules": "targets",
    "lora": "adapter",
    "peft": "adapter",
    "name_or_path": "base",
    "model_name_or_path": "base",
    "torch_dtype": "dtype",
    "precision": "dtype",
    "load_in_4bit": "quantization",
    "4bit": "nf4",
    "int4": "nf4",
    "fp32": "float32",
    "bf16": "bfloat16",
    # data and evaluation
    "test": "heldout",
    "eval": "heldout",
    "val": "validation",
    "dev": "validation",
    "negatives": "rejected",
    "positives": "chosen",
    "max_tokens": "max_new_tokens",
    "temp": "temperature",
    "num_pairs": "pairs",
    "shots": "few_shot",
    "metrics": "criteria",
    "instruction_following": "addresses_instruction",
    "relevance": "on_topic",
    "fluency": "coherent",
    "accuracy": "factually_correct",
    "refusal": "no_unwarranted_refusal",
    "win_rate": "preference_accuracy",
    # claims and the whole
    "seed": "seeds",
    "name": "experiment",
    "parent": "from",
    "init": "from",
    "recipe": "train",
    "effect_size": "smallest_effect",
    "mde": "smallest_effect",
    "significance": "alpha",
    "better": "greater",
    "higher": "greater",
    "worse": "less",
    "lower": "less",
    "same": "equivalent",
    "noninferior": "not_worse",
    "paper": "publication",
    "strict": "publication",
    "trial": "mvp",
}


def meant_by(word: str) -> str | None:
    """What a word of other tools is called here; None for a word that is not known."""
    return _WORDS.get(word.casefold().replace("-", "_"))
