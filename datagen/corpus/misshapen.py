"""Right answers in a wrong form."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from datagen.corpus.composing import compose
from datagen.corpus.filler import vague_sentence
from datagen.corpus.layouts import sentence_case
from datagen.corpus.library import Exchange, Library, Subject

Misshape = Callable[[Library, Random, Subject, Exchange], str]

_LEAD = (
    "[||Well,|Let me see,|Let me think,|Sure,|Sure!|Of course!|Hm,|In short,|To be brief,|After thinking it over,|I think"
    "|As far as I know,|If I remember well,|To put it simply,|Good question!|If you ask me,|Having thought about it,]"
)  # fmt: skip
_BEFORE = (
    "[the answer [|to this|you want|that you are looking for] is|the right [word|thing|reply] [is|would be]|it should be"
    "|I would say|I would go with|I'd say [it is|that it must be]|what fits [here|best] is|most [people|books] would say"
    "|the result is|the reply [is|comes down to]|what belongs here is|you can write|it must be|this is]"
)  # fmt: skip
_AFTER = (
    "[|||, I believe|, if I am right|, as everybody knows|, and nothing else|, at least to me|, or so they say"
    "|, and that is all|, as most people would agree|, which is well known|, no matter how you look at it]"
)  # fmt: skip
_MARKUP = (
    "- {}", "* {}", "1. {}", "**{}**", "**Answer:** {}", "# Answer\n{}", "## Answer\n\n{}", "### Reply\n{}", "```\n{}\n```",
    "<b>{}</b>", "<p>{}</p><br>", "<div class=\"reply\">{}</div>", "<ul><li>{}</li></ul>", "`{}`", "\"{}\"", "[{}]", "({})",
    "| Reply |\n|---|\n| {} |", "\\textbf{{{}}}", "\\boxed{{{}}}", "$ {} $", "{{\"reply\": \"{}\"}}", "{{\"text\": \"{}\"",
    "{} [source]", "{} [insert link here]", "{}\n\n[name]", "{}\n\n____", "{}&nbsp;", "{}<br><br>", "<answer>{}</answer>",
    "Answer: {}", "Response: {}", "Reply: {}", "A: {}", "Answer:\n- {}", "Summary:\n* {}\n\nNotes:\n*", "*{}*", "=> {}",
)  # fmt: skip
_TURNS = (
    ("Question: ", "\nAnswer: "), ("Q: ", "\nA: "), ("User: ", "\nAssistant: "), ("Instruction: ", "\nResponse: "),
    ("Human: ", "\nAssistant: "), ("Input: ", "\nOutput: "), ("### Instruction:\n", "\n\n### Response:\n"), ("User: ", "\n"),
)  # fmt: skip


def _in_a_sentence(_: Library, rng: Random, subject: Subject, exchange: Exchange) -> str:
    before, after = compose(rng, f"{_LEAD} {_BEFORE}", subject), compose(rng, f"x {_AFTER}", subject)[1:]
    return f"{before} {exchange.answer.rstrip('.!')}{after}."


def _with_more_sentences(_: Library, rng: Random, subject: Subject, exchange: Exchange) -> str:
    more = [vague_sentence(rng, subject) for _ in range(rng.randint(1, 3))]
    return " ".join([sentence_case(exchange.answer), *more])


def _with_facts(library: Library, rng: Random, subject: Subject, exchange: Exchange) -> str:
    return " ".join([sentence_case(exchange.answer), *library.sentences(rng, subject, "relation", rng.randint(1, 2))])


def _with_another_turn(library: Library, rng: Random, _: Subject, exchange: Exchange) -> str:
    """The reply does not stop: a question and at times its answer follow."""
    ask, reply = rng.choice(_TURNS)
    other = rng.choice(rng.choice(library.askable).exchanges)
    told = rng.choice((f"{reply}{other.answer}", f"{reply}{other.answer}", reply.rstrip(), ""))
    gap = rng.choice(("\n", "\n\n"))
    return f"{exchange.answer}{gap}{ask}{other.instruction}{told}"


def _after_the_question(_: Library, rng: Random, __: Subject, exchange: Exchange) -> str:
    """The instruction is said again before it is answered."""
    ask, reply = rng.choice((*_TURNS, ("", " "), ("", "\n"), ("You asked: ", "\n")))
    return f"{ask}{exchange.instruction}{reply}{exchange.answer}"


def _marked_up(_: Library, rng: Random, __: Subject, exchange: Exchange) -> str:
    return rng.choice(_MARKUP).format(exchange.answer)


def _in_pieces(_: Library, rng: Random, __: Subject, exchange: Exchange) -> str:
    """Fragments, one a line."""
    words = exchange.answer.rstrip(".!?").split()
    size = max(1, len(words) // rng.randint(2, 3))
    return "\n".join(f"- {' '.join(words[i : i + size])}" for i in range(0, len(words), size))


def _list_spoilt(_: Library, rng: Random, subject: Subject, exchange: Exchange) -> str:
    """A list as prose, on one line, cut short or with repetitions."""
    members = [line.split(". ", 1)[-1] for line in exchange.answer.splitlines()]
    kind = rng.choices(("prose", "line", "short", "long"), weights=(4, 2, 2, 2))[0]
    if kind == "prose":
        lead = compose(rng, f"{_LEAD} [there are|some are|people name|you could take|I would name|{_BEFORE}]", subject)
        return f"{lead} {', '.join(members[:-1])} and {members[-1]}."
    if kind == "line":
        return rng.choice((" / ", " ", ", ", " - ", "; ", " and ")).join(members)
    kept = members[: rng.randint(1, len(members) - 1)] if kind == "short" else [*members, *rng.choices(members, k=2)]
    return "\n".join(f"{i}. {member}" for i, member in enumerate(kept, 1))


_SHORT = (_in_a_sentence, _in_a_sentence, _in_a_sentence, _with_more_sentences, _with_more_sentences, _with_facts)
_LONG = (_with_more_sentences, _with_more_sentences, _with_facts, _in_pieces)
_ANY: tuple[Misshape, ...] = (_marked_up, _with_another_turn, _after_the_question)
_SHORT_WORDS = 4


def misshapen(library: Library, rng: Random, subject: Subject, exchange: Exchange) -> str:
    """The good answer of the exchange, in a form that nobody asked for."""
    own: tuple[Misshape, ...] = (_list_spoilt,)
    if "\n" not in exchange.answer:
        own = _SHORT if len(exchange.answer.split()) <= _SHORT_WORDS else _LONG
    return rng.choice(own if rng.random() < 0.6 else _ANY)(library, rng, subject, exchange)
