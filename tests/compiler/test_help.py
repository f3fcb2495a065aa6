"""Help that a person would give: what a word of other tools is called here, what a number with a unit is, what a key is for."""

from __future__ import annotations

import pytest

from compiler.language.data import BANK_ITEMS
from compiler.language.lookup import keys_of
from compiler.language.recipes import DpoRecipe
from compiler.synonyms import _WORDS
from datagen.bank import load_bank

MISTAKES = [
    ("max_new_tokens: 150", "max_new_tokens: 150 tokens", "write `150`: units are not written"),
    ("smallest_effect: 0.10", "smallest_effect: 10%", "write `0.1`"),
    ("smallest_effect: 0.10", "smallest_effect: 10", "write `0.1` for 10%"),
    ("seeds: [1, 2, 3]", "seeds: 3", "write `[1, 2, 3]` for 3 of them"),
    ("on: [preference_accuracy]", "on: preference_accuracy", "write `[preference_accuracy]`"),
    ("compare: [sft_dpo, dpo_only]", "compare: sft_dpo vs dpo_only", "write `[sft_dpo, dpo_only]`"),
    ("learning_rate: 2.0e-3", "lr: 2.0e-3", "did you mean `learning_rate`?"),
    ("rank: 16", "r: 16", "did you mean `rank`?"),
    ("quantization: none", "quantization: 4bit", "did you mean `nf4`?"),
    ("expect: greater", "expect: better", "did you mean `greater`?"),
    ("on: [addresses_instruction", "on: [instruction_following", "did you mean `addresses_instruction`?"),
    ("{from: sft, train: dpo}", "{from: base, train: [sft, dpo]}", "give each stage an arm of its own"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "said"), MISTAKES, ids=[new for _, new, _ in MISTAKES])
def test_a_usual_mistake_is_answered_with_what_to_write(old, new, said, root, compiled):
    """One located finding, whose help is the way out."""
    text = (root / "specs" / "quickstart.yaml").read_text()
    assert old in text

    found = [d for d in compiled(text.replace(old, new, 1)).diagnostics if d.code.startswith("S")]

    assert len(found) == 1
    assert said in found[0].help


def test_a_value_out_of_range_is_told_with_what_its_key_means(root, compiled):
    """The description that the schema has, with its unit."""
    text = (root / "specs" / "quickstart.yaml").read_text().replace("learning_rate: 2.0e-3", "learning_rate: 20")
    (found,) = [d for d in compiled(text).diagnostics if d.code == "S103"]

    assert found.notes == ("`learning_rate`: Peak learning rate of AdamW.",)


def test_a_word_of_other_tools_never_hides_one_of_ours():
    """What is called so here is not taken for something else."""
    assert not set(_WORDS) & set(keys_of(DpoRecipe))


def test_more_than_the_bank_holds_is_an_error_before_the_run(root, compiled):
    """The plan knows how many instructions are built in."""
    found = compiled((root / "specs" / "quickstart.yaml").read_text(), "data.instructions.heldout=13000")

    assert [d.code for d in found.diagnostics] == ["S304"]
    assert len(load_bank()) == BANK_ITEMS
