"""The method checker: each code by a minimal spec, and single mistakes planted in a clean design."""

from __future__ import annotations

import re
from textwrap import dedent

import pytest

from compiler.catalogue import CATALOGUE

A = "sft_dpo"
LR = "recipe drifts"
MISTAKES = [
    # arms that are missing
    *[
        (f"drop:{arm}", code, claim)
        for arm, code, claim in [
            ("base_few_shot", "M001", "sft_beats_examples_in_the_prompt"), ("base_few_shot", "M017", "sft_follows_instructions"),
            ("dpo_only_long", "M001", "two_stages_beat_longer_dpo"), ("dpo_only_long", "M003", "two_stages_beat_dpo_only"),
            ("sft_on_chosen", "M001", "dpo_beats_sft_on_chosen"), ("sft_on_chosen", "M004", "two_stages_beat_dpo_only"),
            ("sft_dpo_shuffled", "M001", "labels_matter"),
            ("dpo_only_shuffled", "M001", "labels_matter_by_itself"), ("dpo_only_shuffled", "M005", "dpo_aligns_by_itself"),
            ("sft_dpo_random", "M001", "diverse_negatives_beat_random"),
            ("dpo_only_own_pairs", "M001", "two_stages_beat_own_pairs"), ("dpo_only_own_pairs", "M006", "two_stages_beat_dpo_only"),
            ("sft_dpo_without_filler", "M001", "gains_are_not_rehearsed"), ("sft_dpo_without_filler", "M008", "dpo_beats_sft_on_chosen"),
            ("sft_unmasked", "M001", "masking_keeps_the_instruction_out"),
            ("sft_dpo_strong", "M007", "two_stages_beat_dpo_only"), ("dpo_only_strong", "M007", "two_stages_beat_dpo_only"),
        ]
    ],
    # one setting of one arm
    ("arms.dpo_only.train={use: dpo, learning_rate: 1.0e-5}", "M002", "two_stages_beat_dpo_only"),
    ("arms.dpo_only.train={use: dpo, beta: 0.2}", "M002", "two_stages_beat_dpo_only"),
    ("arms.dpo_only.train={use: dpo, epochs: 2}", "M002", "two_stages_beat_dpo_only"),
    ("arms.dpo_only.train={use: dpo, batch_size: 4}", "M002", "two_stages_beat_dpo_only"),
    ("arms.dpo_only.train={use: dpo, max_length: 256}", "M002", "two_stages_beat_dpo_only"),
    ("arms.dpo_only.train={use: dpo, warmup_ratio: 0.0}", "M002", "two_stages_beat_dpo_only"),
    ("arms.sft_unmasked.train={use: sft, loss_on: all, epochs: 5}", "M002", "masking_keeps_the_instruction_out"),
    ("arms.sft_unmasked.train={use: sft, loss_on: all, learning_rate: 1.0e-3}", "M002", "masking_keeps_the_instruction_out"),
    ("arms.sft_unmasked.train=sft", "M001", "masking_keeps_the_instruction_out"),
    ("arms.sft_dpo_random={from: sft, train: dpo}", "M001", "diverse_negatives_beat_random"),
    ("arms.sft_dpo_random.data.preferences.pairs=300", "M002", "diverse_negatives_beat_random"),
    ("arms.sft_dpo_random.train={use: dpo, beta: 0.5}", "M002", "diverse_negatives_beat_random"),
    ("arms.sft_dpo_random.from=base", "M002", "diverse_negatives_beat_random"),
    ("arms.sft_dpo_shuffled.data.preferences.pairs=400", "M002", "labels_matter"),
    ("arms.dpo_only.data={preferences: {chosen: {from: base}}}", "M002", "two_stages_beat_dpo_only"),
    ("arms.dpo_only.data={preferences: {rejected: uniform}}", "M002", "two_stages_beat_dpo_only"),
    ("arms.dpo_only.prompt=raw", "M002", "two_stages_beat_dpo_only"),
    ("arms.dpo_only_long.train={use: dpo}", "M003", "two_stages_beat_dpo_only"),
    ("arms.sft_dpo_strong.train={use: dpo, beta: 0.1}", "M007", "two_stages_beat_dpo_only"),
    ("arms.sft_dpo_without_filler.data.preferences.rejected=uniform", "M008", "dpo_beats_sft_on_chosen"),
    # the whole design
    ("seeds=[1]", "M011", "two_stages_beat_dpo_only"),
    ("seeds=[1, 2, 3]", "M011", "dpo_aligns_after_sft"),
    ("seeds=[1, 2, 3, 4]", "M011", "sft_follows_instructions"),
    ("data.instructions.heldout=130", "M013", "two_stages_beat_dpo_only"),
    ("data.instructions.heldout=200", "M013", "sft_beats_examples_in_the_prompt"),
    ("analysis.smallest_effect=0.05", "M013", "dpo_aligns_by_itself"),
    ("analysis.smallest_effect=0.3", "M013", "dpo_aligns_by_itself"),
    ("analysis.power=0.55", "M013", "dpo_aligns_by_itself"),
    ("analysis.alpha=0.2", "M024", "sft_follows_instructions"),
    ("analysis.correction.primary=none", "M024", "sft_follows_instructions"),
    ("analysis.correction.secondary=none", "M024", "sft_follows_instructions"),
    ("evaluation.primary=[]", "M024", "sft_follows_instructions"),
    ("evaluation.decode.temperature=0.7", "M015", "sft_follows_instructions"),
    ("evaluation.decode.max_new_tokens=40", "M010", "sft_follows_instructions"),
    ("data.instructions.validation=0", "M019", "two_stages_beat_dpo_only"),
    ("model.base=Qwen/Qwen2.5-32B-Instruct", "M018", "sft_follows_instructions"),
    ("model.revision=null", "M018", "sft_follows_instructions"),
    ("recipes.dpo.beta=0.001", "M020", "two_stages_beat_dpo_only"),
    ("recipes.dpo.epochs=10", "M020", "two_stages_beat_dpo_only"),
    ("claims.sft_follows_instructions.says=SFT makes no difference", "M023", "sft_follows_instructions"),
    ("claims.labels_matter.says=DPO helps more than SFT does on easy items", "M023", "labels_matter"),
    ("claims.two_stages_beat_dpo_only.isolates=[]", "M002", "two_stages_beat_dpo_only"),
    ("claims.two_stages_beat_dpo_only.compare=[sft_dpo, dpo_only_own_pairs]", "M002", "two_stages_beat_dpo_only"),
    ("claims.sft_follows_instructions.on=[ends_with_end, no_rambling]", "M014", "sft_follows_instructions"),
    ("claims.dpo_aligns_by_itself.on=[on_topic]", "M008", "dpo_aligns_by_itself"),
    ("claims.dpo_aligns_by_itself.on=[factually_correct]", "M008", "dpo_aligns_by_itself"),
    ("claims.dpo_aligns_after_sft.on=[no_unwarranted_refusal]", "M008", "dpo_aligns_after_sft"),
]  # fmt: skip

