"""Batched answers: the same as one by one, reproducible, and stopped where they end."""

from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_models import make_model, wrap

from models import decoding
from models.adapters import trainable
from models.attention import attend_grouped
from models.errors import ModelError
from models.generation import Decode, Generated, Pace, generate
from models.prompt_format import encode_prompt

PROMPTS = st.lists(st.lists(st.integers(3, 305), min_size=1, max_size=30), min_size=1, max_size=7)
BASE = wrap(make_model(dtype=torch.float64))
SINGLE = wrap(make_model())
PACES = [Pace(1, 0.8, False), Pace(5, 0.5, True), Pace(4, 0.0, False), Pace(3, 0.5, True, lean=True)]


def one_by_one(base, prompt, limit, stops):
    """The plainest loop there is: one row, no cache, the whole text read again for every token."""
    written = []
    while len(written) < limit:
        with torch.no_grad():
            chosen = base.model(torch.tensor([prompt + written]), use_cache=False).logits[0, -1].argmax().item()
        if chosen in stops:
            return Generated(base.tokenizer.decode(written), len(written), False)
        written.append(chosen)
    return Generated(base.tokenizer.decode(written), limit, True)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@settings(max_examples=10, deadline=None)
@given(
    prompts=PROMPTS, batch_size=st.integers(1, 8), stops=st.sampled_from([[0], list(range(60))]), pace=st.sampled_from(PACES)
)
def test_batched_greedy_equals_the_plain_loop(dtype, prompts, batch_size, stops, pace):
    """Cache, padding, batch size, pace, and neighbours that finish early (with many stop tokens) change no greedy answer."""
    base = BASE if dtype == torch.float64 else SINGLE
    base.model.generation_config.eos_token_id = stops

    together = generate(base, prompts, Decode(0, 12), batch_size=batch_size, pace=pace)

    base.model.generation_config.eos_token_id = 0
    assert together == [one_by_one(base, prompt, 12, stops) for prompt in prompts]


def test_many_prompts_are_read_in_parts(monkeypatch):
    """Prompts are read in groups of bounded size; how they are grouped does not show in the answers."""
    prompts = [[20 + n] * (n + 1) for n in range(9)]
    whole = generate(BASE, prompts, Decode(0, 6))
    widths = []
    handle = BASE.model.model.register_forward_pre_hook(
        lambda module, args, kwargs: widths.append(kwargs["input_ids"].shape), with_kwargs=True
    )
    monkeypatch.setattr(decoding, "_PREFILL_TOKENS", 10)

    parts = generate(BASE, prompts, Decode(0, 6))

    handle.remove()
    assert parts == whole
    assert [shape for shape in widths if shape[1] > 1] == [(1, n) for n in (9, 8, 7, 6)] + [(2, 5), (3, 3)]


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_a_batch_that_does_not_fit_is_halved(monkeypatch, temperature):
    """Out of memory, also in the middle of answers, means smaller batches and the same answers."""
    prompts = [[20 + n, 40] for n in range(7)]
    expected = generate(BASE, prompts, Decode(temperature, 9))
    forward, seen = BASE.model.forward, []

    def tight(**inputs):
        if inputs["input_ids"].shape[1] == 1 and len(inputs["input_ids"]) > 2:
            raise torch.OutOfMemoryError("no room")
        return forward(**inputs)

    monkeypatch.setattr(BASE.model, "forward", tight)

    answers = generate(BASE, prompts, Decode(temperature, 9), on_progress=lambda done, total: seen.append(done))

    assert answers == expected
    assert seen[-1] == 7
    monkeypatch.setattr(BASE.model, "forward", lambda **inputs: (_ for _ in ()).throw(torch.OutOfMemoryError()))
    with pytest.raises(torch.OutOfMemoryError):
        generate(BASE, prompts, Decode(temperature, 9))


def test_positions_count_from_the_first_real_token():
    """Whatever the padding, a row's tokens sit at positions 0, 1, 2, ..., as in training, and see all of the row before them."""
    seen = [[], []]

    def watch(module, args, kwargs):
        for row, (positions, visible) in enumerate(zip(kwargs["position_ids"], kwargs["attention_mask"][:, 0], strict=True)):
            for at, sees in zip(positions.tolist(), (visible == 0).sum(-1).tolist(), strict=True):
                if sees == at + 1:
                    seen[row].append(at)

    handle = BASE.model.model.register_forward_pre_hook(watch, with_kwargs=True)
    generate(BASE, [[20] * 9, [30, 31]], Decode(0, 4))
    handle.remove()

    assert seen[0] == list(range(9 + 3))
    assert seen[1][-5:] == list(range(2 + 3))
    assert set(seen[1][:-5]) == {0}  # padding, which sees itself


