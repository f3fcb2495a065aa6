"""Adapters come and go on one base model, which stays bit-identical; their files are not trusted."""

import json
import os
import subprocess
import sys

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file, save_file
from tiny_models import edit_json, make_model, open_base, save_base, wrap

from models.adapters import AdapterSettings, attached, fresh, load, remove, save, trainable
from models.errors import ModelError
from models.loading import load_base

IDS = torch.tensor([[5, 6, 7, 8, 9]])
SETTINGS = {"rank": 4, "alpha": 8, "dropout": 0.0, "targets": "all-linear"}


def logits(base):
    """What the model computes now."""
    with torch.no_grad():
        return base.model(IDS).logits


def state(base):
    """Every weight, every module type and every flag: what must be the same afterwards."""
    weights = {name: tensor.clone() for name, tensor in base.model.state_dict().items()}
    flags = [(name, type(module), module.training) for name, module in base.model.named_modules()]
    return weights, flags, [parameter.requires_grad for parameter in base.model.parameters()]


def assert_untouched(base, before):
    """Bit for bit, and with the very same kinds of layers."""
    weights, flags, grads = state(base)
    assert flags == before[1]
    assert grads == before[2]
    assert weights.keys() == before[0].keys()
    assert all(torch.equal(weights[name], before[0][name]) for name in weights)


def trained(base, folder, settings=SETTINGS, seed=1):
    """A checkpoint that computes something: every weight that trains is moved."""
    with trainable(base, settings, None, seed) as training:
        with torch.no_grad():
            moving = [parameter for parameter in base.model.parameters() if parameter.requires_grad]
            for number, parameter in enumerate(moving):
                parameter.add_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(number)), alpha=0.05)
        training.save(folder)
        return folder, logits(base)


def test_fresh_adapter_changes_nothing_yet(base):
    """A new adapter (B = 0) leaves every logit as it was, bit for bit, and only its own weights train."""
    before = logits(base)

    with trainable(base, SETTINGS, None, seed=1):
        assert torch.equal(logits(base), before)
        names = [name for name, parameter in base.model.named_parameters() if parameter.requires_grad]
        assert all("lora_" in name for name in names)
        assert len(names) == 2 * 7 * 2  # two factors, seven linear layers, two blocks; not the head


@pytest.mark.parametrize("settings", [SETTINGS, None], ids=["adapter", "all weights"])
def test_base_is_bit_identical_afterwards(base, tmp_path, settings):
    """Training, saving, loading and answering leave the base model exactly as it was."""
    before, clean = state(base), logits(base)

    folder, changed = trained(base, tmp_path, settings)
    with attached(base, folder):
        assert torch.equal(logits(base), changed)
        assert not any(parameter.requires_grad for parameter in base.model.parameters())

    assert not torch.equal(changed, clean)
    assert torch.equal(logits(base), clean)
    assert_untouched(base, before)


@pytest.mark.parametrize("settings", [SETTINGS, None], ids=["adapter", "all weights"])
def test_base_is_restored_after_an_error(base, settings):
    """A failure in the middle of training leaves no trace on the base model."""
    before = state(base)

    with pytest.raises(RuntimeError, match="out of luck"), trainable(base, settings, None, seed=1):
        for parameter in base.model.parameters():
            parameter.data += 1 if parameter.requires_grad else 0
        raise RuntimeError("out of luck")

    assert_untouched(base, before)


@pytest.mark.parametrize("settings", [SETTINGS, None], ids=["adapter", "all weights"])
def test_continued_training_starts_at_the_exact_weights(base, tmp_path, settings):
    """Going on from a checkpoint starts with the very logits it ended with."""
    folder, changed = trained(base, tmp_path, settings)

    with trainable(base, settings, folder, seed=99):
        assert torch.equal(logits(base), changed)


