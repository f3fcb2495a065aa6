"""Four-bit weights laid out in bfloat16: the same weights, the same model."""

import copy
from contextlib import ExitStack, nullcontext

import pytest
import torch
from bitsandbytes.nn import Linear4bit
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_models import save_base

from models import nf4
from models.adapters import attached, trainable
from models.generation import Decode, generate
from models.loading import load_base
from models.nf4 import DenseLinear, bf16_bytes, dense_weight, four_bit_layers, has_room_for_bf16, resident_bf16, to_bf16

IDS = torch.tensor([[5, 6, 7, 8, 9], [50, 60, 70, 80, 90]])
ADAPTER = {"rank": 4, "alpha": 8}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model wide enough for bitsandbytes' blocks."""
    return save_base(tmp_path_factory.mktemp("wide"), hidden_size=64)


@pytest.fixture(params=[("bfloat16", False), ("float32", False), ("bfloat16", True)], ids=["bf16", "fp32", "double"])
def base(request, folder):
    """That model in four bits, in both dtypes and with quantised scales."""
    dtype, double = request.param
    model = {"base": str(folder), "quantization": "nf4", "dtype": dtype, "double_quantization": double}
    return load_base(model, "cpu")


def logits(base):
    """What the model computes now."""
    with torch.no_grad():
        return base.model(IDS).logits


def weights(base):
    """Names of the layers with their kinds, and every tensor, four-bit states included."""
    return [(name, type(module)) for name, module in base.model.named_modules()], copy.deepcopy(base.model.state_dict())


def assert_same(one, other):
    """Bit for bit, with the very same kinds of layers."""
    assert one[0] == other[0]
    assert one[1].keys() == other[1].keys()
    assert all(torch.equal(one[1][name], other[1][name]) for name in one[1])


def test_weights_are_those_that_bitsandbytes_multiplies_with(base):
    """A four-bit layer applied to the unit matrix shows its weights: what is laid out is bit for bit that."""
    layers = four_bit_layers(base.model)

    assert len(layers) == 2 * 7
    for _, _, layer in layers:
        shown = layer(torch.eye(layer.in_features, dtype=torch.bfloat16))
        shown = (shown if layer.bias is None else shown - layer.bias).T
        assert dense_weight(layer).dtype == torch.bfloat16
        assert torch.equal(shown, dense_weight(layer))


@settings(max_examples=15, deadline=None)
@given(rows=st.integers(1, 9), outs=st.sampled_from([64, 128]), ins=st.sampled_from([64, 192]), seed=st.integers(0, 99))
def test_a_layer_computes_the_same(rows, outs, ins, seed):
    """For any shape, bias and input dtype, the laid-out layer returns what the four-bit layer returns, gradients included."""
    torch.manual_seed(seed)
    layer = Linear4bit(ins, outs, bias=bool(seed % 2), compute_dtype=torch.bfloat16, quant_type="nf4")
    layer = layer.to(torch.bfloat16).to("cpu").requires_grad_(False)
    dense = DenseLinear(layer)
    for dtype in (torch.float32, torch.bfloat16):
        x = torch.randn(rows, ins, dtype=dtype, requires_grad=True)
        y, z = layer(x), dense(x)
        assert y.dtype == z.dtype == dtype
        assert torch.equal(y, z)
        (a,), (b,) = torch.autograd.grad(y.sum(), x), torch.autograd.grad(z.sum(), x)
        assert torch.equal(a, b)


def test_the_model_computes_the_same_and_comes_back(base):
    """Within, no four-bit layer is left and the logits are the same; afterwards every layer is as it was."""
    before, expected = weights(base), logits(base)

    with resident_bf16(base.model):
        assert not four_bit_layers(base.model)
        assert sum(isinstance(module, DenseLinear) for module in base.model.modules()) == 14
        assert not any(parameter.requires_grad for parameter in base.model.parameters())
        assert torch.equal(logits(base), expected)

    assert_same(weights(base), before)
    assert torch.equal(logits(base), expected)


