"""Artefacts: prompt labels, template tokens, placeholders, debris of markup; and loops."""

import pytest

from evaluators.language.loops import has_loop, has_phrase_loop
from evaluators.language.markup import control_characters, empty_bullet, half_open, tags
from evaluators.language.placeholders import placeholders
from evaluators.language.scaffold import prompt_labels, template_tokens


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Response: Paris", ["response"]), ("### Response:\nParis", ["response"]), ("### Instruction\nSay it", ["instruction"]),
        ("Paris. Instruction: What? Response: Rome", ["instruction", "response"]), ("Paris\n\nQ: What?\nA: Rome", ["q", "a"]),
        ("**Question:** why", ["question"]), ("Question 2: why", ["question"]), ("Paris\nUser : hi", ["user"]), ("A: Paris", ["a"]),
        ("A: apple\nB: ball", []), ("Immune Response: a study", []), ("My question: why?", []), ("The answer is: Paris", []),
        ("Vitamin A: good for the eyes", []), ("Answer: Paris", []), ("Customer: bread, please.\nBaker: here", []),
    ],
)  # fmt: skip
def test_prompt_labels_are_found_where_a_turn_could_start(text, names):
    """At the start of a line or, with a capital, after a sentence; the same words in prose are no labels."""
    assert [label.name for label in prompt_labels(text)] == names


def test_some_labels_open_a_turn_and_some_announce_an_answer():
    """`User:` asks for something new, `Response:` does not."""
    assert [label.opens_turn for label in prompt_labels("User: hi\nAssistant: hello\nResponse: x")] == [True, False, False]


@pytest.mark.parametrize(
    "text", ["Paris</s>", "<|im_end|>", "[INST] x", "<<SYS>>", "<start_of_turn>", "<think>", "[PAD]", "<0x0A>", "<|endoftext|>"]
)
def test_template_tokens_are_found(text):
    """Chat templates and tokenizers of the usual families."""
    assert template_tokens(text)


@pytest.mark.parametrize("text", ["a < b and c > d", "x <3 y", "[1]", "<b>bold</b>", "I pad | you pad"])
def test_other_signs_are_no_template_tokens(text):
    """Comparisons, hearts, citations and HTML are something else."""
    assert not template_tokens(text)


@pytest.mark.parametrize(
    "text",
    [
        "[Your Name]",
        "[Company Name]",
        "[insert city]",
        "{entity}",
        "{{ name }}",
        "<your name>",
        "Dear Mr ____,",
        "TODO",
        "lorem ipsum",
        "${name}",
    ],
)
def test_placeholders_are_found(text):
    """Slots in square, curly and angle brackets, blanks, stock words."""
    assert placeholders(text)


@pytest.mark.parametrize(
    "text",
    ["[1]", "[sic]", "[...]", "[laughs]", "[x]", "[ ]", "[link](http://a.b)", "{1, 2}", '{"a": 1}', "\\frac{ab}{c}", "x_{max}", "`{x}`", "<b>", "5 < x and y > 3", "x[0]"],
)  # fmt: skip
def test_other_brackets_are_no_placeholders(text):
    """Citations, stage directions, sets, code, mathematics, links."""
    assert not placeholders(text)


@pytest.mark.parametrize("text", ["```\nx", "**x", "(x", "[x", "{x", "x]", "`x", "it is `x` and `y"])
def test_what_is_opened_and_not_closed_is_found(text):
    """Fences, inline code, bold, brackets."""
    assert half_open(text)


@pytest.mark.parametrize(
    "text",
    ["**x**", "`x`", "```\nx\n```", "(x)", "1) a\n2) b", "a) b", ":) hi", ":( sad (a)", "(^_^)", "2**3", "2 ** 3", "* a\n* b", "\\left(x\\right)", "x (y) :-)"],
)  # fmt: skip
def test_what_is_closed_or_no_markup_is_left_alone(text):
    """List numbers, smileys, powers, bullets, LaTeX."""
    assert not half_open(text)


@pytest.mark.parametrize(("text", "found"), [("<p>a</p>", True), ("a<br>", True), ("&nbsp;", True), ("a\\nEND", True), ("\\u00e9", True),
                                              ("`<p>`", False), ("a < b", False), ("\\nu + \\tau", False), ("R&D", False)])  # fmt: skip
def test_tags_entities_and_escapes_are_debris_outside_code(text, found):
    """What a renderer should have eaten."""
    assert bool(tags(text)) is found


def test_empty_bullets_and_control_characters_are_found():
    """At the end of a list; tabs and line breaks are no control characters here."""
    assert empty_bullet("- a\n-")
    assert empty_bullet("1. a\n2.")
    assert not empty_bullet("- a\n- b")
    assert not empty_bullet("-")
    assert control_characters("a\x00\ufffd") == ["\x00", "\ufffd"]
    assert not control_characters("a\tb\r\n")


@pytest.mark.parametrize(
    "text",
    ["no no no no", "go on go on go on", "Paris is the capital. Paris is the capital.", "It rains.\nIt pours.\n" * 3, "aaaaaaaaaaaa", "hahahahahahahaha",
     "Item 1 is good. Item 2 is good. Item 3 is good. Item 4 is good.", "a, b and c, a, b and c, a, b and c"],
)  # fmt: skip
def test_loops_are_found(text):
    """Words, phrases, sentences, letters, and sentences that differ in numbers alone."""
    assert has_loop(text)


@pytest.mark.parametrize(
    "text",
    ["very, very well", "ha ha ha", "Row, row, row your boat", "Twinkle, twinkle, little star,\nhow I wonder what you are.\nTwinkle, twinkle, little star,\nso far.",
     "2 x 1 = 2\n2 x 2 = 4\n2 x 3 = 6\n2 x 4 = 8", "1 2 3 1 2 3 1 2 3", "........................", "She sang and sang."],
)  # fmt: skip
def test_emphasis_refrains_and_tables_are_no_loops(text):
    """Repetition with a purpose."""
    assert not has_loop(text)


def test_a_repeated_sentence_is_no_loop_within_a_sentence():
    """Each of them is well-formed, so coherence is left alone."""
    assert not has_phrase_loop("Paris is the capital. Paris is the capital. Paris is the capital.")
    assert has_phrase_loop("Paris Paris Paris Paris Paris")
