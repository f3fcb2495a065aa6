"""M006 to M009, M020: what preference pairs do to a claim."""

from __future__ import annotations

from compiler.codes.entry import Code
from compiler.codes.method_example import ARMS, also, claim

_LEVEL = "\n        A warning at `level: mvp`, an error at `level: publication`."
_ONLY = "  dpo_only: {from: base, train: dpo}\n"
_STARTS = claim("start", "sft_dpo, dpo_only", "from", kind="recipe", on="addresses_instruction")
_WITHOUT = (
    "  other_four: {from: base, train: dpo, data: {preferences: {rejected: {unwarranted_refusal: 0.5, off_topic: 0.5}}}}\n"
)

CODES = (
    Code(
        "M006",
        "pairs that one arm's own policy wrote",
        """
        The chosen answers were written by the model from which one arm starts, and are foreign to the other: a
        difference may be due to who wrote the pairs. Add an arm whose pairs its own starting model wrote.
        """
        + _LEVEL,
        ARMS + _ONLY + _STARTS,
        ARMS
        + _ONLY
        + "  own_pairs: {from: base, train: dpo, data: {preferences: {chosen: {from: base}}}}\n"
        + _STARTS
        + also("policy", "sft_dpo, own_pairs", "from, data.preferences.chosen.from", on="addresses_instruction"),
    ),
    Code(
        "M007",
        "one beta for two reference models (warning)",
        """
        Beta sets how far an arm may move from its own reference. Under another reference the same beta allows another
        distance, so each arm has to be tried with a second beta.
        """,
        ARMS + _ONLY + _STARTS,
        ARMS
        + _ONLY
        + "  sft_dpo_strong: {from: sft, train: {use: dpo, beta: 0.3}}\n"
        + "  dpo_only_strong: {from: base, train: {use: dpo, beta: 0.3}}\n"
        + _STARTS,
    ),
    Code(
        "M008",
        "trained to the test",
        """
        A negative type shows an arm as bad just what a criterion fails; the other arm has not seen it. The gain on that
        criterion may be rehearsal. An arm without that negative type shows whether the gain is general; criteria that
        mirror no negative type are reported apart. Preference accuracy is measured on all five types: a claim that rests
        on it alone makes the review's answer about the metrics weak.
        """
        + _LEVEL,
        ARMS + _ONLY + claim("gain", "dpo_only, base", "train", kind="recipe", on="on_topic"),
        ARMS
        + _ONLY
        + _WITHOUT.replace("off_topic", "verbose_vague")
        + claim("gain", "dpo_only, base", "train", kind="recipe", on="on_topic")
        + also("general", "other_four, base", "train", on="on_topic"),
    ),
    Code(
        "M009",
        "what builds the negatives also grades",
        """
        The preference accuracy is measured on pairs whose rejected side is built by the rules that built the training
        pairs. A claim that rests on it alone needs another grader: a criterion, scored on the arm's own answers, shares
        no code with those rules. After the run the pairs themselves are looked at: rejected answers that nothing finds bad,
        or are few and alike, and pairs that could not be made, where an arm had less than nine tenths of those asked for.
        """
        + _LEVEL,
        ARMS + _ONLY + claim("gain", "dpo_only, base", "train", kind="recipe", on="preference_accuracy"),
        ARMS + _ONLY + claim("gain", "dpo_only, base", "train", kind="recipe", on="preference_accuracy, coherent"),
    ),
    Code(
        "M020",
        "DPO outside its usual range (warning)",
        """
        With a beta below 0.01 or above 1 (0.5 to 20 where log-ratios are means per token), or with more than 3 epochs over
        the same pairs, margins saturate, chosen answers lose likelihood, or the reference stops mattering. The curves
        show it after the run; and, for SFT as well, a loss that ended higher than it began. A
        training after which every answer is what it was before shows nothing: a claim that it makes no difference is
        inconclusive then.
        """,
        ARMS.replace("objective: dpo", "objective: dpo, beta: 0.001") + claim("gain", "sft_dpo, sft", "train"),
        ARMS + claim("gain", "sft_dpo, sft", "train"),
    ),
)
