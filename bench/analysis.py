"""How long the analysis of a large experiment takes: `uv run python bench/analysis.py` writes `analysis.json`.

10 arms with 5 training seeds each, 1,000 held-out items in 250 families, nine criteria, a claim for each of the nine, all other
contrasts as secondary ones. Scores are drawn: arms, items and seeds differ, so that no test has an easy way out.
"""

from __future__ import annotations

import json
import os
import platform
import random
import resource
import time
from pathlib import Path

from compiler.records import Item, ItemScore
from evaluators.analysis.analyze import analyze
from evaluators.analysis.settings import AnalyzeSettings
from evaluators.scoring import ALL

ARMS, SEEDS, ITEMS, FAMILIES = 10, 5, 1_000, 250
OUT = Path(__file__).with_suffix(".json")


def settings() -> AnalyzeSettings:
    """A claim per criterion, about neighbouring arms."""
    claims = [
        {"name": f"claim_{k}", "compare": [f"a{k}", f"a{k + 1}"], "expect": "different", "kind": "recipe", "on": [criterion]}
        for k, criterion in enumerate(ALL)
    ]
    arms = {f"a{k}": list(range(1, SEEDS + 1)) for k in range(ARMS)}
    return AnalyzeSettings.model_validate({"claims": claims, "arms": arms, "criteria": list(ALL)})


def scores(items: list[Item]) -> dict[tuple[str, int | None], list[ItemScore]]:
    """Of every arm and seed."""
    draw = random.Random(0)
    hardness = [draw.gauss(0.0, 0.15) for _ in items]
    found: dict[tuple[str, int | None], list[ItemScore]] = {}
    for arm in range(ARMS):
        for seed in range(1, SEEDS + 1):
            luck = draw.gauss(0.0, 0.015)
            found[f"a{arm}", seed] = [
                ItemScore(
                    item_id=item.id,
                    criteria={name: draw.random() < 0.65 + 0.01 * arm + luck + hard for name in ALL},
                )
                for item, hard in zip(items, hardness, strict=True)
            ]
    return found


def main() -> None:
    """Analyse and write down."""
    items = [Item(id=f"i{k}", kind="qa", instruction=f"question {k}", family=f"f{k % FAMILIES}") for k in range(ITEMS)]
    told, drawn = settings(), scores(items)
    started, cpu = time.perf_counter(), time.process_time()
    analysis = analyze(told, drawn, items)
    found = {
        "arms": ARMS,
        "seeds": SEEDS,
        "items": ITEMS,
        "criteria": len(ALL),
        "claims": len(analysis.claims),
        "secondary_contrasts": len(analysis.contrasts),
        "seconds": round(time.perf_counter() - started, 2),
        "cpu_seconds": round(time.process_time() - cpu, 2),
        "peak_gb_of_the_process": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 2),
        "machine": f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}",
    }
    OUT.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
