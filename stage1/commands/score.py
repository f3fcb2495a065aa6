"""`stage1 score`: judge answers made anywhere."""

from __future__ import annotations

import sys
from pathlib import Path

from evaluators.answers_file import MalformedAnswers, read_answers, score_lines


def score_file(source: Path, out: Path) -> int:
    """Read answers, judge them, write one line per answer. Nothing is written unless every line is well formed."""
    try:
        lines = source.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        print(f"error: {source} cannot be read: {error}", file=sys.stderr)
        return 2
    try:
        answers, warnings = read_answers(lines, str(source))
    except MalformedAnswers as malformed:
        print(malformed, file=sys.stderr)
        return 1
    for warning in warnings:
        print(f"warning: {warning}", file=sys.stderr)
    text = "".join(line + "\n" for line in score_lines(answers))
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        print(f"error: {out} cannot be written: {error.strerror or error}", file=sys.stderr)
        return 2
    print(f"{len(answers)} answers judged, written to {out}", file=sys.stderr)
    return 0
