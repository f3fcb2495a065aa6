"""Lean layers compute what the libraries' own layers compute, over four-bit weights too, and leave nothing behind."""

import pytest
import torch
from tiny_models import make_model, save_base, wrap

from models.adapters import AdapterSettings, fresh, trainable
from models.batches import collate
from models.lean.install import lean
from models.lean.linear import AdaptedLinears
from models.lean.mlp import AdaptedMlp
from models.lean.self_attention import Rotated
from models.loading import load_base
from models.log_probabilities import response_log_probs
from models.nf4 import four_bit_layers
from models.prompt_format import Encoded

ADAPTER = {"rank": 4, "alpha": 8}
SEQUENCES = [Encoded((5, 6, 7), (8, 9, 10, 11)), Encoded((5, 6, 7), (12,)), Encoded((20, 21), (22, 23, 24))]


def sums_and_gradients(base):
    """Of the same sequences, with an adapter that has moved."""
    draw = torch.Generator().manual_seed(3)
    trained = [parameter for parameter in base.model.parameters() if parameter.requires_grad]
    with torch.no_grad():
        for parameter in trained:
            parameter.copy_(0.1 * torch.randn(parameter.shape, generator=draw))
    base.model.zero_grad(set_to_none=True)
    sums, _ = response_log_probs(base.model, collate(SEQUENCES))
    (sums * torch.tensor([1.0, -2.0, 0.5])).sum().backward()
    return sums.detach().double(), torch.cat([parameter.grad.double().flatten() for parameter in trained])


@pytest.mark.parametrize("recompute", ["none", "selective", "full"])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("bfloat16", 0.03)])
def test_four_bit_layers_compute_the_same(tmp_path, dtype, tolerance, recompute):
    """Sums and adapter gradients over NF4 weights are those of peft and bitsandbytes; in bfloat16 up to its rounding."""
    base = load_base({"base": str(save_base(tmp_path, hidden_size=64)), "quantization": "nf4", "dtype": dtype}, "cpu")
    for _, _, layer in four_bit_layers(base.model):
        layer.compute_dtype = getattr(torch, dtype)  # else it is bfloat16, whose rounding hides what is compared here
    with trainable(base, ADAPTER, None, 1):
        sums, gradient = sums_and_gradients(base)
        with lean(base.model, recompute):
            found, lean_gradient = sums_and_gradients(base)

    assert (found - sums).abs().max() <= tolerance * sums.abs().max()
    assert (lean_gradient - gradient).norm() <= tolerance * gradient.norm()


def used(base):
    """The lean functions that a forward pass went through."""
    seen, todo = set(), [response_log_probs(base.model, collate(SEQUENCES))[0].grad_fn]
    while todo:
        node = todo.pop()
        if node is not None and node not in seen:
            seen.add(node)
            todo += [parent for parent, _ in node.next_functions]
    names = {type(node).__name__ for node in seen}
    return {function for function in (AdaptedLinears, AdaptedMlp, Rotated) if f"{function.__name__}Backward" in names}


def test_layers_are_swapped_inside_the_block_only():
    """Attention's layers and the gated block inside; afterwards everything is as it was."""
    base = wrap(make_model())
    with trainable(base, ADAPTER, None, 1):
        with lean(base.model):
            assert used(base) == {AdaptedLinears, AdaptedMlp, Rotated}
        assert used(base) == set()
    assert not any("forward" in vars(module) for module in base.model.modules())


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"targets": ("q_proj", "v_proj")}, {AdaptedLinears, AdaptedMlp, Rotated}),
        ({"targets": ("up_proj",)}, {AdaptedLinears, AdaptedMlp, Rotated}),
        ({"dropout": 0.5}, set()),
    ],
)
def test_only_what_computes_the_same_is_replaced(settings, expected):
    """Some layers adapted, others not; with dropout nothing is touched."""
    base = wrap(make_model())
    fresh(base, AdapterSettings(rank=4, alpha=8, **settings), 1)

    with lean(base.model):
        assert used(base) == expected
