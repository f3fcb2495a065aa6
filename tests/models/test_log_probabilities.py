"""Log-probabilities of responses: equal to the definition, whatever the padding, and of nothing but what is scored."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_models import make_model, wrap

from compiler.records import PreferencePair
from models.batches import collate, tree_tokens
from models.errors import ModelError
from models.log_probabilities import response_log_probs
from models.pairs import encode_pair, pair_log_probs
from models.prompt_format import Encoded, encode_prompt, encode_response, render_prompt

MODEL = make_model(dtype=torch.float64).eval()
IDS = st.lists(st.integers(0, 319), min_size=1, max_size=12).map(tuple)
PROMPTS = st.sampled_from([(5, 6, 7), (8,), (9, 10, 11, 12, 13, 14, 15)])  # few, so that sequences share them
SEQUENCES = st.lists(st.builds(Encoded, PROMPTS, IDS), min_size=1, max_size=6)


def by_definition(sequence, first):
    """One sequence alone, one token at a time: log softmax of the logits before it."""
    total = 0.0
    with torch.no_grad():
        for at in range(first, len(sequence)):
            logits = MODEL(torch.tensor([sequence.ids[:at]])).logits[0, -1]
            total += (logits[sequence.ids[at]] - torch.logsumexp(logits, 0)).item()
    return total


@settings(max_examples=15, deadline=None)
@given(sequences=SEQUENCES)
def test_equal_to_the_definition(sequences):
    """Padded together, sums are those of each sequence alone, token by token (float64)."""
    sums, counts = response_log_probs(MODEL, collate(sequences))

    expected = [by_definition(sequence, len(sequence.prompt_ids)) for sequence in sequences]
    assert sums.tolist() == pytest.approx(expected, rel=1e-10)
    assert counts.tolist() == [len(sequence.response_ids) for sequence in sequences]


@settings(max_examples=10, deadline=None)
@given(sequences=SEQUENCES)
def test_loss_on_all_scores_the_prompt_too(sequences):
    """`all` adds the prompt, but for its first token."""
    sums, counts = response_log_probs(MODEL, collate(sequences, loss_on="all"))

    assert sums.tolist() == pytest.approx([by_definition(sequence, 1) for sequence in sequences], rel=1e-10)
    assert counts.tolist() == [len(sequence) - 1 for sequence in sequences]


@settings(max_examples=10, deadline=None)
@given(sequences=SEQUENCES, packed=st.booleans())
def test_company_does_not_count(sequences, packed):
    """A sequence's sum is the same alone and among others, as a branch of its prompt's tree or by itself."""
    together = forest_sums(sequences, packed)

    assert together == pytest.approx([forest_sums([sequence], packed)[0] for sequence in sequences], rel=1e-10)


def forest_sums(sequences, packed):
    """Sums in either layout. Segments need a GPU, so the packed row is given the mask that they stand for."""
    batch = collate(sequences, packed=packed)
    return response_log_probs(MODEL, replace(batch, seen=mask_of(batch), segments=None) if packed else batch)[0].tolist()


def mask_of(batch):
    """[1, 1, T, T] bool: what each position sees by the segments."""
    seen = torch.zeros(batch.input_ids.shape[1], batch.input_ids.shape[1], dtype=torch.bool)
    asks, sees = batch.segments.query_ends.tolist(), batch.segments.key_ends.tolist()
    listed = torch.arange(len(seen)) if batch.segments.keys is None else batch.segments.keys
    for segment in range(len(asks) - 1):
        keys = listed[sees[segment] : sees[segment + 1]]
        queries = range(asks[segment], asks[segment + 1])
        for place, query in enumerate(queries):
            seen[query, keys[: len(keys) - len(queries) + place + 1]] = True
    return seen[None, None]


def test_only_scored_positions_meet_the_vocabulary():
    """Logits are computed for scored tokens alone: that is what keeps memory small."""
    rows = []
    handle = MODEL.lm_head.register_forward_hook(lambda module, inputs, output: rows.append(output.shape))
    response_log_probs(MODEL, collate([Encoded((5,) * 20, (6, 7)), Encoded((5,) * 9, (8,))]))
    handle.remove()

    assert rows == [(3, 320)]


def test_softmax_is_taken_in_float32():
    """A bfloat16 model's log-probabilities are sums in float32."""
    model = make_model(dtype=torch.bfloat16)

    sums, _ = response_log_probs(model, collate([Encoded((5, 6), (7, 8))]))

    assert sums.dtype == torch.float32


