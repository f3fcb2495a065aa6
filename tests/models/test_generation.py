"""Batched answers: the same as one by one, reproducible, and stopped where they end."""

from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_models import make_model, wrap

from models.errors import ModelError
from models.generation import Decode, generate
from models.prompt_format import encode_prompt

PROMPTS = st.lists(st.lists(st.integers(3, 305), min_size=1, max_size=30), min_size=1, max_size=7)
BASE = wrap(make_model(dtype=torch.float64))


@settings(max_examples=15, deadline=None)
@given(prompts=PROMPTS, batch_size=st.integers(1, 8), stops=st.sampled_from([0, list(range(60))]))
def test_batched_greedy_equals_one_by_one(prompts, batch_size, stops):
    """Left padding, batch size and neighbours that finish early (with many stop tokens) do not change a greedy answer."""
    BASE.model.generation_config.eos_token_id = stops
    try:
        together = generate(BASE, prompts, Decode(0, 12), batch_size=batch_size)

        assert together == [generate(BASE, [prompt], Decode(0, 12))[0] for prompt in prompts]
    finally:
        BASE.model.generation_config.eos_token_id = 0


def test_positions_count_from_the_first_real_token():
    """Whatever the padding, a row's tokens sit at positions 0, 1, 2, ..., as in training."""
    seen = [[], []]

    def watch(module, args, kwargs):
        real = kwargs["attention_mask"][:, -kwargs["input_ids"].shape[1] :].bool()
        for row, (positions, keep) in enumerate(zip(kwargs["position_ids"], real, strict=True)):
            seen[row] += positions[keep].tolist()

    handle = BASE.model.model.register_forward_pre_hook(watch, with_kwargs=True)
    generate(BASE, [[20] * 9, [30, 31]], Decode(0, 4))
    handle.remove()

    assert seen == [list(range(9 + 3)), list(range(2 + 3))]


def test_greedy_agrees_with_transformers():
    """Our loop and transformers' own generate choose the same tokens."""
    prompt = [20, 30, 40, 50]

    ours = generate(BASE, [prompt], Decode(0, 15))[0]

    theirs = BASE.model.generate(
        torch.tensor([prompt]), attention_mask=torch.ones(1, 4), do_sample=False, max_new_tokens=15, pad_token_id=0
    )[0, 4:].tolist()
    assert ours.text == BASE.tokenizer.decode([id for id in theirs if id != 0])


def test_sampling_hangs_on_the_seed_alone():
    """The same seed gives the same answers whatever the batch size and the global random state; another seed does not."""
    prompts = [[5, 6, 7], [9], [11, 12, 13, 14, 15]]
    torch.manual_seed(1)
    first = generate(BASE, prompts, Decode(1.0, 12), seed=3, batch_size=3)
    torch.manual_seed(2)
    state = torch.get_rng_state()

    again = generate(BASE, prompts, Decode(1.0, 12), seed=3, batch_size=1)

    assert again == first
    assert torch.equal(torch.get_rng_state(), state)
    assert generate(BASE, prompts, Decode(1.0, 12), seed=4) != first


def test_sampling_follows_the_model():
    """Sampled first tokens come as often as the softmax at that temperature says (chi-square, fixed seed)."""
    prompt, draws, temperature = [20, 21, 22], 3000, 2.0
    with torch.no_grad():
        chances = (BASE.model(torch.tensor([prompt])).logits[0, -1] / temperature).softmax(-1)
    by_text = Counter()
    for id, chance in enumerate(chances.tolist()):
        by_text["" if id == 0 else BASE.tokenizer.decode([id])] += chance

    answers = generate(BASE, [prompt] * draws, Decode(temperature, 1), seed=0, batch_size=500)

    seen = Counter(answer.text for answer in answers)
    deviation = sum((seen[text] - draws * chance) ** 2 / (draws * chance) for text, chance in by_text.most_common(5))
    assert deviation < 20.5  # the 0.1% point of chi-square for 5 cells


