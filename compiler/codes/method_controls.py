"""M003, M004, M005, M017: controls that a claim about a way of training needs."""

from __future__ import annotations

from compiler.codes.entry import Code
from compiler.codes.method_example import ARMS, also, claim

_LEVEL = "\n        A warning at `level: mvp`, an error at `level: publication`."
_CONTINUED = "  sft_more: {from: sft, train: {use: sft, match: {tokens: sft_dpo}}}\n"
_TEACHES = claim("gain", "sft_dpo, sft", "train", kind="recipe")

CODES = (
    Code(
        "M003",
        "one arm is simply trained more",
        """
        The trainings of the arm that is to come out ahead read more than 1.1 times as much, over all its stages, as those
        of the other: the examples of SFT and both sides of the pairs of DPO in every epoch, and the pairs once more for
        the reference. The plan counts sequences, as if all were equally long; after the run their tokens are counted, an
        answer that pairs of a step share once, and the ratio is judged anew. More training alone may explain the gain.
        Add an arm that is trained as much without the claimed factor, and a claim against it.
        """
        + _LEVEL,
        ARMS + _TEACHES,
        ARMS + _CONTINUED + _TEACHES + also("not_compute", "sft_dpo, sft_more", "train"),
    ),
    Code(
        "M004",
        "one arm sees the good answers more often",
        """
        Two stages show an arm good answers to the same instructions twice: as demonstrations, then as the chosen side
        of the pairs. An arm that only goes on with SFT on the chosen answers sees them as often, without any contrast.
        """
        + _LEVEL,
        ARMS + _TEACHES,
        ARMS
        + "  sft_chosen: {from: sft, train: sft, data: {demonstrations: {from: chosen}}}\n"
        + _TEACHES
        + also("not_exposure", "sft_dpo, sft_chosen", "train"),
    ),
    Code(
        "M005",
        "contrast, or merely likelier answers? (warning)",
        """
        DPO raises the likelihood of the chosen answers as well as it lowers that of the rejected ones. The same pairs
        with half of their labels swapped, or with random rejected answers, show what remains when there is nothing to
        tell apart.
        """,
        ARMS + _TEACHES,
        ARMS
        + "  shuffled: {from: sft, train: dpo, data: {preferences: {labels: shuffled}}}\n"
        + _TEACHES
        + also("contrast", "sft_dpo, shuffled", "data.preferences.labels"),
    ),
    Code(
        "M017",
        "a baseline that never saw the prompt form",
        """
        A base model has never seen the prompt format and has no reason to stop, so a trained arm may beat it by the
        format alone. The base model with worked examples in its prompt knows the format without any training.
        """
        + _LEVEL,
        ARMS + claim("gain", "sft, base", "train", kind="recipe"),
        ARMS
        + "  base_few_shot: {from: base, prompt: few-shot}\n"
        + claim("gain", "sft, base", "train", kind="recipe")
        + also("not_format", "sft, base_few_shot", "train, prompt"),
    ),
)
