"""Proof that a base model is shown plain text: no chat template, no special tokens, in no input."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from models.errors import ContaminationError
from models.prompt_format import Encoded, encode_prompt, encode_response, render_prompt

if TYPE_CHECKING:
    from models.loading import LoadedBase

SENTINELS = ("The capital of France is", "Question: What is 2 + 2?\nAnswer:", "Once upon a time")
"""Texts that a base model continues and a chat template would show through."""


@dataclass(frozen=True)
class ContaminationReport:
    """What was checked; that it exists means nothing was found."""

    inputs: int
    """Token sequences looked through."""
    reserved: tuple[str, ...]
    """Tokens that must not occur: every special token, and every added token that the chat template uses."""
    has_chat_template: bool

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for a manifest."""
        return asdict(self)


def reserved_tokens(tokenizer: Any) -> dict[str, int]:
    """The tokens that only a template or a special-token pass can put into an input, with their ids."""
    template = str(tokenizer.chat_template or "")
    added = {token.content: (id, token.special) for id, token in tokenizer.added_tokens_decoder.items()}
    special = set(tokenizer.all_special_tokens)
    return {text: id for text, (id, is_special) in added.items() if is_special or text in special or text in template}


def check_contamination(tokenizer: Any, inputs: Iterable[Sequence[int] | Encoded] = ()) -> ContaminationReport:
    """Checks a tokenizer, and the token ids that a model is about to be shown.

    Raises:
        ContaminationError: the tokenizer adds special tokens of its own to plain text, or turns a reserved token's name inside
            a text into that token, or an input holds a reserved token.
    """
    reserved = reserved_tokens(tokenizer)
    _check_nothing_added(tokenizer)
    _check_names_stay_text(tokenizer, reserved)
    names = {id: text for text, id in reserved.items()}
    count = 0
    for count, ids in enumerate(inputs, start=1):
        found = names.keys() & set(ids.ids if isinstance(ids, Encoded) else ids)
        if found:
            raise ContaminationError(
                f"input {count} holds the special token {names[min(found)]!r}: "
                "render and encode prompts with models.prompt_format, which adds none"
            )
    return ContaminationReport(count, tuple(sorted(reserved)), bool(tokenizer.chat_template))


def check_base_behaviour(loaded: LoadedBase, tokens: int = 16) -> dict[str, str]:
    """Lets a model continue the sentinels greedily: a base model goes on with the text, a chat model opens or closes turns.

    Returns:
        Sentinel -> continuation, to be read by people too.

    Raises:
        ContaminationError: a reserved token came out (end-of-sequence aside).
    """
    from models.generation import Decode, generate  # imports torch

    prompts = [encode_prompt(loaded.tokenizer, sentinel) for sentinel in SENTINELS]
    texts = [answer.text for answer in generate(loaded, prompts, Decode(0, tokens))]
    for sentinel, text in zip(SENTINELS, texts, strict=True):
        for name in reserved_tokens(loaded.tokenizer):
            if name in text:
                raise ContaminationError(
                    f"{loaded.settings.base} continues {sentinel!r} with {name!r}: "
                    "that is no base model, name the one it was made from"
                )
    return dict(zip(SENTINELS, texts, strict=True))


def sentinel_digests(loaded: LoadedBase) -> dict[str, str]:
    """Sentinel -> SHA-256 of the logits of all its positions as the model computes them now, adapters on it included.

    Equal digests mean bit-identical logits: the same weights, computed in the same way.
    """
    import torch

    digests = {}
    for sentinel in SENTINELS:
        ids = torch.tensor([encode_prompt(loaded.tokenizer, sentinel)], device=loaded.device)
        with torch.inference_mode():
            logits = loaded.model(input_ids=ids, use_cache=False).logits
        # Widening to float32 is exact, and numpy knows no bfloat16.
        digests[sentinel] = hashlib.sha256(logits.float().cpu().numpy().tobytes()).hexdigest()
    return digests


def _check_nothing_added(tokenizer: Any) -> None:
    for sentinel in (*SENTINELS, render_prompt(SENTINELS[0])):
        plain, full = encode_prompt(tokenizer, sentinel), tokenizer(sentinel, verbose=False)["input_ids"]
        if plain != full:
            extra = tokenizer.convert_ids_to_tokens([id for id in full if id not in plain])
            raise ContaminationError(
                f"the tokenizer adds {' '.join(extra) or 'tokens'} to plain text: use a base model whose ids are the same with "
                "and without special tokens, or save its tokenizer with add_bos_token and add_eos_token off"
            )


def _check_names_stay_text(tokenizer: Any, reserved: dict[str, int]) -> None:
    for text, id in reserved.items():
        if id in encode_prompt(tokenizer, f"a {text} b") or id in encode_response(tokenizer, text):
            raise ContaminationError(
                f"the text {text!r} becomes a special token inside a prompt: "
                "load the tokenizer with models.loading.load_tokenizer, which prevents that"
            )
