"""How long the answers are: a score that moves with length alone is the oldest way to be fooled."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import quantiles
from typing import Any

from compiler.records import Answer
from stage1.report.data import ReportData
from stage1.report.words import percent


def lengths(data: ReportData) -> dict[str, Any]:
    """Tokens per answer by arm, how many met the limit, and the gap between the sides of the training pairs."""
    by_arm: dict[str, list[Answer]] = defaultdict(list)
    for run in data.runs:
        by_arm[run.arm] += run.answers.values()
    rows = [_row(arm, answers) for arm, answers in by_arm.items() if answers]
    limit = data.plan.spec["evaluation"]["decode"]["max_new_tokens"]
    return {
        "heading": _told(rows),
        "note": f"Generated tokens per held-out answer, the END marker included, over all seeds; the limit is {limit} tokens.",
        "limit": limit,
        "rows": rows,
        "pairs": [row for step, counts in data.counts.items() for row in _pair_rows(step, counts)],
    }


def _row(arm: str, answers: Sequence[Answer]) -> dict[str, Any]:
    tokens = sorted(answer.tokens for answer in answers)
    low, middle, high = quantiles(tokens, n=4, method="inclusive") if len(tokens) > 1 else [float(tokens[0])] * 3
    cut = sum(answer.hit_token_limit for answer in answers) / len(answers)
    return {
        "arm": arm,
        "median": f"{middle:g}",
        "quartiles": f"{low:g} to {high:g}",
        "longest": tokens[-1],
        "cut": percent(cut),
        "at": [low, middle, high],
        "share_cut": cut,
    }


def _told(rows: Sequence[Mapping[str, Any]]) -> str:
    if not rows:
        return "No answers, no lengths"
    shortest, longest = min(rows, key=lambda row: row["at"][1]), max(rows, key=lambda row: row["at"][1])
    cut = max(rows, key=lambda row: row["share_cut"])
    limit = f"; the token limit cut off {cut['cut']} of {cut['arm']}'s answers" if cut["share_cut"] else "; none was cut off"
    if shortest["median"] == longest["median"]:
        return f"The median answer has {longest['median']} tokens in every arm{limit}"
    lowest, highest = f"{shortest['median']} tokens ({shortest['arm']})", f"{longest['median']} ({longest['arm']})"
    return f"Median answers run from {lowest} to {highest}{limit}"


def _pair_rows(step: str, counts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The mean length of both sides, for the pairs of training and of the held-out items."""
    parts = [(step, counts)] + [(f"{step}, {part}", inner) for part, inner in counts.items() if isinstance(inner, Mapping)]
    return [
        {
            "pairs": name,
            "chosen": f"{inner['mean_characters']['chosen']:.1f}",
            "rejected": f"{inner['mean_characters']['rejected']:.1f}",
            "by_type": {
                kind.replace("_", " "): f"{about['length_gap']:+.1f}".replace("-", "−")
                for kind, about in (inner.get("types") or {}).items()
                if isinstance(about, Mapping) and isinstance(about.get("length_gap"), int | float)
            },
        }
        for name, inner in parts
        if _has_lengths(inner.get("mean_characters"))
    ]


def _has_lengths(means: Any) -> bool:
    """Whether there are lengths: where no pair was made, there are none."""
    return isinstance(means, Mapping) and all(isinstance(means.get(side), int | float) for side in ("chosen", "rejected"))