HARMLESS = [
    *[f"seeds={seeds}" for seeds in ("[5, 4, 3, 2, 1]", "[11, 12, 13, 14, 15]", "[1, 2, 3, 4, 5, 6]", "[0, 7, 9, 10, 12, 40, 41]")],
    *[f"data.instructions.{edit}" for edit in ("heldout=410", "heldout=600", "train=250", "train=190", "validation=10",
      "validation=40", "stratify=null", "seed=8", "seed=123")],
    *[f"data.demonstrations.{edit}" for edit in ("few_shot=2", "few_shot=8", "decode.temperature=0.7", "decode.max_new_tokens=60")],
    *[f"data.preferences.{edit}" for edit in ("pairs=480", "rejected=original", "chosen.decode.max_new_tokens=100")],
    *[f"recipes.sft.{edit}" for edit in ("learning_rate=1.0e-4", "batch_size=16", "max_length=1024", "warmup_ratio=0.03",
      "schedule=cosine", "weight_decay=0.01", "max_grad_norm=0.5", "micro_batch_size=2")],
    *[f"recipes.dpo.{edit}" for edit in ("learning_rate=1.0e-6", "batch_size=16", "beta=0.2", "beta=0.05", "schedule=constant")],
    *[f"model.{edit}" for edit in ("adapter.rank=32", "adapter.alpha=64", "adapter.dropout=0.05", "dtype=float32")],
    "evaluation.decode.max_new_tokens=200", "analysis.alpha=0.05", "analysis.smallest_effect=0.12", "analysis.correction.primary=bonferroni",
    "analysis.correction.secondary=by", "description=another", "experiment=another", "runtime.generation_batch_size=8",
    "claims.labels_matter.says=True labels carry the gain", "claims.dpo_aligns_after_sft.expect=different",
    "arms.base_raw={from: base, prompt: raw}",
]  # fmt: skip


@pytest.fixture(scope="module")
def clean(root) -> str:
    """The strengthened design."""
    return (root / "specs" / "stage1.yaml").read_text()


def dropped(text: str, arm: str) -> str:
    """The spec without an arm, its lines cut out."""
    cut = re.sub(rf"^  {arm}:.*\n(?:    .*\n)*", "", text, count=1, flags=re.MULTILINE)
    assert cut != text
    return cut


@pytest.mark.parametrize(("edit", "code", "claim"), MISTAKES, ids=[f"{edit}-{code}" for edit, code, _ in MISTAKES])
def test_a_planted_mistake_is_found(edit, code, claim, clean, compiled):
    """One mistake in the clean design is found with its code, about the claim that it spoils."""
    found = compiled(dropped(clean, edit[5:])) if edit.startswith("drop:") else compiled(clean, edit)

    assert any(finding.code == code and claim in finding.claims for finding in found.findings), found.diagnostics


@pytest.mark.parametrize("edit", HARMLESS)
def test_a_harmless_edit_raises_nothing(edit, clean, compiled):
    """What spoils no claim is not complained about."""
    assert not compiled(clean, edit).findings


def test_there_are_enough_of_both():
    """At least 40 mistakes, and at least 40 harmless edits."""
    assert len(MISTAKES) >= 40
    assert len(HARMLESS) >= 40


@pytest.mark.parametrize("code", [c for c in CATALOGUE.values() if c.code.startswith("M")], ids=lambda code: code.code)
def test_a_finding_names_its_claim_and_a_way_out(code, compiled):
    """Every finding says which claim it is about, why in numbers or words, and what to do."""
    for finding in compiled(dedent(code.wrong), files=code.files).findings:
        assert finding.claims
        assert finding.claims[0] in finding.message
        assert finding.advice or not finding.remedy.empty
