"""A realistic analysis made from simulated scores by the real procedures, for tests and previews of what renders it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

import numpy as np
from scipy.special import expit, logit

from compiler.records import Item, ItemScore, Kind, NegativeType
from evaluators.analysis.analyze import analyze
from evaluators.analysis.outcomes import Scores
from evaluators.analysis.settings import AnalyzeSettings
from evaluators.results import Analysis

CRITERIA = (
    "ends_with_end", "proper_structure", "no_rambling", "addresses_instruction", "appropriate_length", "no_unwarranted_refusal",
    "factually_correct", "coherent", "on_topic",
)  # fmt: skip

RATES: Mapping[str, tuple[float, ...]] = {
    "base": (0.02, 0.55, 0.20, 0.40, 0.35, 0.97, 0.35, 0.60, 0.62),
    "sft": (0.93, 0.90, 0.90, 0.66, 0.70, 0.99, 0.55, 0.88, 0.84),
    "sft_dpo": (0.95, 0.94, 0.93, 0.74, 0.80, 0.995, 0.56, 0.92, 0.90),
    "dpo_only": (0.10, 0.62, 0.30, 0.48, 0.42, 0.98, 0.36, 0.66, 0.70),
}
"""Arm -> true pass rate of every criterion."""
PREFERENCE_RATES: Mapping[str, float] = {"base": 0.55, "sft": 0.68, "sft_dpo": 0.86, "dpo_only": 0.80}


def sample_settings() -> AnalyzeSettings:
    """Four arms, three seeds, and claims whose verdicts cover every kind there is."""
    claims = [
        {"name": "two_stage_beats_dpo_only", "says": "SFT then DPO follows instructions better than DPO alone",
         "compare": ["sft_dpo", "dpo_only"], "expect": "greater", "on": ["addresses_instruction", "proper_structure"],
         "isolates": ["from"]},
        {"name": "dpo_aligns", "says": "DPO after SFT improves preference accuracy", "compare": ["sft_dpo", "sft"],
         "expect": "greater", "on": ["preference_accuracy"], "isolates": ["train"]},
        {"name": "dpo_keeps_facts", "says": "DPO does not cost factual correctness", "compare": ["sft_dpo", "sft"],
         "expect": "not_worse", "on": ["factually_correct"], "isolates": ["train"]},
        {"name": "no_refusals_learnt", "says": "SFT refuses less than the base model", "compare": ["sft", "base"],
         "expect": "greater", "on": ["no_unwarranted_refusal"], "isolates": ["train"]},
        {"name": "dpo_alone_suffices", "says": "DPO alone ends its answers better than SFT", "compare": ["dpo_only", "sft"],
         "expect": "greater", "on": ["ends_with_end"], "isolates": ["from", "train"]},
        {"name": "sft_is_the_better_start", "says": "SFT is a better start for DPO than the base model",
         "compare": ["sft_dpo", "dpo_only"], "expect": "greater", "on": ["coherent"], "isolates": ["from"],
         "confounds": [{"factor": "trained tokens", "severity": "blocks", "detail": "181,220 against 90,430"},
                       {"factor": "reference model", "severity": "downgrades"}]},
        {"name": "diverse_negatives_help", "says": "Diverse negatives beat random ones",
         "compare": ["sft_dpo", "sft_dpo_random"], "expect": "greater", "on": ["addresses_instruction"]},
    ]  # fmt: skip
    return AnalyzeSettings.model_validate(
        {
            "analysis": {"alpha": 0.05, "smallest_effect": 0.10, "power": 0.8},
            "claims": claims,
            "arms": {"base": [None], "sft": [1, 2, 3], "sft_dpo": [1, 2, 3], "dpo_only": [1, 2, 3]},
            "criteria": CRITERIA,
            "primary": ["addresses_instruction", "proper_structure"],
        }
    )


def sample_items(count: int = 130, families: int | None = None) -> tuple[Item, ...]:
    """Held-out items in template families of about three (`families` None)."""
    kinds = get_args(Kind)
    groups = families or max(count // 3, 1)
    return tuple(
        Item(
            id=f"item-{i:04d}",
            kind=kinds[i % len(kinds)],
            instruction=f"Name the capital of country {i}.",
            answers=(f"City {i}",) if i % 3 else None,
            family=f"family-{i % groups}",
            entity=f"country {i}",
        )
        for i in range(count)
    )


def sample_scores(settings: AnalyzeSettings, items: tuple[Item, ...], seed: int = 0) -> Scores:
    """Scores drawn from `RATES` with item difficulties, arm x item differences and a spread between training seeds.

    An arm without rates of its own draws from those of `sft`. `factually_correct` is null for items without reference answers.
    """
    rng = np.random.default_rng(seed)
    types = get_args(NegativeType)
    difficulty = rng.normal(0, 1.5, len(items))
    scores: dict[tuple[str, int | None], list[ItemScore]] = {}
    for arm, seeds in settings.arms.items():
        centre = (
            logit(np.array([*RATES.get(arm, RATES["sft"])[: len(settings.criteria)], PREFERENCE_RATES.get(arm, 0.68)])) * 1.3
        )
        own_way = rng.normal(0, 0.7, len(items))
        for training_seed in seeds:
            shift = rng.normal(0, 0.08)
            chance = expit(centre + (difficulty + own_way + shift)[:, None])
            passed = rng.random((len(items), len(settings.criteria))) < chance[:, :-1]
            preferred = rng.random((len(items), len(types))) < chance[:, -1:]
            scores[arm, training_seed] = [
                ItemScore(
                    item_id=item.id,
                    criteria={
                        name: None if name == "factually_correct" and item.answers is None else bool(ok)
                        for name, ok in zip(settings.criteria, passed[i], strict=True)
                    },
                    preference={kind: bool(ok) for kind, ok in zip(types, preferred[i], strict=True)},
                )
                for i, item in enumerate(items)
            ]
    return scores


def sample_analysis(seed: int = 0) -> Analysis:
    """The analysis of a simulated quickstart: four arms, three seeds, 130 items; the same for the same seed."""
    settings, items = sample_settings(), sample_items()
    return analyze(settings, sample_scores(settings, items, seed), items)
