"""The one door for base models, and what it says when it stays shut."""

import fnmatch
import json
import shutil
from types import SimpleNamespace

import psutil
import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_models import edit_json, make_model, make_tokenizer, save_base

from models import memory
from models.errors import ModelError
from models.loading import ModelSettings, load_base
from models.memory import bytes_needed


def settings(folder, **changes):
    """Model settings as a plan has them."""
    return {"base": str(folder), "revision": None, "quantization": "none", "dtype": "float32", **changes}


def test_local_folder(base_folder):
    """A folder is loaded frozen, in evaluation mode, with the weights that were saved."""
    loaded = load_base(settings(base_folder, digest="abc", adapter={"rank": 4}), "cpu")

    assert not loaded.model.training
    assert not any(parameter.requires_grad for parameter in loaded.model.parameters())
    assert torch.equal(loaded.model.model.embed_tokens.weight, make_model().model.embed_tokens.weight)
    assert loaded.settings == ModelSettings(base=str(base_folder))


def test_bfloat16(base_folder):
    """The dtype asked for is the dtype of the weights."""
    loaded = load_base(settings(base_folder, dtype="bfloat16"), "cpu")

    assert {parameter.dtype for parameter in loaded.model.parameters()} == {torch.bfloat16}


def test_nf4_on_a_cpu_stays_close_to_the_weights(tmp_path):
    """Four-bit loading goes through the same door and computes nearly what the full weights do."""
    folder = save_base(tmp_path, hidden_size=64)
    ids = torch.tensor([[5, 6, 7, 8]])
    full = load_base(settings(folder), "cpu").model(ids).logits

    four_bit = load_base(settings(folder, quantization="nf4"), "cpu").model

    assert any(type(module).__name__ == "Linear4bit" for module in four_bit.modules())
    assert torch.nn.functional.cosine_similarity(full.flatten(), four_bit(ids).logits.float().flatten(), dim=0) > 0.9


def test_loading_is_quiet(base_folder, capfd):
    """Nothing is written to the terminal."""
    load_base(settings(base_folder), "cpu")

    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("base", ["./nowhere", "/nowhere/at/all", "nowhere", "a/b/c"])
def test_missing_folder(base):
    """A path that is not there is named, and what can be given instead."""
    with pytest.raises(ModelError, match=rf"no model folder {base}: give tiny-base, an existing folder, or a hub id"):
        load_base(settings(base), "cpu")


def test_hub_model_that_cannot_be_fetched(monkeypatch, tmp_path):
    """Without cache and network a hub id ends in one line, not in a traceback from the client."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))

    with pytest.raises(
        ModelError, match=r"someone/no-such-model is not in the local cache .* or give a local folder"
    ) as caught:
        load_base(settings("someone/no-such-model"), "cpu")
    assert "\n" not in str(caught.value)


def _cached_as(base_folder, cache, files):
    """Lays files of a model folder into a hub cache, as a download leaves them."""
    repository = cache / "models--someone--tiny"
    snapshot = repository / "snapshots" / ("a" * 40)
    snapshot.mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("a" * 40)
    for name in files:
        shutil.copy(base_folder / name, snapshot / name)


def test_hub_model_from_the_cache(base_folder, monkeypatch, tmp_path):
    """A hub id whose files are in the cache loads without a network, by branch or by commit, through the same door."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    _cached_as(base_folder, tmp_path, [path.name for path in base_folder.iterdir()])

    for revision in (None, "a" * 40):
        loaded = load_base(settings("someone/tiny", revision=revision), "cpu")
        assert torch.equal(loaded.model.lm_head.weight, make_model().lm_head.weight)
    with pytest.raises(ModelError, match="someone/tiny is not in the local cache"):
        load_base(settings("someone/tiny", revision="b" * 40), "cpu")


@pytest.mark.parametrize(("free", "fetched"), [(10**12, {"config.json", "model.safetensors"}), (1000, {"config.json"})])
def test_hub_model_is_weighed_before_its_weights_are_fetched(base_folder, monkeypatch, tmp_path, free, fetched):
    """Configuration and index come first; weights that would not fit are never downloaded, pickles never asked for."""
    names = ["config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors", "pytorch_model.bin"]
    index = tmp_path / "model.safetensors.index.json"
    index.write_text('{"metadata": {"total_size": 132224}, "weight_map": {"a": "model.safetensors"}}')

    def hub(base, *, revision, local_files_only=False, allow_patterns=()):
        if local_files_only:
            raise FileNotFoundError(base)
        for name in names:
            if any(fnmatch.fnmatch(name, pattern) for pattern in allow_patterns) and not (tmp_path / name).exists():
                shutil.copy(base_folder / name, tmp_path / name)
        return str(tmp_path)

    monkeypatch.setattr("huggingface_hub.snapshot_download", hub)
    monkeypatch.setattr(memory, "free_bytes", lambda _: free)
    if free > 1000:
        load_base(settings("someone/tiny"), "cpu")
    else:
        with pytest.raises(ModelError, match="needs about"):
            load_base(settings("someone/tiny"), "cpu")

    assert {path.name for path in tmp_path.iterdir()} - {"tokenizer.json", "tokenizer_config.json", index.name} == fetched