@pytest.mark.parametrize("settings", [SETTINGS, None], ids=["adapter", "all weights"])
def test_saving_is_deterministic_and_complete(base, tmp_path, settings):
    """The same seed gives the same bytes, another seed others; loading and saving again changes no byte."""
    trained(base, tmp_path / "a", settings)
    trained(base, tmp_path / "b", settings)
    with trainable(base, settings, tmp_path / "a", seed=5) as training:
        training.save(tmp_path / "c")

    contents = [{path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in "abc"]

    assert contents[0] == contents[1] == contents[2]
    if settings:
        trained(base, tmp_path / "d", settings, seed=2)
        assert (tmp_path / "d/adapter_model.safetensors").read_bytes() != contents[0]["adapter_model.safetensors"]


def test_adapter_bytes_do_not_hang_on_the_process(base, base_folder, tmp_path):
    """Another process with another hash seed writes the same adapter folder."""
    script = (
        "import sys; from pathlib import Path; from models.loading import load_base; from models.adapters import trainable\n"
        "with trainable(load_base({'base': sys.argv[1]}, 'cpu'), {'rank': 4, 'alpha': 8}, None, 1) as t: t.save(Path(sys.argv[2]))"
    )
    with trainable(base, {"rank": 4, "alpha": 8}, None, 1) as training:
        training.save(tmp_path / "here")
    environment = {**os.environ, "PYTHONHASHSEED": "1", "PYTHONPATH": "."}
    subprocess.run([sys.executable, "-c", script, base_folder, tmp_path / "there"], check=True, env=environment)

    here, there = ({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("here", "there"))

    assert here == there
    assert set(here) == {"adapter_config.json", "adapter_model.safetensors"}


def test_seed_alone_decides_a_fresh_adapter(base):
    """The global random state neither matters nor moves."""
    torch.manual_seed(7)
    first = [tensor.clone() for tensor in _weights(base, seed=3)]
    torch.manual_seed(8)
    now = torch.get_rng_state()

    again = _weights(base, seed=3)

    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert torch.equal(torch.get_rng_state(), now)


def _weights(base, seed):
    adapter = fresh(base, AdapterSettings(rank=4), seed)
    weights = [parameter.detach() for parameter in base.model.parameters() if parameter.requires_grad]
    remove(adapter)
    return weights


def test_folder_is_a_plain_peft_adapter(base, tmp_path):
    """peft itself reads what we write and computes the same."""
    folder, changed = trained(base, tmp_path)

    theirs = PeftModel.from_pretrained(make_model(), folder).eval()

    with torch.no_grad():
        assert torch.equal(theirs(IDS).logits, changed)


def test_full_weights_are_a_plain_model_folder(base, base_folder, tmp_path):
    """What `adapter: null` trains can be loaded as a base model of its own."""
    folder, changed = trained(base, tmp_path, None)
    base.tokenizer.save_pretrained(folder)

    assert torch.equal(logits(load_base({"base": str(folder)}, "cpu")), changed)


def test_targets_can_be_named(base):
    """A list adapts those layers and no others."""
    with trainable(base, {**SETTINGS, "targets": ["q_proj", "v_proj"]}, None, seed=1):
        names = {name.split(".")[-4] for name, parameter in base.model.named_parameters() if parameter.requires_grad}
    assert names == {"q_proj", "v_proj"}


@pytest.mark.parametrize("targets", [["q_proj", "query"], ["lm_head"], []])
def test_unknown_targets(base, targets):
    """A target that is no linear layer of the model is named, with the choices."""
    with (
        pytest.raises(ModelError, match=r"no linear layer .* to adapt: choose among down_proj"),
        trainable(base, {**SETTINGS, "targets": targets}, None, 1),
    ):
        pass


def test_adapter_of_another_base(tmp_path, base):
    """An adapter whose shapes do not fit is refused with both shapes, and the base is as before."""
    other = open_base(save_base(tmp_path / "wide", hidden_size=64))
    folder, _ = trained(other, tmp_path / "adapter")
    before = state(base)

    with (
        pytest.raises(ModelError, match=r"has shape \[.*\], the base model needs \[.*belongs to another base model"),
        attached(base, folder),
    ):
        pass

    assert_untouched(base, before)


def test_full_weights_of_another_base(tmp_path, base):
    """The same for full weights."""
    other = open_base(save_base(tmp_path / "wide", hidden_size=64))
    folder, _ = trained(other, tmp_path / "weights", None)
    before = state(base)

    with pytest.raises(ModelError, match="belongs to another base model"), attached(base, folder):
        pass

    assert_untouched(base, before)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({**SETTINGS, "rank": 8}, "rank 4, the settings ask for 8"),
        ({**SETTINGS, "targets": ["q_proj"]}, "targets"),
        (None, "is an adapter: set the same"),
    ],
)
def test_parent_and_settings_must_agree(base, tmp_path, settings, message):
    """An arm goes on with its parent's adapter; settings that say otherwise are an error, not a silent choice."""
    folder, _ = trained(base, tmp_path)

    with pytest.raises(ModelError, match=message), trainable(base, settings, folder, 1):
        pass


