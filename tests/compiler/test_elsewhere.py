"""Keys written at the top that stand further below: the message names where."""

from __future__ import annotations

from pathlib import Path

import pytest

from compiler import compile_spec
from stage1.world import DiskWorld

QUICKSTART = Path(__file__).parents[2] / "specs" / "quickstart.yaml"


def help_for(flag: str) -> str:
    """The way out of the one error of a flag on the quickstart."""
    found = compile_spec("spec.yaml", QUICKSTART.read_text(), [flag], DiskWorld())
    (error,) = [diagnostic for diagnostic in found.diagnostics if diagnostic.severity == "error"]
    return error.help


@pytest.mark.parametrize(
    ("flag", "said"),
    [
        ("beta=0.3", "did you mean `recipes.dpo.beta`?"),
        ("epochs=2", "did you mean `recipes.sft.epochs` or `recipes.dpo.epochs`?"),
        ("dpo.beta=0.3", "did you mean `recipes.dpo`?"),
        ("heldout=30", "did you mean `data.instructions.heldout`?"),
        ("loss_on=all", "did you mean `recipes.sft.loss_on`?"),
    ],
)
def test_a_key_of_a_few_places_is_told_where_it_stands(flag: str, said: str) -> None:
    """Keys of the language and names of the spec, whether written in the spec or left at their defaults."""
    assert help_for(flag) == said


@pytest.mark.parametrize("flag", ["max_new_tokens=3", "nonsense=3"])
def test_a_key_of_many_places_or_none_lists_what_stands_at_the_top(flag: str) -> None:
    """A list of everything would help nobody."""
    assert help_for(flag).startswith("keys: `analysis`, `arms`")


def test_a_misspelt_key_of_the_top_is_still_told(tmp_path: Path) -> None:
    """What is close comes before what is far below."""
    assert help_for("recipe=3") == "did you mean `recipes`?"


@pytest.mark.parametrize(
    ("flag", "said"),
    [
        ("seeds[0]=5", "an item of a list is named so, counted from 0: --set seeds.0=5"),
        (
            "evaluation.primary[1]=ends_with_end",
            "an item of a list is named so, counted from 0: --set evaluation.primary.1=ends_with_end",
        ),
        ("seeds.7=5", "count from 0, as in --set seeds.0=…, or set the whole list: --set seeds=[…]"),
    ],
)
def test_how_an_item_of_a_list_is_named(flag: str, said: str) -> None:
    """Brackets are answered by what to type, and an item that is not there by what there is."""
    assert help_for(flag) == said
