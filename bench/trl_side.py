"""The same training done by TRL, as fast as its settings allow."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from typing import Any

import torch
from device_clock import between, now

from compiler.records import Demonstration, PreferencePair
from models.loading import LoadedBase
from models.prompt_format import encode, render_prompt


class TrlSide:
    """Trains on a resident base model and takes its adapter off again."""

    def __init__(self, base: LoadedBase, steps: int) -> None:
        self.base, self.steps, self.warm_up = base, steps, 2
        self._hash: str | None = None

    def dpo(
        self, pairs: Sequence[PreferencePair], *, micro_batch: int, liger: bool, checkpointing: bool, steps: int | None = None
    ) -> dict[str, Any]:
        """Reference log-probabilities precomputed (in their own time), rows of similar length together."""
        from datasets import Dataset
        from trl import DPOConfig, DPOTrainer

        class FromIds(DPOTrainer):  # type: ignore[misc]
            def _prepare_dataset(self, dataset: Any, *args: Any, **options: Any) -> Any:
                return dataset

            def _precompute_ref_logps(self, *args: Any, **options: Any) -> Any:
                started = time.perf_counter()
                found = super()._precompute_ref_logps(*args, **options)
                reference.append(time.perf_counter() - started)
                return found

        reference: list[float] = []
        used = pairs[: micro_batch * ((steps or self.steps) + self.warm_up)]
        rows = []
        for pair in used:
            chosen, rejected = (
                encode(self.base.tokenizer, render_prompt(pair.instruction), text) for text in (pair.chosen, pair.rejected)
            )
            rows.append(
                {
                    "prompt_ids": list(chosen.prompt_ids),
                    "chosen_ids": list(chosen.response_ids),
                    "rejected_ids": list(rejected.response_ids),
                    "length": max(len(chosen), len(rejected)),
                }
            )
        config = DPOConfig(
            **self._settings(len(rows) // micro_batch, micro_batch, liger, checkpointing),
            precompute_ref_log_probs=True,
            precompute_ref_batch_size=2 * micro_batch,
            train_sampling_strategy="group_by_length",
            remove_unused_columns=False,
            max_length=1024,
        )
        found = self._measure(FromIds, config, _on_disk(Dataset, rows))
        return {**found, "kind": "dpo", "liger": liger, "examples": len(rows), "reference_seconds": sum(reference)}

    def sft(
        self,
        demonstrations: Sequence[Demonstration],
        *,
        liger: bool,
        packed: bool,
        checkpointing: bool,
        accumulated: int = 1,
        steps: int | None = None,
    ) -> dict[str, Any]:
        """Loss on the response; `accumulated` micro-batches an optimizer step."""
        from datasets import Dataset
        from trl import SFTConfig, SFTTrainer

        rows = []
        for row in demonstrations:
            tokens = encode(self.base.tokenizer, render_prompt(row.instruction), row.response)
            rows.append({"input_ids": list(tokens.ids), "labels": [-100] * len(tokens.prompt_ids) + list(tokens.response_ids)})
        size = 1 if packed else 8
        settings = self._settings((steps or self.steps) + self.warm_up, size, liger, checkpointing)
        settings["gradient_accumulation_steps"] = accumulated
        config = SFTConfig(**settings, packing=packed, **({"max_length": 2048} if packed else {"max_length": 1024}))
        found = self._measure(SFTTrainer, config, _on_disk(Dataset, rows))
        per_step = len(rows) / found["dataset_rows"] if packed else size  # packed rows are not quite full
        rate = found["steps_per_second"] * per_step * accumulated
        return {**found, "kind": "sft", "packed": packed, "liger": liger, "accumulated": accumulated, "rate": rate}

    def _settings(self, steps: int, micro_batch: int, liger: bool, checkpointing: bool) -> dict[str, Any]:
        return {
            "output_dir": tempfile.mkdtemp(),
            "per_device_train_batch_size": micro_batch,
            "max_steps": steps,
            "learning_rate": 1e-5,
            "report_to": "none",
            "save_strategy": "no",
            "disable_tqdm": True,
            "logging_steps": 100,
            "bf16": True,
            "use_cpu": self.base.device.type == "cpu",
            "gradient_checkpointing": checkpointing,
            "use_liger_kernel": liger,
            "seed": 1,
        }

    def _measure(self, trainer_class: Any, config: Any, dataset: Any) -> dict[str, Any]:
        from peft import LoraConfig
        from transformers import PrinterCallback, TrainerCallback
        from trl.trainer import dpo_trainer

        hashing, real_hash = [0.0], dpo_trainer.hash_module

        def timed_hash(model: Any) -> Any:
            started = time.perf_counter()
            self._hash = self._hash or real_hash(model)  # once per run of the benchmark: it costs 45 s at 32B
            hashing[0] += time.perf_counter() - started
            return self._hash

        ends: list[Any] = []

        class Ends(TrainerCallback):  # type: ignore[misc]
            def on_step_end(self, *_: Any, **__: Any) -> None:
                ends.append(now())

        dpo_trainer.hash_module = timed_hash
        self.base.model.set_attn_implementation("sdpa")
        started = time.perf_counter()
        try:
            trainer = trainer_class(
                model=self.base.model,
                args=config,
                train_dataset=dataset,
                processing_class=_tokenizer(),
                peft_config=LoraConfig(
                    r=16, lora_alpha=32, lora_dropout=0.0, target_modules="all-linear", task_type="CAUSAL_LM"
                ),
            )
            trainer.remove_callback(PrinterCallback)
            trainer.add_callback(Ends())
            set_up = time.perf_counter() - started
            if torch.cuda.is_available():
                torch.cuda.reset_peak_memory_stats()
            trainer.train()
        finally:
            dpo_trainer.hash_module = real_hash
        total = time.perf_counter() - started
        seconds = between(ends[self.warm_up - 1], ends[-1]) / (len(ends) - self.warm_up)
        peak = torch.cuda.max_memory_allocated() / 1e9 if torch.cuda.is_available() else None
        trainer.model.unload().eval().requires_grad_(False)
        self.base.model.gradient_checkpointing_disable()
        return {
            "who": "trl",
            "checkpointing": config.gradient_checkpointing,
            "micro_batch": config.per_device_train_batch_size,
            "rate": config.per_device_train_batch_size / seconds,
            "steps_per_second": 1 / seconds,
            "peak_gb": peak,
            "set_up_seconds": set_up,
            "hash_seconds": hashing[0],
            "total_seconds": total,
            "steps": len(ends),
            "dataset_rows": len(trainer.train_dataset),
        }


def _on_disk(dataset_class: Any, rows: list[dict[str, Any]]) -> Any:
    """TRL's reference cache wants a dataset that lives in a folder."""
    folder = tempfile.mkdtemp()
    dataset_class.from_list(rows).save_to_disk(folder)
    return dataset_class.load_from_disk(folder)


def _tokenizer() -> Any:
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    words = Tokenizer(models.WordLevel({"<pad>": 0, "<eos>": 1, "<unk>": 2}, unk_token="<unk>"))
    return PreTrainedTokenizerFast(tokenizer_object=words, pad_token="<pad>", eos_token="<eos>", unk_token="<unk>")