def test_half_a_download_is_not_loaded(base_folder, monkeypatch, tmp_path):
    """A cache that lacks the weights is not taken for the model."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    _cached_as(base_folder, tmp_path, ["config.json", "tokenizer.json", "tokenizer_config.json"])

    with pytest.raises(ModelError, match="someone/tiny"):
        load_base(settings("someone/tiny"), "cpu")


def test_pickled_weights_are_not_loaded(base_folder, tmp_path):
    """A folder with pickled weights only is refused before anything is unpickled."""
    folder = shutil.copytree(base_folder, tmp_path / "base")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")

    with pytest.raises(ModelError, match="has no safetensors weights"):
        load_base(settings(folder), "cpu")


@pytest.mark.parametrize("name", ["../elsewhere.safetensors", "/elsewhere.safetensors", "parts/one.safetensors"])
def test_weights_outside_the_folder_are_not_loaded(base_folder, tmp_path, name):
    """An index may name any path; what lies outside is no part of what was planned with."""
    folder = shutil.copytree(base_folder, tmp_path / "base")
    index = {"metadata": {"total_size": 9}, "weight_map": {"a": name}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))

    with pytest.raises(ModelError, match="outside its folder"):
        load_base(settings(folder), "cpu")


def test_an_adapter_is_no_base_model(base_folder, tmp_path):
    """Beside an adapter's settings transformers would load the weights that they name, wherever those lie."""
    folder = shutil.copytree(base_folder, tmp_path / "base")
    (folder / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": str(base_folder)}))

    with pytest.raises(ModelError, match="is an adapter to a model that lies elsewhere"):
        load_base(settings(folder), "cpu")


def test_incomplete_shards(base_folder, tmp_path):
    """A shard that the index names and the folder lacks is named."""
    folder = shutil.copytree(base_folder, tmp_path / "base")
    (folder / "model.safetensors.index.json").write_text(
        '{"metadata": {"total_size": 9}, "weight_map": {"a": "part-2.safetensors"}}'
    )

    with pytest.raises(ModelError, match=r"lacks part-2\.safetensors"):
        load_base(settings(folder), "cpu")


def test_broken_weights(base_folder, tmp_path):
    """Truncated weights end in one line."""
    folder = shutil.copytree(base_folder, tmp_path / "base")
    (folder / "model.safetensors").write_bytes(b"\x00" * 100)

    with pytest.raises(ModelError, match="cannot be loaded") as caught:
        load_base(settings(folder), "cpu")
    assert "\n" not in str(caught.value)


def test_missing_weights_are_not_drawn_at_random(base_folder, tmp_path):
    """A tensor that the files lack is named; it is never filled with noise."""
    folder = shutil.copytree(base_folder, tmp_path / "base")
    weights = load_file(folder / "model.safetensors")
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})

    with pytest.raises(ModelError, match=r"lacks weights such as model\.layers\.1\.mlp\.up_proj\.weight"):
        load_base(settings(folder), "cpu")


@pytest.mark.parametrize("text", ["", "{", "[]"])
def test_unreadable_config(base_folder, tmp_path, text):
    """A config.json that is not a JSON object is named."""
    folder = shutil.copytree(base_folder, tmp_path / "base")
    (folder / "config.json").write_text(text)

    with pytest.raises(ModelError, match=r"config\.json"):
        load_base(settings(folder), "cpu")


def test_tokenizer_without_end_token(base_folder, tmp_path):
    """A tokenizer that cannot end a sequence is refused before weights are read."""
    folder = shutil.copytree(base_folder, tmp_path / "base")
    make_tokenizer(eos=None).save_pretrained(folder)

    with pytest.raises(ModelError, match="no end-of-sequence token"):
        load_base(settings(folder), "cpu")


