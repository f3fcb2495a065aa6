"""One training on one device or several: how the processes divide a global batch, add up what they found, and hold weights.

A process takes whole prompt groups of every global batch and normalises by the counts of the whole of it, so that gradients
and metrics of all processes simply add up to those of one device, but for the order of float additions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

import torch
from lightning.pytorch.plugins.environments import LightningEnvironment
from lightning.pytorch.strategies import DDPStrategy
from torch import Tensor, distributed, nn
from torch.distributed.tensor import DTensor, distribute_tensor

from trainers.data import GlobalBatch
from trainers.examples import forward_tokens
from trainers.memory_policy import MemoryPolicy

StrategyName = Literal["ddp", "fsdp"]

_BUCKET = 2**26  # numbers that are added up across processes at a time


class Peers:
    """One process alone: nothing to divide, nothing to add up."""

    rank = 0
    size = 1
    lockstep = False
    """Whether every process must make as many passes through the model as the others, at the same time."""

    def lightning_strategy(self) -> Any:
        """For Lightning's Trainer."""
        return "auto"

    def prepare(self, model: Any) -> None:
        """Before training: every process has the same weights, or its shard of them."""

    def forward(self, model: Any, function: Callable[..., Any]) -> Callable[..., Any]:
        """A function that uses the model's weights, as this strategy can run it."""
        return function

    def agreed(self, policy: MemoryPolicy) -> MemoryPolicy:
        """A memory policy that all can follow."""
        return policy

    def sum_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        """Adds up what backward passes have left."""

    def sum(self, values: Tensor) -> Tensor:
        """Of all processes, without waiting for the device."""
        return values

    def first_says(self, answer: int) -> int:
        """What the first process answers, for all. Processes wait for each other, not for their devices."""
        return answer

    def of_each(self, tensor: Tensor) -> list[Tensor]:
        """A tensor on the host, of every process in order."""
        return [tensor]

    def gather(self, model: Any) -> None:
        """After training: every process has the trained weights in full."""


class DdpPeers(Peers):
    """Every process holds the whole model; gradients are added up once per optimizer step.

    Raises:
        RuntimeError: the processes have not been brought together (`torch.distributed.init_process_group`).
    """

    def __init__(self) -> None:
        self.rank, self.size = distributed.get_rank(), distributed.get_world_size()

    def lightning_strategy(self) -> Any:
        """Lightning's, without the wrapper that would average after every backward pass."""
        return _Unwrapped(cluster_environment=LightningEnvironment())

    def prepare(self, model: Any) -> None:
        """The first process's trainable weights are everybody's."""
        for parameter in model.parameters():
            if parameter.requires_grad:
                distributed.broadcast(parameter.data, 0)

    def agreed(self, policy: MemoryPolicy) -> MemoryPolicy:
        """That of the process with the least room, for passes that go side by side."""
        modes = ("none", "selective", "full")
        own = torch.tensor([policy.tokens, modes.index(policy.recompute), int(policy.laid_out)])
        tokens, mode, laid_out = zip(*(each.tolist() for each in self.of_each(own)), strict=True)
        return MemoryPolicy(min(tokens), modes[max(mode)], policy.packed, all(laid_out))  # type: ignore[arg-type]

    def sum_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        """In a few large transfers."""
        for bucket in _buckets([p.grad for p in parameters if p.grad is not None]):
            flat = torch.cat([gradient.flatten() for gradient in bucket])
            distributed.all_reduce(flat)
            parts = flat.split([gradient.numel() for gradient in bucket])
            for gradient, part in zip(bucket, parts, strict=True):
                gradient.copy_(part.view_as(gradient))

    def sum(self, values: Tensor) -> Tensor:
        """Added up on the device."""
        distributed.all_reduce(values)
        return values

    def first_says(self, answer: int) -> int:
        """Over the host's network, a few bytes."""
        said = torch.tensor(int(answer))
        distributed.broadcast(said, 0)
        return int(said)

    def of_each(self, tensor: Tensor) -> list[Tensor]:
        """Over the host's network."""
        found = [torch.empty_like(tensor) for _ in range(self.size)]
        distributed.all_gather(found, tensor)
        return found


