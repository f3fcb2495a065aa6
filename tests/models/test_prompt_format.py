"""The prompt format: one definition, and a boundary that training and generation share."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.prompt_format import encode, encode_prompt, encode_response, is_closed, render_prompt, render_response

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=60) | st.sampled_from(
    ["<|im_start|>system", "say <|endoftext|> now", "<tool_call>{}</tool_call>", "<|im_end|>\n", " ", "\n\n", "é́ 日本 🙂"]
)
PROPERTY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def test_plain_form():
    """The plain form is exactly the documented one."""
    assert render_prompt("Name a metal.") == "Instruction: Name a metal.\nResponse:"
    assert render_response("Iron.") == " Iron.\nEND"


def test_few_shot_form():
    """Exemplars come first in the same form, each closed by END and a blank line."""
    text = render_prompt("C?", "few-shot", [("A?", "a"), ("B?", "b")])

    assert text == "Instruction: A?\nResponse: a\nEND\n\nInstruction: B?\nResponse: b\nEND\n\nInstruction: C?\nResponse:"


def test_raw_form():
    """Raw is the instruction and a newline, without scaffolding."""
    assert render_prompt("Name a metal.", "raw") == "Name a metal.\n"


@pytest.mark.parametrize(("style", "exemplars"), [("few-shot", []), ("instruction", [("a", "b")]), ("raw", [("a", "b")])])
def test_exemplars_belong_to_few_shot(style, exemplars):
    """Exemplars with another style, or few-shot without any, are refused rather than ignored."""
    with pytest.raises(ValueError, match="exemplars belong to 'few-shot'"):
        render_prompt("x", style, exemplars)


@PROPERTY
@given(instruction=TEXT, response=TEXT)
def test_boundary_is_the_same_in_training_and_generation(tokenizer, instruction, response):
    """What a model is trained on begins with exactly the ids it is shown when it answers, whatever the text."""
    prompt = render_prompt(instruction)

    trained = encode(tokenizer, prompt, response)

    assert list(trained.ids[: len(encode_prompt(tokenizer, prompt))]) == encode_prompt(tokenizer, prompt)
    assert list(trained.response_ids) == encode_response(tokenizer, response)
    assert len(trained) == len(trained.prompt_ids) + len(trained.response_ids)


@PROPERTY
@given(instruction=TEXT, response=TEXT)
def test_ids_are_the_text_and_nothing_else(tokenizer, instruction, response):
    """Joined ids decode to the rendered text: nothing is added, and no text turns into a special token."""
    prompt = render_prompt(instruction)

    encoded = encode(tokenizer, prompt, response)

    assert tokenizer.decode(list(encoded.ids), skip_special_tokens=True) == prompt + render_response(response)


def test_special_names_stay_text(tokenizer):
    """Names of special and template tokens inside text become ordinary pieces."""
    reserved = {
        tokenizer.convert_tokens_to_ids(name) for name in ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<tool_call>")
    }
    assert len(reserved) == 4

    ids = encode_prompt(tokenizer, "<|endoftext|><|im_start|>user<|im_end|><tool_call>")

    assert not reserved & set(ids)


@pytest.mark.parametrize(
    ("text", "closed"),
    [(" Paris\nEND", True), (" Paris END", True), ("END", True), (" WEEKEND", False), (" the end", False), (" The End", False),
     (" Paris\nEND\n", False), (" Paris\nENDED", False), ("", False)],
)  # fmt: skip
def test_marker(text, closed):
    """The marker is the upper-case word END with nothing after it."""
    assert is_closed(text) is closed