def test_it_comes_back_after_an_error(base):
    """A failure within leaves the four-bit model."""
    before = weights(base)

    with pytest.raises(RuntimeError, match="out of luck"), resident_bf16(base.model):
        raise RuntimeError("out of luck")

    assert_same(weights(base), before)


def test_answers_and_log_probabilities_are_those_of_the_four_bit_model(base, tmp_path):
    """With an adapter on, answers and log-probabilities do not tell the two apart."""
    train_a_little(base, tmp_path)
    prompts = [[30, 31, 32], [40, 41]]

    with attached(base, tmp_path):
        answers, log_probs = generate(base, prompts, Decode(0, 20)), logits(base).log_softmax(-1)
        with resident_bf16(base.model):
            assert generate(base, prompts, Decode(0, 20)) == answers
            assert torch.equal(logits(base).log_softmax(-1), log_probs)


def train_a_little(base, folder):
    """An adapter that computes something."""
    with trainable(base, ADAPTER, None, 1) as training:
        with torch.no_grad():
            for number, parameter in enumerate(p for p in base.model.parameters() if p.requires_grad):
                parameter.add_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(number)), alpha=0.05)
        training.save(folder)


def test_training_starts_and_goes_the_same(base, tmp_path):
    """A new adapter is the same on laid-out weights, byte for byte, and gets the same gradients within rounding."""
    found = []
    for name in ("four-bit", "laid-out"):
        with _form(base, name), trainable(base, ADAPTER, None, seed=3) as training:
            training.save(tmp_path / name)
            base.model(IDS).logits.float().square().mean().backward()
            found.append([p.grad.clone() for p in base.model.parameters() if p.requires_grad])

    contents = [(tmp_path / name / "adapter_model.safetensors").read_bytes() for name in ("four-bit", "laid-out")]

    assert contents[0] == contents[1]
    assert len(found[0]) == 28
    for a, b in zip(*found, strict=True):
        assert torch.allclose(a, b, rtol=2e-2, atol=2e-2 * a.abs().max())


def _form(base, name):
    return resident_bf16(base.model) if name == "laid-out" else nullcontext()


def test_an_adapter_may_outlive_the_layout(base, tmp_path):
    """An adapter put on within and taken off afterwards leaves the four-bit model; one put on before and taken off within too."""
    train_a_little(base, tmp_path)
    before, expected = weights(base), logits(base)
    with ExitStack() as adapter:
        with resident_bf16(base.model):
            adapter.enter_context(attached(base, tmp_path))
        changed = logits(base)
    assert not torch.equal(changed, expected)
    assert_same(weights(base), before)

    with ExitStack() as layout:
        with attached(base, tmp_path):
            layout.enter_context(resident_bf16(base.model))
            assert torch.cosine_similarity(logits(base).float().flatten(), changed.float().flatten(), dim=0) > 0.999
        assert torch.equal(logits(base), expected)
    assert_same(weights(base), before)


def test_for_good(base):
    """Laid out for good, the four-bit weights are gone and the model computes the same."""
    expected, size = logits(base), bf16_bytes(base.model)

    to_bf16(base.model)

    assert size == 2 * 2 * (64 * 64 + 2 * 64 * 32 + 64 * 64 + 3 * 64 * 64)
    assert bf16_bytes(base.model) == 0
    assert torch.equal(logits(base), expected)


def test_room_is_made_of_free_memory(base, monkeypatch):
    """Weights are laid out only where they fit with room to spare; a model without four-bit weights has nothing to lay out."""
    size = bf16_bytes(base.model)
    monkeypatch.setattr(nf4, "_total_bytes", lambda _: 10 * size)

    monkeypatch.setattr(nf4, "free_bytes", lambda _: 3 * size)
    assert has_room_for_bf16(base)
    assert not has_room_for_bf16(base, reserve=2 * size + 1)
    monkeypatch.setattr(nf4, "free_bytes", lambda _: 3 * size - 1)
    assert not has_room_for_bf16(base)
    to_bf16(base.model)
    assert not has_room_for_bf16(base)
