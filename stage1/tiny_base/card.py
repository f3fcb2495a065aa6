"""The model card, filled in with what was measured."""

from __future__ import annotations

from pathlib import Path
from string import Template
from typing import Any

from datagen.bank.relations import load_relations
from stage1.tiny_base.settings import BuildSettings

_TEMPLATE = Path(__file__).with_name("model_card.md")


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f}%"


def _rate_rows(report: dict[str, Any]) -> str:
    few, zero = report["few_shot"], report["zero_shot"]
    rows = [
        ("reference answer contained, all kinds", few["contained"], zero["contained"]),
        *(
            (f"reference answer contained, {kind}", few["contained_by_kind"][kind], zero["contained_by_kind"][kind])
            for kind in few["contained_by_kind"]
        ),
        ("reference answer in the first sentence or line", few["opens_with_answer"], zero["opens_with_answer"]),
        ("END on a line of its own", few["ends_with_marker"], zero["ends_with_marker"]),
        (f"still writing after {report['token_limit']} tokens", few["runs_to_the_limit"], zero["runs_to_the_limit"]),
    ]
    return "\n".join(f"| {name} | {_percent(a)} | {_percent(b)} |" for name, a, b in rows)


def card(folder: Path, settings: BuildSettings, report: dict[str, Any]) -> str:
    """The text of the card for the model in the folder."""
    relations = load_relations()
    sizes, mix = settings.architecture, settings.mix
    total = sum(vars(mix).values())
    return Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(
        vars(sizes),
        parameters=f"{report['parameters']:,}",
        megabytes=f"{(folder / 'model.safetensors').stat().st_size / 1e6:.2f}",
        facts=f"{sum(len(relation.facts) for relation in relations):,}",
        relations=len(relations),
        shares=", ".join(f"{name.replace('_', '-')} {_percent(share / total)}" for name, share in vars(mix).items()),
        tokens=f"{settings.steps * settings.batch_rows * settings.row_length / 1e6:.1f}",
        steps=f"{settings.steps:,}",
        batch=f"{settings.batch_rows * settings.row_length:,}",
        row_length=settings.row_length,
        learning_rate=f"{settings.learning_rate:g}",
        seed=settings.seed,
        items=f"{report['few_shot']['items']:,}",
        items_with_answers=f"{report['few_shot']['items_with_answers']:,}",
        rates=_rate_rows(report),
    )


def write_card(folder: Path, settings: BuildSettings, report: dict[str, Any]) -> None:
    """Writes `MODEL_CARD.md` into the folder."""
    (folder / "MODEL_CARD.md").write_text(card(folder, settings, report), encoding="utf-8")
