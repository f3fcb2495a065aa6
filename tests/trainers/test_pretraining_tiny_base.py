"""The command that rebuilds the embedded base model, on a very small scale."""

import unicodedata
from functools import cache
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from transformers import AutoTokenizer, Qwen2Tokenizer

from compiler.records import Item
from datagen.corpus import documents
from models.loading import load_base
from models.prompt_format import encode_prompt
from stage1.tiny_base.__main__ import arguments, main, settings_from
from stage1.tiny_base.build import build
from stage1.tiny_base.card import card
from stage1.tiny_base.measure import Reply, contains_answer, opens_with_answer, rates, replies_to, samples
from stage1.tiny_base.rows import batches, packed
from stage1.tiny_base.settings import Architecture, BuildSettings
from stage1.tiny_base.tokenizer import CHAT_TOKENS, END_OF_TEXT, train_tokenizer

SMALL = BuildSettings(
    architecture=Architecture(vocabulary=400, hidden=16, layers=2, intermediate=24, heads=2, kv_heads=1),
    tokenizer_documents=150, steps=2, batch_rows=2, row_length=64,
)  # fmt: skip
ITEM = Item(id="i", kind="qa", instruction="What is the capital of France?", answers=("Paris",))


@pytest.fixture(scope="module")
def tokenizer():
    """A small tokenizer, learned from a few documents."""
    return _small_tokenizer()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A small model that was trained for two steps."""
    folder = tmp_path_factory.mktemp("model")
    build(SMALL, folder, "cpu")
    return folder


@given(st.text(max_size=60))
@settings(max_examples=60, deadline=None)
def test_the_tokenizer_loses_no_text(text):
    """Byte-level: whatever is encoded decodes to itself, up to Unicode's canonical form."""
    tokenizer = _small_tokenizer()

    decoded = tokenizer.decode(encode_prompt(tokenizer, text), clean_up_tokenization_spaces=False)

    assert decoded == unicodedata.normalize("NFC", text)


@cache
def _small_tokenizer():
    return train_tokenizer(islice(documents(1), 150), 400)


def test_the_tokenizer_loads_from_its_folder_as_qwen2s_does(tokenizer, tmp_path):
    """Same class, same ids, same chat template, end-of-text as its end, and nothing added around a text."""
    tokenizer.save_pretrained(tmp_path, save_jinja_files=False)

    loaded = AutoTokenizer.from_pretrained(tmp_path)

    text = "Instruction: What is 7 times 8?\nResponse: 56\nEND\n\nReykjavík"
    assert isinstance(loaded, Qwen2Tokenizer)
    assert loaded(text)["input_ids"] == tokenizer(text)["input_ids"] == loaded(text, add_special_tokens=False)["input_ids"]
    assert loaded.chat_template == tokenizer.chat_template
    assert (loaded.eos_token, len(loaded)) == (END_OF_TEXT, 400)
    assert set(loaded.all_special_tokens) == {END_OF_TEXT, *CHAT_TOKENS}


def test_the_chat_template_uses_tokens_that_the_prompt_format_never_yields(tokenizer):
    """There is something to guard against: the template's tokens exist, and plain text does not reach them."""
    chat = tokenizer.apply_chat_template([{"role": "user", "content": "Hello"}], add_generation_prompt=True, return_dict=False)
    reserved = set(tokenizer.convert_tokens_to_ids(list(CHAT_TOKENS)))

    assert reserved <= set(chat)
    assert not reserved & set(encode_prompt(tokenizer, "Instruction: <|im_start|>\nResponse:"))


def test_the_tokenizer_is_the_same_each_time():
    """Learned twice from the same documents, it has the same entries and merges."""
    first, second = (train_tokenizer(islice(documents(1), 150), 400).backend_tokenizer.to_str() for _ in range(2))

    assert first == second


@given(st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=30), max_size=30), st.integers(1, 20))
@settings(max_examples=100, deadline=None)
def test_each_row_has_the_length_asked_for_and_opens_a_document(texts, length):
    """Nothing is padded, no row starts in mid-document, and no document is used in two rows."""
    marked = [[100 + i, *text] for i, text in enumerate(texts)]

    rows = list(packed(iter(marked), length))

    starts = [token - 100 for row in rows for token in row if token >= 100]
    assert all(len(row) == length and row[0] >= 100 for row in rows)
    assert starts == sorted(set(starts))


def test_batches_are_full():
    """Rows that do not fill a batch are not trained on."""
    made = list(batches(iter([[1, 2]] * 7), 3))

    assert [tuple(batch.shape) for batch in made] == [(3, 2), (3, 2)]