def pair(number, instruction, chosen, rejected):
    """A preference pair of the training split."""
    return PreferencePair(
        id=f"p{number}",
        item_id=instruction,
        instruction=instruction,
        chosen=chosen,
        rejected=rejected,
        negative_type="off_topic",
        split="train",
    )


def test_pairs_are_scored_in_order():
    """Both sides of every pair, in the order given, though batches are made by length and shared answers scored once."""
    base = wrap(make_model(dtype=torch.float64))
    pairs = [
        pair(1, "Name a metal.", "Iron.", "No."),
        pair(2, "Why?", "Because of " * 20, "x"),
        pair(3, "Name a metal.", "Iron.", "Wood is one."),
    ]
    seen = []

    scored = pair_log_probs(base, pairs, on_progress=lambda done, total: seen.append((done, total)))

    assert [row.pair_id for row in scored] == ["p1", "p2", "p3"]
    assert scored[0].chosen == scored[2].chosen
    assert seen[-1] == (5, 5)
    for row, source in zip(scored, pairs, strict=True):
        prompt = tuple(encode_prompt(base.tokenizer, render_prompt(source.instruction)))
        for value, count, text in (
            (row.chosen, row.chosen_tokens, source.chosen),
            (row.rejected, row.rejected_tokens, source.rejected),
        ):
            response = tuple(encode_response(base.tokenizer, text))
            alone, _ = response_log_probs(base.model, collate([Encoded(prompt, response)]))
            assert value == pytest.approx(alone.item(), rel=1e-10)
            assert count == len(response)


def test_pair_beyond_the_context():
    """A pair that the model cannot hold is named."""
    with pytest.raises(ModelError, match=r"pair p7 is \d+ tokens long, in-memory has 512"):
        pair_log_probs(wrap(make_model()), [pair(7, "x " * 600, "a", "b")])


def test_no_pairs():
    """Nothing in, nothing out."""
    assert pair_log_probs(wrap(make_model()), []) == []


class Memory(dict):
    """Remembers in a dictionary."""

    recall = dict.get
    learn = dict.update


def test_only_what_is_new_is_computed():
    """With a memory, a changed pair reads its own prompt again and nothing else; all sums are as without one, to the last bit."""
    base, memory, read = wrap(make_model()), Memory(), []
    old = [pair(1, "Name a metal.", "Iron.", "No."), pair(2, "Why?", "Because.", "x")]
    new = [old[0], pair(2, "Why?", "Because.", "y")]
    pair_log_probs(base, old, remembered=memory)
    handle = base.model.model.embed_tokens.register_forward_hook(lambda module, inputs, output: read.append(inputs[0].numel()))

    again = pair_log_probs(base, new, remembered=memory)
    handle.remove()

    assert sum(read) == tree_tokens(encode_pair(base.tokenizer, new[1]))
    assert again == pair_log_probs(base, new)


def test_the_company_of_a_prompt_does_not_matter_on_a_cpu():
    """A pair's log-probabilities are the same bits alone, among others, in any order, and with its sides exchanged."""
    base = wrap(make_model())
    pairs = [pair(n, f"Name {n} metals, {'please ' * n}now.", "Iron and tin. " * n, "No.") for n in range(1, 12)]

    among_others = {row.pair_id: row for row in pair_log_probs(base, pairs[::-1])}

    for each in pairs:
        assert pair_log_probs(base, [each]) == [among_others[each.id]]
    [exchanged] = pair_log_probs(base, [pairs[0].model_copy(update={"chosen": "No.", "rejected": pairs[0].chosen})])
    assert (exchanged.rejected, exchanged.chosen) == (among_others[pairs[0].id].chosen, among_others[pairs[0].id].rejected)
