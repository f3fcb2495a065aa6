"""Learn what `evaluators/language/relatedness.py` weighs: `uv run python bench/relatedness.py` writes `relatedness.json`.

Right are the good answers of the labelled rounds and of `exchanges.txt`, whole, by their opening, and every rest of them
behind what stands before it. Wrong are answers labelled as off the subject, those of `strays.txt`, other answers of the same
round put in their place or behind them, and sentences of `everyday.txt`. `--rounds` also tells the kappas of every round under
weights that were learned without it.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from logistic import logistic

import evaluators.language.relatedness as learned
from evaluators.criteria import CRITERIA, on_topic
from evaluators.criteria.agreement import Judgement, cohen_kappa
from evaluators.criteria.measured import labelled_rounds
from evaluators.criteria.turning import context_of, expected_of, turns_at
from evaluators.language.relatedness import Context, features
from evaluators.view import AnswerView

HERE = Path(__file__).parent
OUT = Path(learned.__file__).with_suffix(".json")
FOLDS = 10
"""Of the written examples, each a round of its own."""
OTHERS = 3
"""Other answers put in the place of each good one, and as many behind it."""
MIXED, EVERYDAY, OPENING = 0.25, 0.2, 0.5
"""What an example weighs that nobody wrote as such; a labelled answer weighs 1."""
RIDGE = 5.0
TURN = " // "
TOLD = ("no_rambling", "addresses_instruction", "on_topic")
"""The criteria that look at it."""


class Example(NamedTuple):
    """One thing to learn from."""

    place: learned.Place
    round: str
    related: bool
    weight: float
    features: dict[str, float]


def good_answers() -> Iterator[tuple[str, AnswerView]]:
    """Round and answer: labelled ones that pass and those of `exchanges.txt`."""
    for name, labels in labelled_rounds().items():
        for each in labels:
            told = each.expected
            passes = told.get("on_topic") and told.get("coherent") and told.get("addresses_instruction")
            if passes and told.get("no_rambling", True) and _says_something(each.view):
                yield name, each.view
    yield from exchanges()


def exchanges() -> Iterator[tuple[str, AnswerView]]:
    """Fold and answer: those of `exchanges.txt`."""
    yield from _answers_of("exchanges")


def _answers_of(name: str) -> Iterator[tuple[str, AnswerView]]:
    for number, line in enumerate((HERE / f"{name}.txt").read_text(encoding="utf-8").splitlines()):
        kind, instruction, answer, *references = line.split(" | ")
        answers = tuple(references[0].split("; ")) if references else None
        view = AnswerView(instruction, kind, answer.replace(" / ", "\n"), False, answers)  # type: ignore[arg-type]
        yield f"{name}_{number % FOLDS}", view


def _strays() -> Iterator[Example]:
    """Those of `strays.txt`: about something else, from the first word or from where two slashes stand."""
    for name, view in _answers_of("strays"):
        before, turn, after = view.response.partition(TURN)
        context = context_of(view)
        if turn:
            yield from _example("later", name, False, 1, after, context.then(before), view)
        else:
            yield from _example("opening", name, False, 1, before, context, view)


def examples() -> Iterator[Example]:
    """Everything there is to learn from."""
    rng = random.Random(0)
    everyday = (HERE / "everyday.txt").read_text(encoding="utf-8").splitlines()
    good = list(good_answers())
    for name, view in good:
        sentences, whole = view.sentences, context_of(view)
        yield from _example("opening", name, True, 1, view.prose, whole, view)
        yield from _example("opening", name, True, OPENING, sentences[0], whole, view)
        for place in range(1, len(sentences)):
            before = whole.then(" ".join(sentences[:place]))
            yield from _example("later", name, True, 1, " ".join(sentences[place:]), before, view)
        behind = whole.then(view.prose)
        yield from _example("later", name, False, EVERYDAY, rng.choice(everyday), behind, view)
        others = [other for group, other in good if group == name and other.instruction != view.instruction]
        for other in rng.choices(others, k=OTHERS):
            start = rng.randrange(len(other.sentences))
            part = " ".join(other.sentences[start : start + rng.choice((1, 2))])
            yield from _example("opening", name, False, MIXED, other.prose, whole, view)
            yield from _example("later", name, False, MIXED, part, behind, view)
    yield from _strays()
    yield from _labelled_as_off()


def _labelled_as_off() -> Iterator[Example]:
    for name, labels in labelled_rounds().items():
        for each in labels:
            view, told = each.view, each.expected
            if told.get("on_topic") is not False or not _says_something(view):
                continue
            asked = context_of(view)
            if told.get("addresses_instruction") is False:
                yield from _example("opening", name, False, 1, view.prose, asked, view)
            elif len(view.sentences) > 1:
                before = asked.then(" ".join(view.sentences[:-1]))
                yield from _example("later", name, False, 1, view.sentences[-1], before, view)


def _example(
    place: learned.Place, name: str, related: bool, weight: float, text: str, context: Context, view: AnswerView
) -> Iterator[Example]:
    found = features(text, context, expected_of(view))
    if found is not None:
        yield Example(place, name, related, weight, found)


def _says_something(view: AnswerView) -> bool:
    nothing = view.is_empty or view.is_gibberish or view.is_salad or view.is_echo or view.is_filler
    return bool(view.sentences) and not nothing and view.stance == "answers"


def learn(given: list[Example]) -> dict[str, float]:
    """Weights of the regression."""
    x = np.array([list(each.features.values()) for each in given])
    y, weight = [each.related for each in given], [each.weight for each in given]
    constant, weights = logistic(x, np.array(y), np.array(weight), RIDGE)
    return {"constant": round(constant, 4), **dict(zip(given[0].features, weights.round(4).tolist(), strict=True))}


def learn_both(given: list[Example]) -> dict[str, dict[str, float]]:
    """Weights for either place."""
    return {place: learn([each for each in given if each.place == place]) for place in ("opening", "later")}


def main() -> None:
    """Learn and write down."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", action="store_true", help="also tell what is judged well without having been learned")
    told = parser.parse_args()
    given = list(examples())
    OUT.write_text(json.dumps(learn_both(given), indent=1) + "\n", encoding="utf-8")
    if told.rounds:
        _tell_by_round(given)


def _tell_by_round(given: list[Example]) -> None:
    """Judge each round by weights learned from all the others; the rules beside them have seen it."""
    pairs: dict[str, list[tuple[Judgement, Judgement]]] = {}
    for name, labels in labelled_rounds().items():
        learned._weights = lambda name=name: learn_both([each for each in given if each.round != name])
        learned._weights = cache(learned._weights)
        turns_at.cache_clear()
        on_topic.judge.cache_clear()
        here: dict[str, list[tuple[Judgement, Judgement]]] = {}
        for criterion in (each for each in CRITERIA if each.name in TOLD):
            rows = [each for each in labels if criterion.name in each.expected]
            here[criterion.name] = [(each.expected[criterion.name], bool(criterion.judge(each.view))) for each in rows]
            pairs.setdefault(criterion.name, []).extend(here[criterion.name])
        print(name, {criterion: _rounded(cohen_kappa(each)) for criterion, each in here.items()})
    print("all", {criterion: _rounded(cohen_kappa(each)) for criterion, each in pairs.items()})


def _rounded(kappa: float | None) -> float | None:
    return None if kappa is None else round(kappa, 3)


if __name__ == "__main__":
    main()
