"""One answer as the criteria see it: everything they share is worked out once, when first looked at."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property

from compiler.records import Constraint, Kind
from evaluators.language import echo, filler, gibberish, grammar, lists, loops, markup, nonsense, request, scaffold, word_order
from evaluators.language.agreement import agrees
from evaluators.language.clauses import Discourse
from evaluators.language.limits import Limits, read_limits
from evaluators.language.marker import Marked, split_at_marker
from evaluators.language.placeholders import placeholders
from evaluators.language.sentences import sentences
from evaluators.language.stance import Asked, Stance, read_stance
from evaluators.language.text import counted_words, has_words, without_speech

_EMPHASIS = re.compile(r"\*\*|__|(?<!\w)[*_](?=\w)|(?<=\w)[*_](?!\w)|```\w*|`|^#{1,6}\s+|^>\s+", re.MULTILINE)

_EMPTY_BULLET = re.compile(r"\n\s*(?:[-*+•]|\d{1,2}[.)])\s*$")


@dataclass(frozen=True)
class AnswerView:
    """An instruction, what is known about good answers to it, and the raw response.

    `content` is what content criteria (4-9) may look at: the text before the first marker line. `prose` is the same without
    leaked tokens, tags and emphasis, which are a matter of structure alone.
    """

    instruction: str
    kind: Kind
    response: str
    hit_token_limit: bool
    answers: tuple[str, ...] | None = None
    constraint: Constraint | None = None

    @cached_property
    def marked(self) -> Marked:
        """The response taken apart at its first END marker."""
        return split_at_marker(self.response)

    @property
    def content(self) -> str:
        """The text before the first marker."""
        return self.marked.content

    @cached_property
    def prose(self) -> str:
        """The content as a reader would see it: no template tokens, tags, control characters, emphasis or code signs."""
        text = self.content
        for token in {*scaffold.template_tokens(text), *markup.tags(text), *markup.control_characters(text)}:
            text = text.replace(token, " ")
        return _EMPTY_BULLET.sub("", _EMPHASIS.sub("", text)).strip()

    @cached_property
    def is_empty(self) -> bool:
        """Whether there is no letter or digit to judge; a symbol that is the reference answer is something."""
        return not has_words(self.prose) and not (self.prose and self.answers and self.prose in self.answers)

    @cached_property
    def discourse(self) -> Discourse:
        """The prose as words in clauses."""
        return Discourse(self.prose)

    @cached_property
    def sentences(self) -> tuple[str, ...]:
        """The sentences of the prose."""
        return sentences(self.prose)

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The words of the prose as a person counts them."""
        return counted_words(self.prose)

    @cached_property
    def request(self) -> request.Request:
        """The instruction, read."""
        return request.read_request(self.instruction)

    @cached_property
    def limits(self) -> Limits:
        """What the wording of the instruction says about length; the stem of a completion says nothing."""
        text = self.instruction
        return read_limits(
            text.replace(self.request.stem, " ") if self.kind == "completion" and self.request.stem != text else text
        )

    @property
    def wants_list(self) -> bool:
        """Whether several items are asked for, by constraint or by wording."""
        return (self.constraint is not None and self.constraint.type == "list") or self.limits.items is not None

    @property
    def wanted_items(self) -> int | None:
        """How many items are asked for; None where no number is given."""
        if self.constraint is not None and self.constraint.type == "list" and self.constraint.n is not None:
            return self.constraint.n
        return self.limits.items.most if self.limits.items is not None else None

    @cached_property
    def item_counts(self) -> set[int]:
        """How many different items the content may be said to list."""
        return lists.item_counts(_unemphasised(self.content), self.request.prose_items)

    @cached_property
    def labels(self) -> list[scaffold.Label]:
        """Prompt labels in the raw response."""
        return scaffold.prompt_labels(self.response)

    @cached_property
    def placeholders(self) -> list[str]:
        """Unfilled slots in the raw response."""
        return placeholders(self.response)

    @cached_property
    def gives_reference(self) -> bool | None:
        """Whether the content agrees with a reference answer; None without references."""
        if not self.answers:
            return None
        return not self.is_empty and (
            self.prose in self.answers
            or agrees(self.discourse, self.answers, self.request, is_list=self.wants_list, n=self.wanted_items)
        )

    @cached_property
    def stance(self) -> Stance:
        """Whether it answers, refuses, deflects or asks back."""
        prose = self.before_next_turn.prose
        spoken_for = sentences(prose if self.kind == "qa" else without_speech(prose))
        return read_stance(spoken_for, Asked(self.request, self.kind, self.gives_reference))

    @cached_property
    def before_next_turn(self) -> AnswerView:
        """The answer up to a leaked label or token that opens another turn: what follows answers something else."""
        ends = [label.start for label in self.labels if label.opens_turn]
        ends += [self.response.find(token) for token in scaffold.template_tokens(self.response)]
        end = min((place for place in ends if has_words(self.response[:place])), default=len(self.content))
        if end >= len(self.content) or "dialogue" in self.request.allows:
            return self
        return replace(self, response=self.response[:end], hit_token_limit=False)

    @cached_property
    def is_echo(self) -> bool:
        """Whether it only gives the question back."""
        return not self.gives_reference and echo.is_echo(self.prose, self.request)

    @cached_property
    def is_filler(self) -> bool:
        """Whether it says nothing in particular."""
        return not self.gives_reference and filler.is_filler(self.prose, self.request.subject)

    @cached_property
    def is_gibberish(self) -> bool:
        """Whether its letters make no words."""
        return not self.gives_reference and "spelling" not in self.request.allows and gibberish.is_gibberish(self.prose)

    @cached_property
    def is_looped(self) -> bool:
        """Whether words or phrases repeat in a row where nobody asked for it, and no answer is among them."""
        return not self.gives_reference and "repetition" not in self.request.allows and loops.has_phrase_loop(self.content)

    @cached_property
    def is_salad(self) -> bool:
        """Whether its words make no sentences, and no answer is among them."""
        return not self.gives_reference and (grammar.is_salad(self.prose) or self.is_disordered)

    @cached_property
    def is_nonsense(self) -> bool:
        """Whether a sentence can mean nothing, where nothing was to be made up."""
        return not self.request.invents and any(map(nonsense.is_nonsense, self.sentences))

    @cached_property
    def is_disordered(self) -> bool:
        """Whether the words of half the text or more stand in no order that language has."""
        if self.request.allows & {"transform", "foreign"}:
            return False
        disordered = [each for each in self.sentences if word_order.is_disordered(each)]
        return bool(disordered) and 2 * sum(len(counted_words(each)) for each in disordered) >= len(self.words)


def _unemphasised(text: str) -> str:
    return re.sub(r"\*\*|__|`", "", text)
