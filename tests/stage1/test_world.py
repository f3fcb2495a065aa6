"""The identity of a model on this disk: whatever may change an answer, and nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from nano import NANO

from compiler.plan import Plan
from models.weights import TINY_BASE_FOLDER
from stage1.commands.compiling import compile_file
from stage1.world import DiskWorld


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder with the embedded model's files."""
    return Path(shutil.copytree(TINY_BASE_FOLDER, tmp_path / "model"))


def fingerprints(model: Path) -> set[str]:
    """Of all steps of the nano experiment with that base that load it."""
    plan = compile_file(NANO, [f"model.base={model}"]).plan
    assert isinstance(plan, Plan)
    return {step.fingerprint for step in plan.steps if "model" in step.settings}


@pytest.mark.parametrize(
    "name",
    [
        "model.safetensors", "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json",
        "special_tokens_map.json", "added_tokens.json", "model.safetensors.index.json", "adapter_config.json",
        "vocab.json", "merges.txt", "vocab.txt", "tokenizer.model", "spiece.model", "source.spm", "bpe.codes",
        "chat_template.json", "chat_template.jinja", "additional_chat_templates/tools.jinja",
    ],
)  # fmt: skip
def test_every_file_that_loading_may_read_is_part_of_the_identity(model: Path, name: str) -> None:
    """Another content is another model, and so is one file more."""
    world, path = DiskWorld(), model / name
    before = world.digest_model(str(model))
    path.parent.mkdir(exist_ok=True)

    digests = [before]
    for content in ("a", "b"):
        path.write_text(content)
        digests.append(world.digest_model(str(model)))

    assert len(set(digests)) == 3


def test_another_end_of_sequence_makes_every_answer_anew(model: Path) -> None:
    """`generation_config.json` says where a model stops: no step that asks the model is taken for what it was."""
    before = fingerprints(model)
    assert fingerprints(model) == before

    (model / "generation_config.json").write_text('{"eos_token_id": [3069, 11]}')

    assert before
    assert not fingerprints(model) & before


def test_what_is_not_loaded_makes_nothing_anew(model: Path) -> None:
    """Cards, pictures, weights in forms that are refused, folders, and measured rates may come, change and go."""
    before = DiskWorld().digest_model(str(model))
    for name in ("README.md", "MODEL_CARD.md", "curve.png", "pytorch_model.bin", "measurements.json", "modeling.py"):
        (model / name).write_text("another")
    (model / "runs.json").mkdir()

    assert DiskWorld().digest_model(str(model)) == before


def test_a_model_is_the_same_wherever_it_lies(model: Path) -> None:
    """A copy of the embedded model is that model; without weights there is none."""
    assert DiskWorld().digest_model(str(model)) == DiskWorld().digest_model("tiny-base")
    (model / "model.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match="no safetensors weights"):
        DiskWorld().digest_model(str(model))