def test_vocabulary_smaller_than_ids(base_folder, tmp_path):
    """Ids beyond the embedding are found before the device would fault on them."""
    folder = shutil.copytree(base_folder, tmp_path / "base")
    edit_json(folder / "config.json", vocab_size=300)

    with pytest.raises(ModelError, match=r"ids up to \d+ but the model's vocabulary is 300"):
        load_base(settings(folder), "cpu")


def test_model_that_does_not_fit(base_folder, monkeypatch):
    """Size is compared with free memory before loading; the message has both numbers."""
    monkeypatch.setattr(memory, "free_bytes", lambda _: 1000)

    with pytest.raises(ModelError, match=r"needs about 0\.0 GB as float32 and cpu has 0\.0 GB free"):
        load_base(settings(base_folder), "cpu")


@pytest.mark.parametrize(
    ("files", "room"),
    [
        (
            {"memory.max": "1000\n", "memory.current": "900\n", "memory.stat": "anon 100\ninactive_file 700\nactive_file 90\n"},
            800,
        ),
        ({"memory.max": "1000\n", "memory.current": "900\n", "memory.stat": "anon 100\n"}, 100),
        ({"memory.max": "1000\n", "memory.current": "900\n", "memory.stat": "\nnot what it was\n"}, 100),
        ({"memory.max": "1000\n", "memory.current": "900\n"}, 100),
        ({"memory.max": "1000\n", "memory.current": "600\n", "memory.stat": "inactive_file 700\n"}, 1000),
        ({"memory.max": "max\n", "memory.current": "900\n"}, 5000),
        ({}, 5000),
    ],
    ids=["files", "none", "unreadable", "no statistics", "read one after the other", "no limit", "no control group"],
)
def test_files_that_are_only_kept_leave_room_in_a_container(tmp_path, monkeypatch, files, room):
    """What was downloaded or read lately counts as used in a container, but makes way; so it takes no room from a model."""
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(memory, "_CONTROL_GROUP", tmp_path)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=5000))

    assert memory.free_bytes(torch.device("cpu")) == room


def test_large_nf4_without_a_gpu(base_folder, tmp_path):
    """Four-bit weights of a large model on a CPU are refused: the size is known from the index alone."""
    folder = shutil.copytree(base_folder, tmp_path / "base")
    (folder / "model.safetensors.index.json").write_text('{"metadata": {"total_size": 65000000000}, "weight_map": {}}')

    with pytest.raises(ModelError, match="in nf4 needs a GPU"):
        load_base(settings(folder, quantization="nf4"), "cpu")


def test_size_of_a_large_model():
    """Qwen2.5-32B comes to about 65 GB in bfloat16 and about 20 GB in nf4 (embeddings and head stay whole)."""
    config = {"torch_dtype": "bfloat16", "vocab_size": 152064, "hidden_size": 5120, "tie_word_embeddings": False}

    assert bytes_needed(65_527_752_704, config, "none", "bfloat16") == 65_527_752_704
    assert 19e9 < bytes_needed(65_527_752_704, config, "nf4", "bfloat16") < 22e9


def test_quantised_weights_need_the_setting(base_folder, tmp_path):
    """Weights stored quantised are not passed off as full ones."""
    folder = shutil.copytree(base_folder, tmp_path / "base")
    edit_json(folder / "config.json", quantization_config={"quant_method": "bitsandbytes", "load_in_4bit": True})

    with pytest.raises(ModelError, match="stored quantised"):
        load_base(settings(folder), "cpu")


@pytest.mark.parametrize(
    ("form", "complaint"),
    [
        ({"quant_method": "gptq", "bits": 4}, "not as nf4"),
        ({"quant_method": "bitsandbytes", "load_in_8bit": True}, "not as nf4"),
        ({"quant_method": "bitsandbytes", "load_in_4bit": True, "bnb_4bit_quant_type": "fp4"}, "not as nf4"),
        (
            {
                "quant_method": "bitsandbytes",
                "load_in_4bit": True,
                "bnb_4bit_quant_type": "nf4",
                "bnb_4bit_use_double_quant": True,
            },
            "double_quantization: true",
        ),
    ],
)
def test_weights_stored_in_another_form_than_asked_for(base_folder, tmp_path, form, complaint):
    """Stored four-bit weights are loaded as they are, so that they must be what the settings say."""
    folder = shutil.copytree(base_folder, tmp_path / "base")
    edit_json(folder / "config.json", quantization_config=form)

    with pytest.raises(ModelError, match=complaint):
        load_base(settings(folder, quantization="nf4"), "cpu")
