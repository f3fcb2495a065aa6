"""Lean layers compute what the libraries' own layers compute, over four-bit weights too, and leave nothing behind."""

import pytest
import torch
from tiny_models import make_model, save_base, wrap

from models.adapters import AdapterSettings, fresh, trainable
from models.batches import collate
from models.lean.install import lean, picks_positions
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


PARTLY = [
    ("q_proj", "v_proj"),
    ("k_proj",),
    ("o_proj", "down_proj"),
    ("up_proj",),
    ("gate_proj", "q_proj"),
    ("down_proj", "v_proj"),
]


@pytest.mark.parametrize("recompute", ["none", "selective", "full"])
@pytest.mark.parametrize("targets", PARTLY, ids=" and ".join)
def test_partly_adapted_layers_compute_the_same(targets, recompute):
    """Whichever layers over one input have adapters, with biases that count: sums and gradients are those of peft."""
    base = wrap(make_model())
    draw = torch.Generator().manual_seed(5)
    for name, parameter in base.model.named_parameters():
        if name.endswith("bias"):
            parameter.data.normal_(0.0, 1.0, generator=draw)
    fresh(base, AdapterSettings(rank=4, alpha=8, targets=targets), 1)

    sums, gradient = sums_and_gradients(base)
    with lean(base.model, recompute):
        assert used(base) == {AdaptedLinears, AdaptedMlp, Rotated} or recompute == "full"
        found, lean_gradient = sums_and_gradients(base)

    assert (found - sums).abs().max() <= 1e-5 * sums.abs().max()
    assert (lean_gradient - gradient).norm() <= 1e-5 * gradient.norm()


def test_layers_that_drop_stay_as_they_are():
    """What is not computed the same way is left to the libraries."""
    base = wrap(make_model())
    fresh(base, AdapterSettings(rank=4, alpha=8, dropout=0.5), 1)

    with lean(base.model):
        assert used(base) == set()


def test_layers_of_a_sharded_model_are_known_too():
    """FSDP2 gives every layer that it shards a class of its own, called FSDP and the old name."""
    base = wrap(make_model())
    for layer in base.model.model.layers:
        layer.__class__ = type(f"FSDP{type(layer).__name__}", (type(layer),), {})

    with lean(base.model):
        assert picks_positions(base.model)
        states = base.model.base_model(torch.tensor([[5, 6, 7]]), positions=torch.tensor([2])).last_hidden_state

    assert states.shape[:2] == (1, 1)
    assert not picks_positions(base.model)


def test_states_are_given_at_all_positions_unless_some_are_asked_for():
    """A call from elsewhere, inside the block, gets what it expects."""
    base = wrap(make_model())
    ids = torch.tensor([[5, 6, 7, 8], [9, 10, 11, 12]])
    with torch.no_grad():
        expected = base.model.base_model(ids).last_hidden_state
        with lean(base.model):
            found = base.model.base_model(ids).last_hidden_state
            picked = base.model.base_model(ids, positions=torch.tensor([6, 1, 1])).last_hidden_state

    assert torch.allclose(found, expected, atol=1e-5)
    assert torch.allclose(picked[0], expected.flatten(0, 1)[[6, 1, 1]], atol=1e-5)
