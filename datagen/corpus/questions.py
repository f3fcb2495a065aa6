"""Documents of several exchanges: question-and-answer sheets, and few-shot blocks with a terminator."""

from __future__ import annotations

from random import Random

from datagen.corpus.layouts import HEADERS, INSTRUCTION_HEADERS, Layout, answer_in_style, terminator, written
from datagen.corpus.library import Library

_SHEET_TITLES = (
    "Quiz", "Questions and answers", "General knowledge", "Test yourself", "Revision sheet", "Frequently asked questions",
    "Homework", "Today's quiz", "Flash cards", "Exercises with solutions", "Practice sheet", "Quick questions",
)  # fmt: skip

_BLOCK_TITLES = (
    "Examples", "Examples:", "Worked examples", "Here are some instructions with their responses.", "Samples of the data:",
    "Each instruction below is followed by its response.", "Some solved tasks:", "A list of tasks and answers follows.",
    "The following examples show the format.", "Format of the file:", "Log of answered requests", "Short and correct answers:",
)  # fmt: skip


OWN_SHEETS = 0.12
"""Share of the sheets with headers that use the experiment's own."""
OWN_BLOCKS = 0.35
"""Share of the few-shot blocks that do."""
OWN_TITLED = 0.85
"""Share of those blocks that follow a title, so that their headers do not open the document."""


def _style(rng: Random) -> str:
    return rng.choices(("plain", "sentence"), weights=(7, 3))[0]


def sheet(library: Library, rng: Random) -> str:
    """Questions with their answers, without terminators, in one of many formats."""
    exchanges = library.exchanges(rng, rng.randint(2, 9))
    style = _style(rng)
    title = rng.choice(_SHEET_TITLES) + "\n\n" if rng.random() < 0.35 else ""
    kind = rng.choices(("headers", "numbered", "key"), weights=(7, 2, 1))[0]
    if kind == "headers":
        # The experiment's own headers without a terminator: its absence is copied from the context too.
        headers = INSTRUCTION_HEADERS if rng.random() < OWN_SHEETS else rng.choice(HEADERS)
        return title + rng.choice(("\n", "\n\n", "\n\n")).join(written(Layout(*headers), exchanges, style))
    answers = [answer_in_style(exchange, style) for exchange in exchanges]
    if kind == "numbered":
        return title + "\n".join(
            f"{i}. {e.instruction} {a}" for i, (e, a) in enumerate(zip(exchanges, answers, strict=True), 1)
        )
    asked = "\n".join(f"{i}. {exchange.instruction}" for i, exchange in enumerate(exchanges, 1))
    key = "\n".join(f"{i}. {answer}" for i, answer in enumerate(answers, 1))
    return f"{title}{asked}\n\nAnswers:\n{key}"


def few_shot(library: Library, rng: Random) -> str:
    """Exchanges in one layout, one style and one terminator, drawn anew per document.

    The experiment's own headers hardly ever open a document here: a document that opens with them is a rambling page,
    and only the context tells the two situations apart.
    """
    own = rng.random() < OWN_BLOCKS
    layout = Layout(*(INSTRUCTION_HEADERS if own else rng.choice(HEADERS)), terminator=terminator(rng))
    blocks = written(layout, library.exchanges(rng, rng.randint(3, 8)), _style(rng))
    titled = rng.random() < (OWN_TITLED if own else 0.25)
    return "\n\n".join([rng.choice(_BLOCK_TITLES), *blocks] if titled else blocks)
