"""Attention over packed trees, for the transformers models that stage1 loads.

Segments of any length go through PyTorch's variable-length flash attention: no mask, no padding, and no cost for pairs of
tokens that do not see each other. Without segments (generation, padded trees) it is ordinary scaled-dot-product attention.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from models.batches import Segments

ATTENTION = "stage1_trees"
"""Its name among the attention functions of transformers."""


def register() -> str:
    """Makes the attention known to transformers; its name. May be called again."""
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import sdpa_mask

    AttentionInterface.register(ATTENTION, attend)
    AttentionMaskInterface.register(ATTENTION, sdpa_mask)
    return ATTENTION


def can_pack(device: torch.device, dtype: torch.dtype) -> bool:
    """Whether attention over segments runs here: flash attention is there for half precision on a GPU."""
    return device.type == "cuda" and dtype.itemsize == 2


def attend(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    segments: Segments | None = None,
    **options: Any,
) -> tuple[Tensor, None]:
    """As transformers calls it: query [R, H, T, D], key and value [R, G, T, D] for G groups of heads; gives [R, T, H, D]."""
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    if segments is None and query.is_cuda and query.shape[2] == 1 and key.shape[1] < query.shape[1]:
        return attend_grouped(query, key, value, attention_mask, scaling), None
    if segments is None:
        output: tuple[Tensor, None] = sdpa_attention_forward(
            module, query, key, value, attention_mask, scaling=scaling, **options
        )
        return output
    return _attend_segments(query, key, value, segments, scaling), None


def attend_grouped(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, scaling: float | None) -> Tensor:
    """One new token per row [R, H, 1, D] asks [R, G, T, D]; gives [R, 1, H, D].

    The heads of a group ask side by side, as so many positions: its keys and values are read as they are, where the usual way
    writes them out again for every head.

    Args:
        query: of the new tokens.
        key: of all that they may look at.
        value: likewise.
        mask: [R, 1, 1, T], to be added to the scores, or bool.
        scaling: of the scores; None is 1 / sqrt(D).
    """
    from torch.nn.functional import scaled_dot_product_attention

    rows, heads, _, size = query.shape
    asked = query.reshape(rows, key.shape[1], heads // key.shape[1], size)
    return scaled_dot_product_attention(asked, key, value, attn_mask=mask, scale=scaling).reshape(rows, 1, heads, size)


def _attend_segments(query: Tensor, key: Tensor, value: Tensor, segments: Segments, scaling: float | None) -> Tensor:
    """One row. Queries and keys of a segment end together, so "causal" counts from the end: a branch sees all of its prompt."""
    from models.flash import FlashAttention

    query, key, value = (each.squeeze(0).transpose(0, 1) for each in (query, key, value))
    if segments.keys is not None:
        key, value = key.index_select(0, segments.keys), value.index_select(0, segments.keys)
    attended: Tensor = FlashAttention.apply(query, key, value, segments, scaling)
    return attended[None]
