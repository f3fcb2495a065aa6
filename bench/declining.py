"""Learn what `evaluators/language/declining.py` weighs: `uv run python bench/declining.py` writes `declining.json`.

Declining are the labelled answers that do, and the sentences of `declining.txt` with a plus, in answer to the instruction
before them or to some of the labelled ones. All other labelled answers, the other sentences there, `exchanges.txt` and
`everyday.txt` are not.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from logistic import logistic
from relatedness import FOLDS, HERE, exchanges

import evaluators.language.declining as learned
from evaluators.criteria.measured import labelled_rounds
from evaluators.language.declining import features
from evaluators.language.request import Request, read_request
from evaluators.language.stance import Asked
from evaluators.view import AnswerView

OUT = Path(learned.__file__).with_suffix(".json")
ASKED = 2
"""Instructions to which each sentence that declines is an answer."""
DECLINING, OTHER, EVERYDAY = 0.3, 0.5, 0.3
"""What an example weighs that nobody wrote as such; a labelled answer weighs 1."""
RIDGE = 30.0


class Example(NamedTuple):
    """One thing to learn from."""

    round: str
    declines: bool
    weight: float
    text: str
    request: Request


def examples() -> Iterator[Example]:
    """Everything there is to learn from."""
    rng = random.Random(0)
    requests = []
    for name, labels in labelled_rounds().items():
        for each in labels:
            passes, view = each.expected.get("no_unwarranted_refusal"), each.view
            if passes is None or view.is_empty or view.is_salad or view.is_gibberish or not _is_asked(view):
                continue
            yield Example(name, not passes, 1, view.prose, view.request)
            requests.append(view.request)
    for number, line in enumerate(_lines("declining.txt")):
        declines, (*asked, text) = line[0] == "+", line[2:].split(" | ")
        weight = OTHER if asked or not declines else DECLINING
        for request in map(read_request, asked) if asked else rng.sample(requests, ASKED if declines else 1):
            yield Example(f"fold_{number % FOLDS}", declines, weight, text.replace(" / ", "\n"), request)
    for number, line in enumerate(_lines("everyday.txt")):
        yield Example(f"fold_{number % FOLDS}", False, EVERYDAY, line, rng.choice(requests))
    for name, view in exchanges():
        if _is_asked(view):
            yield Example(name.replace("exchanges", "fold"), False, 1, view.prose, view.request)


def _is_asked(view: AnswerView) -> bool:
    """Whether the criterion would look at it: the answer is not right, and not a word to a person."""
    return Asked(view.request, view.kind, view.gives_reference).is_impersonal and not view.gives_reference


def _lines(name: str) -> list[str]:
    return [line for line in (HERE / name).read_text(encoding="utf-8").splitlines() if line]


def table(given: list[Example]) -> np.ndarray:
    """What the regression sees of each example."""
    found = [features(each.text, each.request) for each in given]
    return np.array([[*each.told.values(), *each.gist] for each in found])


def main() -> None:
    """Learn and write down."""
    given = list(examples())
    names = list(features(given[0].text, given[0].request).told)
    y, weight = np.array([each.declines for each in given]), np.array([each.weight for each in given])
    constant, weights = logistic(table(given), y, weight, RIDGE)
    told = dict(zip(names, weights[: len(names)].round(4).tolist(), strict=True))
    stored = {"constant": round(constant, 4), **told, "gist": weights[len(names) :].round(2).tolist()}
    OUT.write_text(json.dumps(stored) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
