"""`stage1 score`: judge answers made anywhere."""

from __future__ import annotations

import sys
from pathlib import Path

from evaluators.answers_file import MalformedAnswers, read_answers, score_lines
from stage1.commands.outputs import Refused, check_output
from stage1.commands.texts import unreadable
from stage1.report.words import counted

_SHOWN = 20
"""Malformed lines that are told; who left a key out did so in every line."""


def score_file(source: Path, out: Path) -> int:
    """Read answers, judge them, write one line per answer. Nothing is written unless every line is well formed."""
    try:
        check_output("--out", out, {"the file of answers itself": source})
        lines = source.read_text(encoding="utf-8-sig").split("\n")
    except Refused as problem:
        print(problem, file=sys.stderr)
        return 2
    except (OSError, UnicodeDecodeError) as failure:
        why = unreadable(source, failure, folder=lambda: "; name a file of answers, one JSON object a line")
        print(f"error: {why}", file=sys.stderr)
        return 2
    try:
        answers, warnings = read_answers(lines, str(source))
    except MalformedAnswers as malformed:
        _tell(malformed.problems)
        return 1
    for warning in warnings:
        print(f"warning: {warning}", file=sys.stderr)
    text = "".join(line + "\n" for line in score_lines(answers))
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        print(f"error: {out} cannot be written: {error.strerror or error}", file=sys.stderr)
        return 2
    print(f"{counted(len(answers), 'answer')} judged, written to {out}", file=sys.stderr)
    return 0


def _tell(problems: tuple[str, ...]) -> None:
    """What is wrong with the first lines, how many others there are, and where the form of a line is shown."""
    for problem in problems[:_SHOWN]:
        print(f"error: {problem}", file=sys.stderr)
    more = len(problems) - _SHOWN
    others = f"{counted(more, 'more line')} {'is' if more == 1 else 'are'} malformed; " if more > 0 else ""
    print(f"{others}nothing was judged; `stage1 score --help` shows the form of a line", file=sys.stderr)