@pytest.mark.parametrize(
    ("change", "where"),
    [({"use_dora": True}, "use_dora"), ({"peft_type": "IA3"}, "peft_type"), ({"r": -1}, "r:"), ({"modules_to_save": ["lm_head"]}, "modules_to_save"),
     ({"rank_pattern": {"q_proj": 2}}, "rank_pattern"), ({"target_modules": ".*"}, "target_modules"), ({"r": 3}, "disagree about the rank")],
)  # fmt: skip
def test_config_that_would_compute_something_else(base, tmp_path, change, where):
    """Every stored option that changes the computation and is not supported is named instead of ignored."""
    folder, _ = trained(base, tmp_path)
    edit_json(folder / "adapter_config.json", **change)

    with pytest.raises(ModelError, match=where), attached(base, folder):
        pass


def test_damaged_folders(base, tmp_path):
    """No checkpoint, broken JSON, broken or missing safetensors, NaN inside: one line each, and the base is as before."""
    folder, _ = trained(base, tmp_path / "good")
    before = state(base)
    config, weights = (folder / "adapter_config.json").read_bytes(), (folder / "adapter_model.safetensors").read_bytes()
    spoiled = load_file(folder / "adapter_model.safetensors")
    next(iter(spoiled.values()))[0, 0] = float("nan")
    missing = dict(list(load_file(folder / "adapter_model.safetensors").items())[1:])
    (tmp_path / "empty").mkdir()
    cases = [
        (tmp_path / "empty", "is not a checkpoint"),
        (_folder(tmp_path / "json", b"{", weights), "is not a plain LoRA adapter"),
        (_folder(tmp_path / "cut", config, weights[:50]), "no readable safetensors file"),
        (_folder(tmp_path / "nan", config, spoiled), "holds NaN or infinity"),
        (_folder(tmp_path / "part", config, missing), "lacks base_model"),
    ]

    for case, message in cases:
        with pytest.raises(ModelError, match=message) as caught, attached(base, case):
            pass
        assert "\n" not in str(caught.value)

    assert_untouched(base, before)


def _folder(path, config, weights):
    path.mkdir()
    (path / "adapter_config.json").write_bytes(config)
    if isinstance(weights, bytes):
        (path / "adapter_model.safetensors").write_bytes(weights)
    else:
        save_file(weights, path / "adapter_model.safetensors")
    return path


def test_nothing_is_unpickled(base, tmp_path):
    """A pickled adapter beside a missing safetensors file is not touched."""
    folder, _ = trained(base, tmp_path)
    (folder / "adapter_model.safetensors").rename(folder / "adapter_model.bin")

    with pytest.raises(ModelError, match="no readable safetensors file"), attached(base, folder):
        pass


def test_config_is_readable_json(base, tmp_path):
    """The stored configuration says which base it belongs to and which layers it adapts, sorted."""
    folder, _ = trained(base, tmp_path)

    stored = json.loads((folder / "adapter_config.json").read_text())

    assert stored["base_model_name_or_path"] == base.settings.base
    assert stored["target_modules"] == sorted(stored["target_modules"])


def test_four_bit_weights_cannot_train_as_a_whole(base):
    """`adapter: null` on a quantised base is refused before anything is copied."""
    quantised = type(base)(base.model, base.tokenizer, base.device, base.settings.model_copy(update={"quantization": "nf4"}))

    with pytest.raises(ModelError, match="set an adapter or quantization: none"), trainable(quantised, None, None, 1):
        pass


def test_low_precision_base_trains_a_float32_adapter():
    """On a bfloat16 base the adapter's own weights are float32, so that small updates are not lost."""
    base = wrap(make_model(dtype=torch.bfloat16))

    with trainable(base, SETTINGS, None, 1):
        assert {parameter.dtype for parameter in base.model.parameters() if parameter.requires_grad} == {torch.float32}


def test_load_and_save_by_hand(base, tmp_path):
    """The building blocks behind the context managers can be used alone."""
    adapter = fresh(base, AdapterSettings(rank=2, targets=("q_proj",)), seed=4)
    save(adapter, base, tmp_path)
    remove(adapter)

    again = load(base, tmp_path, trainable=True)

    assert any(parameter.requires_grad for parameter in base.model.parameters())
    remove(again)
