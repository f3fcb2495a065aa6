"""The guard that keeps a base model a base model."""

import json

import pytest
import torch
from tiny_models import make_model, make_tokenizer, wrap
from tokenizers import processors

from models.contamination import SENTINELS, check_base_behaviour, check_contamination, reserved_tokens
from models.errors import ContaminationError
from models.prompt_format import encode, encode_prompt, render_prompt


def test_clean_inputs_give_a_plain_report(tokenizer):
    """Rendered prompts pass, even when they talk about template tokens; the report is plain data."""
    prompt = render_prompt("What does <|im_start|> mean?")

    report = check_contamination(tokenizer, [encode_prompt(tokenizer, prompt), encode(tokenizer, prompt, "<tool_call>")])

    assert report.inputs == 2
    assert report.has_chat_template
    assert json.loads(json.dumps(report.as_dict()))["inputs"] == 2


def test_reserved_tokens_include_what_only_the_template_uses(tokenizer):
    """A template's token counts even where the tokenizer does not call it special."""
    assert set(reserved_tokens(tokenizer)) == {"<|endoftext|>", "<|im_start|>", "<|im_end|>", "<tool_call>"}


def test_chat_template_is_caught(tokenizer):
    """A prompt that went through the chat template is refused, and the message names the token."""
    templated = tokenizer.apply_chat_template([{"role": "user", "content": "hi"}], return_dict=False)

    with pytest.raises(ContaminationError, match=r"input 2 holds the special token '<(\|im_start\||tool_call)"):
        check_contamination(tokenizer, [[300], templated])


def test_tokenizer_that_adds_tokens_is_caught():
    """A tokenizer whose ids differ with and without special tokens is refused."""
    adding = make_tokenizer()
    adding.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="<|endoftext|> $A", special_tokens=[("<|endoftext|>", 0)]
    )

    with pytest.raises(ContaminationError, match=r"adds <\|endoftext\|> to plain text"):
        check_contamination(adding)


def test_tokenizer_that_turns_names_into_tokens_is_caught():
    """A tokenizer that did not come through our loader still turns `<tool_call>` in a text into a token: refused."""
    with pytest.raises(ContaminationError, match="'<tool_call>' becomes a special token"):
        check_contamination(make_tokenizer())


def _always(id):
    """A model that writes one token, whatever it is shown."""
    model = make_model(tied=False)
    for parameter in model.model.layers.parameters():
        parameter.data.zero_()
    model.model.embed_tokens.weight.data.fill_(1.0)
    model.lm_head.weight.data.zero_()
    model.lm_head.weight.data[id] = 1.0
    return wrap(model)


def test_base_behaviour():
    """A model that goes on with text passes and its continuations are returned; one that opens a chat turn is refused."""
    text = _always(74)
    word = text.tokenizer.decode([74])

    assert check_base_behaviour(text, tokens=3) == dict.fromkeys(SENTINELS, word * 3)
    with pytest.raises(ContaminationError, match=r"continues .* with '<\|im_start\|>': that is no base model"):
        check_base_behaviour(_always(1))


def test_end_of_sequence_is_no_contamination():
    """A base model may end its text."""
    assert check_base_behaviour(_always(0)) == dict.fromkeys(SENTINELS, "")
    assert torch.is_grad_enabled()