def test_lean_adapters_write_the_same():
    """With an adapter that has moved, its products in the model's precision and cast once give the answers that peft gives."""
    base = wrap(make_model(dtype=torch.float64))
    prompts = [[5, 6, 7], [20, 21], [30]]
    with trainable(base, {"rank": 4, "alpha": 8}, None, 1):
        plain = generate(base, prompts, Decode(0, 12))
        for parameter in base.model.parameters():
            if parameter.requires_grad:
                parameter.data += 0.5 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(2))
        moved = generate(base, prompts, Decode(0, 12))

        assert generate(base, prompts, Decode(0, 12), pace=Pace(4, 0.5, True, lean=True)) == moved
        assert moved != plain


@pytest.mark.parametrize(("heads", "groups"), [(4, 2), (6, 1), (10, 2)])
def test_heads_of_a_group_ask_together(heads, groups):
    """One new token per row, some columns masked: what comes out is what comes out with keys and values repeated per head."""
    draw = torch.Generator().manual_seed(0)
    query = torch.randn(3, heads, 1, 8, generator=draw, dtype=torch.float64)
    key, value = torch.randn(2, 3, groups, 16, 8, generator=draw, dtype=torch.float64)
    mask = torch.where(torch.rand(3, 1, 1, 16, generator=draw) < 0.5, 0.0, -torch.inf).double()
    mask[..., 0] = 0.0

    found = attend_grouped(query, key, value, mask, 0.3)

    repeated = [each.repeat_interleave(heads // groups, 1) for each in (key, value)]
    expected = torch.nn.functional.scaled_dot_product_attention(query, *repeated, attn_mask=mask, scale=0.3).transpose(1, 2)
    assert torch.allclose(found, expected, atol=1e-12)


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
    among_more = generate(BASE, [*prompts, [16, 17], [18]], Decode(1.0, 12), seed=3, pace=Pace(5, 0.5, True))

    assert again == first
    assert among_more[:3] == first
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


_APART = 50  # prompt k is 50 k + 1 tokens long, so that a position says which script is written and how far it is


class Scripted(torch.nn.Module):
    """Emits fixed tokens for each prompt, told apart by their positions; everything around it is real."""

    def __init__(self, scripts: list[list[int]]) -> None:
        super().__init__()
        self.inner, self.scripts = make_model(), scripts
        self.config, self.generation_config = self.inner.config, self.inner.generation_config
        self.device, self.dtype = self.inner.device, self.inner.dtype

    def forward(self, *, position_ids, **inputs):
        output = self.inner(position_ids=position_ids, **inputs)
        output.logits = torch.full_like(output.logits, -1e3)
        for row, at in enumerate(position_ids[:, -1].tolist()):
            output.logits[row, -1, self.scripts[at // _APART][at % _APART]] = 0.0
        return output


def scripted(texts: list[str], *, eos_after: set[int] = frozenset()):
    """A base that answers prompt k with text k, and the prompts."""
    loaded = wrap(make_model())
    scripts = []
    for number, text in enumerate(texts):
        ids = encode_prompt(loaded.tokenizer, text)
        scripts.append(ids + [0] * _APART if number in eos_after else ids + encode_prompt(loaded.tokenizer, " more" * 30))
    model = Scripted(scripts).eval().requires_grad_(False)
    return type(loaded)(model, loaded.tokenizer, loaded.device, loaded.settings), [
        [7] * (_APART * number + 1) for number in range(len(texts))
    ]


@pytest.mark.parametrize("pace", PACES)
def test_rows_stop_where_they_end(pace):
    """Each row stops by itself: at the marker, which is kept, or at end-of-sequence, which is not; else at the limit."""
    base, prompts = scripted([" Paris\nEND", " a WEEKEND away", " no marker", " on one line END", " é🙂\nEND"], eos_after={2})

    answers = generate(base, prompts, Decode(0, 30), batch_size=5, pace=pace)

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
