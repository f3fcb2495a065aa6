"""`python -m stage1.criteria`: the scorer's agreement with the labelled answers; `--write` stores it for the reports."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import evaluators.criteria
from evaluators.criteria.measured import (
    MEASURED,
    Measured,
    labelled_rounds,
    measure,
    read_first_meetings,
    render_measured,
    trust,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print agreement per criterion; 1 if a criterion is below 0.85 or the average below 0.9."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="store the figures beside the criteria")
    parser.add_argument("--rounds", action="store_true", help="also kappa per round of labels, now and at first meeting")
    told = parser.parse_args(arguments)
    measured = measure()
    sys.stdout.write(_table(measured))
    if told.rounds:
        sys.stdout.write(_by_round())
    if told.write:
        folder = Path(evaluators.criteria.__file__).parent
        (folder / MEASURED).write_text(render_measured(measured), encoding="utf-8")
    kappas = [each.kappa for each in measured.criteria if each.kappa is not None]
    return 0 if min(kappas) >= 0.85 and sum(kappas) / len(kappas) >= 0.9 else 1


def _table(measured: Measured) -> str:
    kappas = [each.kappa for each in measured.criteria if each.kappa is not None]
    lines = [f"{'criterion':<24}{'labels':>7}{'agreed':>8}{'kappa':>7}  passed wrongly  failed wrongly"]
    lines += [
        f"{each.criterion:<24}{each.n:>7}{each.agreed:>8}{_kappa(each.kappa):>7}"
        f"  {f'{each.passed_wrongly} of {each.fails}':>14}  {f'{each.failed_wrongly} of {each.passes}':>14}"
        for each in measured.criteria
    ]
    lines.append(
        f"{measured.answers} answers, {measured.traps} of them traps, in {measured.rounds} rounds; "
        f"average kappa {sum(kappas) / len(kappas):.3f}; the rules were improved after each round (see --rounds)"
    )
    return "\n".join(lines) + "\n"


def _by_round() -> str:
    first = read_first_meetings()
    lines = [""]
    for name, labels in labelled_rounds().items():
        lines.append(f"{name}, {len(labels)} answers: kappa now (at first meeting)")
        for each in trust(labels):
            if each.n:
                met = first.get(name, {}).get(each.criterion)
                lines.append(f"  {each.criterion:<24}{_kappa(each.kappa):>7}  ({_kappa(met)})")
    return "\n".join(lines) + "\n"


def _kappa(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


if __name__ == "__main__":
    sys.exit(main())