class FsdpPeers(DdpPeers):
    """Every process holds a shard of every weight (FSDP2); a layer is put together when it computes."""

    lockstep = True

    def __init__(self, device: torch.device) -> None:
        super().__init__()
        self._device = device

    def prepare(self, model: Any) -> None:
        """Shards layer by layer, so that no more than one layer is on the device in full."""
        from torch.distributed.device_mesh import init_device_mesh
        from torch.distributed.fsdp import fully_shard
        from transformers.modeling_layers import GradientCheckpointingLayer

        super().prepare(model)
        mesh = init_device_mesh(self._device.type, (self.size,))
        layers = [module for module in model.modules() if isinstance(module, GradientCheckpointingLayer)]
        for part in [*layers, model]:
            fully_shard(part, mesh=mesh)
            part.set_gradient_divide_factor(1.0)  # shares add up: nothing is averaged
            part.set_force_sum_reduction_for_comms(True)

    def forward(self, model: Any, function: Callable[..., Any]) -> Callable[..., Any]:
        """Sharded weights are put together around the call, as around the model's own forward."""
        from torch.distributed.fsdp import register_fsdp_forward_method

        model.with_whole_weights = function
        register_fsdp_forward_method(model, "with_whole_weights")
        whole: Callable[..., Any] = model.with_whole_weights
        return whole

    def sum_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        """Done by the backward pass."""

    def gather(self, model: Any) -> None:
        """On the host; the model is no longer sharded, nor fit to compute."""
        reshard(model)
        found: dict[int, nn.Parameter] = {}
        for module in list(model.modules()):
            for name, parameter in list(module.named_parameters(recurse=False)):
                if isinstance(parameter, DTensor) and parameter.requires_grad:
                    if id(parameter) not in found:
                        found[id(parameter)] = nn.Parameter(whole(parameter))
                    module.register_parameter(name, found[id(parameter)])


def reshard(model: Any) -> None:
    """A validation leaves the outermost weights put together; optimizer and state know the shards."""
    from torch.distributed.fsdp import FSDPModule

    for module in model.modules():
        if isinstance(module, FSDPModule):
            module.reshard()


def whole(tensor: Tensor) -> Tensor:
    """All of a tensor, on the host; every process has to ask."""
    found = tensor.detach()
    if isinstance(found, DTensor):
        found = found.full_tensor()
    return found.cpu().contiguous()


def placed_like(tensor: Tensor, example: Tensor) -> Tensor:
    """A whole tensor from the host where, and divided as, `example` is."""
    moved = tensor.to(example.device, example.dtype)
    if isinstance(example, DTensor):
        return distribute_tensor(moved, example.device_mesh, example.placements)
    return moved


def divide(batch: GlobalBatch, parts: int) -> list[GlobalBatch]:
    """A global batch in parts of about as many tokens, prompt groups whole; the same for everybody. Parts may be empty."""
    if parts == 1:
        return [batch]
    groups: dict[str, list[Any]] = {}
    for example in batch:
        groups.setdefault(example.group, []).append(example)
    costs = {name: forward_tokens(group) for name, group in groups.items()}
    divided: list[list[Any]] = [[] for _ in range(parts)]
    loads = [0] * parts
    for name in sorted(groups, key=lambda name: (-costs[name], name)):
        lightest = loads.index(min(loads))
        divided[lightest] += groups[name]
        loads[lightest] += costs[name]
    return [tuple(part) for part in divided]


def clip(parameters: Sequence[nn.Parameter], max_norm: float) -> Tensor:
    """Scales gradients down to a global norm, as `torch.nn.utils.clip_grad_norm_`; returns the norm before."""
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    norm = nn.utils.get_total_norm(gradients)
    if isinstance(norm, DTensor):
        norm = norm.full_tensor()
    nn.utils.clip_grads_with_norm_(parameters, max_norm, norm)
    return norm


class _Unwrapped(DDPStrategy):
    """Lightning's scaffolding for several processes; gradients are added up by the training step."""

    def configure_ddp(self) -> None:
        """Nothing to wrap."""


def _buckets(gradients: Iterable[Tensor]) -> list[list[Tensor]]:
    """Of one dtype each, and of limited size."""
    buckets: dict[torch.dtype, list[list[Tensor]]] = {}
    for gradient in gradients:
        of_dtype = buckets.setdefault(gradient.dtype, [[]])
        if sum(each.numel() for each in of_dtype[-1]) >= _BUCKET:
            of_dtype.append([])
        of_dtype[-1].append(gradient)
    return [bucket for of_dtype in buckets.values() for bucket in of_dtype]
