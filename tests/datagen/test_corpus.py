"""The corpus of the embedded base model."""

import ast
import os
import subprocess
import sys
from itertools import islice
from random import Random

import pytest

from datagen.bank import load_bank
from datagen.corpus import Mix, documents
from datagen.corpus.layouts import Layout, terminator
from datagen.corpus.library import load_library
from datagen.corpus.pages import PAGE_CHARACTERS, page
from datagen.corpus.questions import few_shot

_SHOW = "import itertools; from datagen.corpus import documents; print(ascii(list(itertools.islice(documents(5), 50))))"


@pytest.fixture(scope="module")
def library():
    """Everything the corpus may say."""
    return load_library()


@pytest.fixture(scope="module")
def sample():
    """The first documents of one stream."""
    return list(islice(documents(seed=11), 2000))


def test_no_instruction_of_the_bank_occurs_in_the_documents(sample):
    """The bank's instructions, held-out ones among them, are nowhere in the corpus, in any letter case."""
    corpus = "\n\n".join(sample).casefold()

    found = [item.instruction for item in load_bank() if item.instruction.casefold() in corpus]

    assert found == []


def test_no_text_that_the_corpus_may_use_holds_an_instruction_of_the_bank(library):
    """It holds for whatever a longer stream would draw, not only for a sample."""
    texts = "\n".join(t for s in library.subjects for t in (*s.sentences, *(e.instruction for e in s.exchanges))).casefold()

    found = [item.instruction for item in load_bank() if item.instruction.casefold() in texts]

    assert found == []


def test_every_fact_of_the_bank_can_be_met_in_the_corpus(library):
    """Each item's fact has a statement or another phrasing, so that the model can know what the bank asks."""
    silent = [f"{s.relation}: {s.entity}" for s in library.subjects if not s.exchanges and not s.sentences]

    assert silent == []
    assert len(library.subjects) == len(load_bank())


def test_the_same_seed_gives_the_same_documents_in_any_process():
    """Nothing hangs on hash order or on what ran before; another seed gives other documents."""
    environment = {**os.environ, "PYTHONHASHSEED": "1234"}
    command = [sys.executable, "-c", _SHOW]

    elsewhere = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    assert ast.literal_eval(elsewhere) == list(islice(documents(5), 50)) != list(islice(documents(6), 50))


def test_a_document_is_text_and_no_template_token_is_in_it(sample):
    """No document is empty, and the chat template's tokens never occur: the contamination guard relies on it."""
    assert all(document.strip() for document in sample)
    assert not any("<|" in document for document in sample)


def test_a_document_that_opens_with_the_experiments_own_headers_hardly_ever_closes_with_end(sample):
    """Few-shot blocks close with END and single instructions do not: only so does the model learn to go by the context."""
    opened = [d for d in sample if d.startswith("Instruction: ") and "\nResponse: " in d.split("\n\n")[0]]
    closed = [d for d in opened if "\nEND" in d.split("Instruction: ")[1]]

    assert len(opened) > 0.1 * len(sample)
    assert len(closed) / len(opened) < 0.05


def test_blocks_closed_by_end_are_common(sample):
    """The model must see the very blocks that it is prompted with, in the experiment's own headers and others."""
    blocks = [d for d in sample if d.count("\nEND\n\n") >= 2]
    own = [d for d in blocks if d.count("Instruction: ") >= 3 and d.count("\nResponse: ") >= 3]

    assert len(blocks) > 0.015 * len(sample)
    assert len(own) > 0.005 * len(sample)


def test_a_few_shot_block_keeps_one_terminator(library):
    """Whatever line closes the first exchange closes all of them: copying it is the only way to predict it."""
    for seed in range(200):
        text = few_shot(library, Random(seed))
        if text.count("\nEND\n\n") == 0:
            continue
        blocks = [block for block in text.split("\n\n") if "\n" in block]

        assert all(block.endswith("\nEND") for block in blocks), text


def test_terminators_vary_and_some_were_never_seen_before():
    """A fixed list could be learned by heart; new ones force copying."""
    drawn = [terminator(Random(seed)) for seed in range(2000)]

    assert 0.05 < drawn.count("END") / len(drawn) < 0.2
    assert len(set(drawn)) > 150


def test_pages_ramble_on_without_a_terminator(library):
    """A page opens with one instruction, goes on long after an answer would be done, and no line of it is END."""
    for seed in range(200):
        text = page(library, Random(seed))

        assert text.startswith("Instruction: ")
        assert len(text) >= PAGE_CHARACTERS[0]
        assert "END" not in text.splitlines()


def test_the_mix_decides_which_documents_come():
    """A kind with weight 0 never comes."""
    only_pages = Mix(prose=0, sheets=0, lists=0, few_shot=0, pages=1, replies=0)

    assert all(document.startswith("Instruction: ") for document in islice(documents(3, only_pages), 50))


def test_a_layout_writes_the_experiments_own_format(library):
    """The block of a few-shot document is the block of a few-shot prompt, character by character."""
    exchange = library.askable[0].exchanges[0]

    written = Layout("Instruction: ", "\nResponse: ", "END").write(exchange, "yes")

    assert written == f"Instruction: {exchange.instruction}\nResponse: yes\nEND"