def test_a_built_model_loads_through_the_door_of_every_base_model(folder):
    """Weights are stored in bfloat16, embeddings tied, and the model answers prompts."""
    with safe_open(folder / "model.safetensors", "pt") as file:
        kinds = {str(file.get_tensor(name).dtype) for name in file.keys()}  # noqa: SIM118  not a dict
        names = set(file.keys())
    loaded = load_base({"base": str(folder)}, "cpu")

    reply = replies_to(loaded, [(ITEM, "Instruction: x\nResponse:")], limit=4)[0]

    assert kinds == {"torch.bfloat16"}
    assert "lm_head.weight" not in names
    assert loaded.model.config.model_type == "qwen2"
    assert isinstance(reply.text, str)


def test_the_same_settings_build_the_same_files(folder, tmp_path):
    """Byte by byte, on one machine."""
    build(SMALL, tmp_path, "cpu")

    for name in ("model.safetensors", "tokenizer.json", "tokenizer_config.json", "config.json"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes(), name


def test_a_vocabulary_that_the_corpus_cannot_fill_is_refused(tmp_path):
    """Rows of the embedding that no text reaches would be dead weight."""
    few = BuildSettings(architecture=Architecture(vocabulary=30000), tokenizer_documents=20)

    with pytest.raises(ValueError, match="smaller vocabulary"):
        build(few, tmp_path, "cpu")


@pytest.mark.parametrize(
    ("text", "held"), [("It is PARIS.", True), ("Parisian", False), ("comparison", False), ("paris", True), ("", False)]
)
def test_an_answer_counts_as_whole_words_in_any_case(text, held):
    """`Parisian` does not hold `Paris`."""
    assert contains_answer(text, ("Paris",)) is held


def test_only_the_opening_counts_as_answering_at_once():
    """A fact met while rambling is no answer to the question."""
    at_once = Reply(ITEM, " Paris. Rome is far.", finished=False)
    later = Reply(ITEM, " Rome is far. Paris is the capital of France.", finished=False)

    assert opens_with_answer(at_once)
    assert not opens_with_answer(later)


def test_rates_are_shares_of_what_applies():
    """Items without reference answers count for stopping, not for answering."""
    replies = [
        Reply(ITEM, " Paris\nEND", finished=True),
        Reply(ITEM, " Rome and on and on", finished=False),
        Reply(ITEM.model_copy(update={"answers": None}), " Well.\nEND", finished=True),
    ]

    measured = rates(replies)

    assert measured["contained"] == 0.5
    assert measured["contained_by_kind"] == {"qa": 0.5}
    assert measured["ends_with_marker"] == pytest.approx(2 / 3, abs=1e-3)
    assert measured["runs_to_the_limit"] == pytest.approx(1 / 3, abs=1e-3)


def test_the_card_states_what_was_measured(folder):
    """Every figure is filled in, from the report and the settings."""
    replies = [Reply(ITEM, " Paris\nEND", finished=True), Reply(ITEM, " Rome", finished=False)]
    style = rates(replies) | {"samples": samples(replies)}
    report = {"parameters": 12345, "token_limit": 80, "few_shot": style, "zero_shot": style}

    text = card(folder, SMALL, report)

    assert "12,345 parameters" in text
    assert "| END on a line of its own | 50.0% | 50.0% |" in text
    assert "$" not in text


def test_every_option_reaches_the_settings():
    """Sizes, shares and schedule come from the command line; the defaults are the settings' own."""
    given = arguments().parse_args(["--layers", "3", "--mix-pages", "0.5", "--steps", "7", "--seed", "4"])

    changed = settings_from(given)

    assert settings_from(arguments().parse_args([])) == BuildSettings()
    assert (changed.architecture.layers, changed.mix.pages, changed.steps, changed.seed) == (3, 0.5, 7, 4)


def test_measuring_a_folder_without_a_model_is_one_clear_line(tmp_path, capsys):
    """Exit status 2, the folder's name and the way out."""
    status = main(["--measure", str(tmp_path)])

    assert status == 2
    assert capsys.readouterr().err == f"error: {tmp_path} holds no model (no config.json); build one with --out\n"


def test_the_committed_defaults_fit_in_eight_megabytes():
    """Two bytes a weight: embeddings, and per layer attention (with biases), gated feed-forward and norms."""
    a = Architecture()
    head = a.hidden // a.heads
    attention = a.hidden * head * (2 * a.heads + 2 * a.kv_heads) + head * (a.heads + 2 * a.kv_heads)
    weights = a.vocabulary * a.hidden + a.layers * (attention + 3 * a.hidden * a.intermediate + 2 * a.hidden) + a.hidden

    assert 2 * weights < 8_000_000
