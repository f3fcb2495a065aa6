"""A training module's state as plain tensors and JSON, whole and on the host, whatever the number of devices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from trainers.random_state import random_state, set_random_state
from trainers.resume import State
from trainers.strategy import placed_like, reshard, whole

if TYPE_CHECKING:
    from trainers.module import TrainingModule


def snapshot(module: TrainingModule) -> State:
    """Trained weights, optimizer, schedule, curves and random state after the last step; all processes have to ask."""
    reshard(module.model)
    optimizer, schedule = _optimizer(module), module.lr_schedulers()
    tensors: dict[str, Tensor] = {}
    for name, parameter in _trained(module).items():
        tensors[f"weight/{name}"] = whole(parameter)
        for key, value in optimizer.state.get(parameter, {}).items():
            tensors[f"optimizer/{name}/{key}"] = whole(value)
    for name, tensor in random_state(module.base.device).items():
        for rank, each in enumerate(module.peers.of_each(tensor)):
            tensors[f"random/{rank}/{name}"] = each
    groups = [{key: value for key, value in group.items() if key != "params"} for group in optimizer.param_groups]
    return State(module.done, tensors, {"groups": groups, "schedule": schedule.state_dict(), "rows": module.rows})


def restore(module: TrainingModule, state: State) -> None:
    """The module, its optimizer and this process's random state as they were. Rows of the curves are the caller's."""
    optimizer = _optimizer(module)
    parts = _by_prefix(state.tensors, "optimizer")
    fused = bool(optimizer.param_groups[0]["fused"])
    with torch.no_grad():
        for name, parameter in _trained(module).items():
            parameter.copy_(placed_like(state.tensors[f"weight/{name}"], parameter))
            found = _by_prefix(parts, name)
            optimizer.state[parameter] = {key: _like_state(value, parameter, fused) for key, value in found.items()}
    for group, kept in zip(optimizer.param_groups, state.values["groups"], strict=True):
        group.update(kept | {"fused": fused})
    module.lr_schedulers().load_state_dict(state.values["schedule"])
    module.done = state.step
    random = _by_prefix(_by_prefix(state.tensors, "random"), str(module.peers.rank))
    if random:  # fewer processes may have been before
        set_random_state(random, module.base.device)


def _trained(module: TrainingModule) -> dict[str, torch.nn.Parameter]:
    return {name: parameter for name, parameter in module.model.named_parameters() if parameter.requires_grad}


def _optimizer(module: TrainingModule) -> Any:
    return module.trainer.optimizers[0]


def _like_state(value: Tensor, parameter: torch.nn.Parameter, fused: bool) -> Tensor:
    """AdamW counts its steps on the host, unless it is one launch on the device."""
    if value.shape == parameter.shape:
        return placed_like(value, parameter)
    return value.to(parameter.device) if fused else value


def _by_prefix(tensors: Any, prefix: str) -> dict[str, Tensor]:
    start = f"{prefix}/"
    return {name.removeprefix(start): tensor for name, tensor in tensors.items() if name.startswith(start)}
