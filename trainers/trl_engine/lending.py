"""The resident base model is lent to TRL, which patches and reconfigures what it is given; afterwards it is as before."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import Any

from torch import nn

from models.loading import LoadedBase
from models.quiet import quiet_transformers

REFERENCE = "ref"
"""TRL's name of the adapter that it keeps as the reference."""


@contextmanager
def lent(base: LoadedBase) -> Iterator[None]:
    """Undoes what TRL does to a model: its forward pass, its configurations, its tags."""
    model = base.model
    own, embedding = dict(vars(model)), model.get_input_embeddings()
    hooks = dict(embedding._forward_hooks)
    configured = [(settings, copy.deepcopy(vars(settings))) for settings in (model.config, model.generation_config)]
    with quiet_transformers(), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # TRL speaks to several releases of transformers
        model.gradient_checkpointing_enable({"use_reentrant": False})
        try:
            yield
        finally:
            model.gradient_checkpointing_disable()
            _put_back(embedding._forward_hooks, hooks)  # recomputation adds one each time TRL turns it on again
            _put_back(vars(model), own)
            for settings, before in configured:
                _put_back(vars(settings), before)


@contextmanager
def in_their_precision(model: nn.Module) -> Iterator[None]:
    """Trainable weights come out of the block as they went in.

    TRL rounds the adapter of a 4-bit model to bfloat16, where an AdamW step of DPO's size is mostly rounded away.
    """
    before = [(parameter, parameter.detach().clone()) for parameter in model.parameters() if parameter.requires_grad]
    yield
    for parameter, value in before:
        parameter.data = value


def steady_reference(adapter: Any) -> None:
    """Takes the dropout off TRL's reference adapter, which would act on it as on the policy."""
    for module in adapter.modules():
        dropout = getattr(module, "lora_dropout", {})
        if REFERENCE in dropout:
            dropout[REFERENCE] = nn.Identity()


def _put_back(current: MutableMapping[Any, Any], before: Mapping[Any, Any]) -> None:
    current.clear()
    current.update(before)
