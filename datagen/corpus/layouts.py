"""How exchanges are laid out: the headers before instruction and answer, and the terminator after each answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from datagen.corpus.library import Exchange


@dataclass(frozen=True)
class Layout:
    """One consistent way to write exchanges, kept through a document."""

    ask: str
    """Written before the instruction: `Instruction: `."""
    reply: str
    """Written between instruction and answer: `\\nResponse: `."""
    terminator: str = ""
    """A line of its own after each answer; empty for none."""

    def write(self, exchange: Exchange, answer: str) -> str:
        """The exchange as text, without the blank line that separates it from the next."""
        end = f"\n{self.terminator}" if self.terminator else ""
        return f"{self.ask}{exchange.instruction}{self.reply}{answer}{end}"


INSTRUCTION_HEADERS = ("Instruction: ", "\nResponse: ")
"""The headers of the experiment's own prompt format."""

HEADERS = (
    ("Input: ", "\nOutput: "),
    ("Task: ", "\nAnswer: "),
    ("Q: ", "\nA: "),
    ("Question: ", "\nAnswer: "),
    ("Prompt: ", "\nCompletion: "),
    ("Request: ", "\nReply: "),
    ("Exercise: ", "\nSolution: "),
    ("Problem: ", "\nResult: "),
    ("User: ", "\nExpert: "),
    ("Query: ", "\nResponse: "),
    ("Instruction: ", "\nOutput: "),
    ("Instruction: ", "\nAnswer: "),
    ("Task: ", "\nResponse: "),
    ("INPUT: ", "\nOUTPUT: "),
    ("INSTRUCTION: ", "\nRESPONSE: "),
    ("Pupil: ", "\nTeacher: "),
    ("Asked: ", "\nAnswered: "),
    ("- ", "\n  "),
    ("> ", "\n"),
    ("", "\n"),
)

TERMINATORS = (
    "###", "---", "STOP", "<done>", "***", "DONE", "[end]", "====", "</answer>", "FIN", "//", "OVER", "EOF", "%%", "~~~",
    "<eoa>", "+++", "[stop]", "CLOSE", "@@", "NEXT", "<end>", "##", "EXIT", "<stop>", "::", "HALT", "[/]", "READY", "$$",
)  # fmt: skip

END_SHARE = 0.12
"""Share of the few-shot blocks that are closed by END: often enough to be known, too rarely to be the rule."""

_LETTERS = "ABCDEFGHIKLMNOPRSTUVWXZ"


def terminator(rng: Random) -> str:
    """A terminator line: at times END, or one that was never seen before, so that only copying predicts it; or none."""
    kind = rng.choices(("end", "known", "new", "none"), weights=(END_SHARE, 0.42, 0.30, 0.16))[0]
    if kind == "end":
        return "END"
    if kind == "known":
        return rng.choice(TERMINATORS)
    if kind == "new":
        return "".join(rng.choices(_LETTERS, k=rng.randint(2, 4)))
    return ""


def sentence_case(text: str) -> str:
    """The answer with a capital first letter and a full stop, where it is a single line that lacks them."""
    if "\n" in text or not text:
        return text
    text = text[0].upper() + text[1:]
    return text if text[-1] in ".!?:" else f"{text}."


def answer_in_style(exchange: Exchange, style: str) -> str:
    """The good answer, in the style of the document: `plain`, or `sentence` where the form is free."""
    return sentence_case(exchange.answer) if style == "sentence" and exchange.free else exchange.answer


def written(layout: Layout, exchanges: Sequence[Exchange], style: str = "plain") -> list[str]:
    """The exchanges in one layout and style."""
    return [layout.write(exchange, answer_in_style(exchange, style)) for exchange in exchanges]
