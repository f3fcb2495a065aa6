"""Steps `generate` (training and validation items) and `respond` (held-out items): a model answers instructions."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean
from typing import Any

from compiler.records import Answer, Item, Split
from datagen.exemplars import EXEMPLARS
from models.contamination import check_contamination
from models.generation import Decode, generate
from models.loading import LoadedBase
from models.nf4 import bf16_where_room
from models.prompt_format import encode_prompt, render_prompt
from stage1.steps.job import Job
from stage1.steps.material import ISOLATION

_SPLITS: Mapping[str, tuple[Split, ...]] = {"generate": ("train", "validation"), "respond": ("heldout",)}

_ROWS = {"cpu": 130, "cuda": 256}  # at a time; a GPU takes about as long for any number, since it waits for the weights


def run(job: Job) -> None:
    """Write `answers.jsonl`, one answer per item in their order, and `isolation.json`: nothing else was on the model."""
    instructions = job.inputs["instructions"]
    items = [(split, item) for split in _SPLITS[job.step.kind] for item in instructions.read(f"{split}.jsonl", Item)]
    decode = Decode(**job.settings["decode"])
    with job.resident.isolated(job.settings["model"], job.inputs.get("checkpoint")) as (loaded, isolation):
        prompts = [_prompt_ids(loaded, item, job.settings["prompt"]) for _, item in items]
        job.draft.provenance["contamination"] = check_contamination(loaded.tokenizer, prompts).as_dict()
        with bf16_where_room(loaded) as laid_out:
            job.draft.provenance["nf4_laid_out_in_bf16"] = laid_out
            generated = generate(
                loaded,
                prompts,
                decode,
                seed=job.settings.get("seed", 0),
                batch_size=job.runtime.generation_batch_size or _ROWS.get(loaded.device.type, _ROWS["cpu"]),
                on_progress=job.progress,
            )
    job.draft.provenance["lengths"] = {
        "prompt": fmean(map(len, prompts)),
        "answer": fmean(answer.tokens for answer in generated),
        "longest": max(len(prompt) + answer.tokens for prompt, answer in zip(prompts, generated, strict=True)),
    }
    job.draft.write_json(ISOLATION, isolation.as_dict())
    job.draft.write(
        "answers.jsonl",
        (
            Answer(
                item_id=item.id,
                split=split,
                response=answer.text,
                tokens=answer.tokens,
                hit_token_limit=answer.hit_token_limit,
            )
            for (split, item), answer in zip(items, generated, strict=True)
        ),
    )


def _prompt_ids(loaded: LoadedBase, item: Item, prompt: Mapping[str, Any]) -> list[int]:
    exemplars = EXEMPLARS[: prompt.get("few_shot") or 0] if prompt["style"] == "few-shot" else ()
    return encode_prompt(loaded.tokenizer, render_prompt(item.instruction, prompt["style"], exemplars))
