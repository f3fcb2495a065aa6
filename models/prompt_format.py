"""The prompt format, defined once, as text and as token ids.

Demonstrations, preference pairs, reference log-probabilities and generation all go through here. A prompt and its response are
tokenised apart and joined as ids, so the boundary between them is the same in training and in inference, whatever the text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from compiler.language.arms import PromptStyle

END = "END"
"""The marker that closes every response."""

_CLOSED = re.compile(rf"(?:^|\s){END}\Z")


@dataclass(frozen=True, slots=True)
class Encoded:
    """Token ids of one prompt and one response to it. The model reads `prompt_ids + response_ids`."""

    prompt_ids: tuple[int, ...]
    response_ids: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.prompt_ids) + len(self.response_ids)

    @property
    def ids(self) -> tuple[int, ...]:
        """Prompt and response joined."""
        return self.prompt_ids + self.response_ids


def render_prompt(instruction: str, style: PromptStyle = "instruction", exemplars: Sequence[tuple[str, str]] = ()) -> str:
    """The text a model is shown.

    `instruction` is the plain form, `few-shot` puts worked exemplars (instruction, response) in the same form before it, each
    closed by END and a blank line, and `raw` is the bare instruction and a newline.

    Raises:
        ValueError: few-shot without exemplars, or exemplars with another style.
    """
    if (style == "few-shot") != bool(exemplars):
        raise ValueError(f"style {style!r} with {len(exemplars)} exemplars: exemplars belong to 'few-shot', which needs them")
    if style == "raw":
        return f"{instruction}\n"
    shown = "".join(f"{_plain(example)}{render_response(response)}\n\n" for example, response in exemplars)
    return shown + _plain(instruction)


def render_response(response: str) -> str:
    """The text that follows a prompt in training: a space, the response, and the marker on a line of its own."""
    return f" {response}\n{END}"


def is_closed(text: str) -> bool:
    """Whether a generated text ends with the marker: END as a word of its own, nothing after it."""
    return _CLOSED.search(text) is not None


def encode_prompt(tokenizer: Any, text: str) -> list[int]:
    """Token ids of a rendered prompt. Nothing is added, and no text becomes a special token."""
    return _encode(tokenizer, text)


def encode_response(tokenizer: Any, response: str) -> list[int]:
    """Token ids of ` {response}\\nEND`, tokenised apart from any prompt."""
    return _encode(tokenizer, render_response(response))


def encode(tokenizer: Any, prompt: str, response: str) -> Encoded:
    """A rendered prompt and an unrendered response as the ids that training and scoring use."""
    return Encoded(tuple(encode_prompt(tokenizer, prompt)), tuple(encode_response(tokenizer, response)))


def _plain(instruction: str) -> str:
    return f"Instruction: {instruction}\nResponse:"


def _encode(tokenizer: Any, text: str) -> list[int]:
    # split_special_tokens: a special token's name inside people's or models' text stays text.
    ids: list[int] = tokenizer(text, add_special_tokens=False, split_special_tokens=True, verbose=False)["input_ids"]
    return ids
