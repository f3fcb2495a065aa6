"""How long the scorer takes for 10,000 different answers on one core: `uv run python bench/scoring.py` writes `scoring.json`.

The answers are the labelled ones, each told apart by an instruction of its own, so that nothing is remembered from one to the
next, and made longer in part: every third is followed by two of the others.
"""

from __future__ import annotations

import dataclasses
import json
import os
import platform
import time
from collections.abc import Iterator
from pathlib import Path

from evaluators.answers_file import OutsideAnswer, score_lines
from evaluators.criteria.measured import labelled_rounds
from evaluators.scoring import score_answer
from evaluators.view import AnswerView

ANSWERS = 10_000
OUT = Path(__file__).with_suffix(".json")


def answers() -> Iterator[AnswerView]:
    """10,000 different answers to different instructions."""
    views = [each.view for labels in labelled_rounds().values() for each in labels]
    for number in range(ANSWERS):
        view = views[number % len(views)]
        more = [views[(number * 7 + step) % len(views)].response for step in range(2)] if number % 3 == 0 else []
        yield dataclasses.replace(
            view, instruction=f"{view.instruction} ({number})", response="\n".join([view.response, *more])
        )


def main() -> None:
    """Score and write down."""
    views = list(answers())
    score_answer(views[0])  # phrase lists and lexicons are read once, whatever the number of answers
    started, cpu = time.perf_counter(), time.process_time()
    for _ in score_lines(OutsideAnswer(str(number), view) for number, view in enumerate(views)):
        pass
    found = {
        "answers": ANSWERS,
        "mean_characters": round(sum(len(view.response) for view in views) / ANSWERS, 1),
        "seconds": round(time.perf_counter() - started, 2),
        "cpu_seconds": round(time.process_time() - cpu, 2),
        "cores": 1,
        "machine": f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}",
    }
    OUT.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