class Scripted(torch.nn.Module):
    """Emits one row of fixed tokens per prompt, chosen by the prompt's last id; everything around it is real."""

    def __init__(self, scripts: dict[int, list[int]]) -> None:
        super().__init__()
        self.inner, self.scripts = make_model(), scripts
        self.config, self.generation_config = self.inner.config, self.inner.generation_config

    def forward(self, *, input_ids, attention_mask, position_ids, past_key_values, **options):
        output = self.inner(
            input_ids=input_ids,
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=past_key_values,
            **options,
        )
        if input_ids.shape[1] > 1 or not hasattr(past_key_values, "scripts"):
            past_key_values.scripts = [self.scripts[row[-1]] for row in input_ids.tolist()]
            past_key_values.starts = position_ids[:, -1].tolist()
            past_key_values.batch_select_indices = _selecting(past_key_values)
        steps = [at - start for at, start in zip(position_ids[:, -1].tolist(), past_key_values.starts, strict=True)]
        output.logits = torch.full_like(output.logits, -1e3)
        for row, (script, step) in enumerate(zip(past_key_values.scripts, steps, strict=True)):
            output.logits[row, -1, script[step]] = 0.0
        return output


def _selecting(cache):
    original = cache.batch_select_indices

    def select(indices):
        original(indices)
        cache.scripts = [cache.scripts[at] for at in indices.tolist()]
        cache.starts = [cache.starts[at] for at in indices.tolist()]

    return select


def scripted(texts: list[str], *, eos_after: set[int] = frozenset()):
    """A base that answers prompt k with text k, and the prompts."""
    loaded = wrap(make_model())
    scripts = {}
    for number, text in enumerate(texts):
        ids = encode_prompt(loaded.tokenizer, text)
        scripts[100 + number] = ids + [0] * 50 if number in eos_after else ids + encode_prompt(loaded.tokenizer, " more" * 30)
    model = Scripted(scripts).eval().requires_grad_(False)
    return type(loaded)(model, loaded.tokenizer, loaded.device, loaded.settings), [
        [7] * n + [100 + n] for n in range(len(texts))
    ]


def test_rows_stop_where_they_end():
    """Each row stops by itself: at the marker, which is kept, or at end-of-sequence, which is not; else at the limit."""
    base, prompts = scripted([" Paris\nEND", " a WEEKEND away", " no marker", " on one line END", " é🙂\nEND"], eos_after={2})

    answers = generate(base, prompts, Decode(0, 30), batch_size=5)

    assert [answer.text for answer in answers[:1] + answers[2:]] == [
        " Paris\nEND",
        " no marker",
        " on one line END",
        " é🙂\nEND",
    ]
    assert answers[1].text.startswith(" a WEEKEND away more")
    assert [answer.hit_token_limit for answer in answers] == [False, True, False, False, False]
    assert answers[1].tokens == 30
    assert answers[0].tokens == len(encode_prompt(base.tokenizer, " Paris\nEND"))


def test_marker_as_the_last_token_is_no_truncation():
    """An answer whose marker is the last token allowed has ended by itself."""
    base, prompts = scripted([" Paris\nEND"])
    length = len(encode_prompt(base.tokenizer, " Paris\nEND"))

    assert not generate(base, prompts, Decode(0, length))[0].hit_token_limit
    assert generate(base, prompts, Decode(0, length - 1))[0].hit_token_limit


def test_progress_counts_every_answer():
    """Progress only grows and ends with all answers."""
    seen = []

    generate(BASE, [[5], [6], [7, 8]], Decode(0, 4), batch_size=2, on_progress=lambda done, total: seen.append((done, total)))

    assert seen == sorted(seen)
    assert seen[-1] == (3, 3)


def test_no_prompts_no_answers():
    """Nothing asked, nothing answered."""
    assert generate(BASE, [], Decode(0, 4)) == []


def test_prompt_beyond_the_context():
    """A prompt that leaves no room for its answer is refused with both numbers."""
    with pytest.raises(ModelError, match="a prompt of 500 tokens and 20 new ones exceed the 512 positions"):
        generate(BASE, [[5] * 500], Decode(0, 20))


def test_empty_prompt():
    """A prompt without tokens is refused."""
    with pytest.raises(ValueError, match="without tokens"):
        generate(BASE, [[]], Decode(0, 4))


def test_broken_weights_are_named():
    """A model that computes NaN ends in a clear error instead of arbitrary text."""
    base = wrap(make_model())
    base.model.model.norm.weight.data.fill_(float("nan"))

    with pytest.raises(ModelError, match="computes NaN"):
        generate(base, [[5]], Decode(0, 4))


@pytest.mark.parametrize("settings", [(-1.0, 5), (0.0, 0)])
def test_impossible_decode(settings):
    """A negative temperature or no room for a token is refused."""
    with pytest.raises(ValueError, match="must be >="):
        Decode(*settings)
