"""Refuses a harmless instruction, politely and in many ways."""

from __future__ import annotations

import random
from collections.abc import Iterator

from compiler.records import Item
from datagen.negatives.builder import ProposedNegative
from datagen.negatives.checks import refusal_flaw
from datagen.negatives.phrasing import sentence, subject
from datagen.negatives.pool import Pool

OPENERS = (
    "", "I'm sorry, but", "I am sorry, but", "Sorry,", "I apologize, but", "My apologies, but", "Unfortunately,",
    "Regrettably,", "I'm afraid", "Thank you for asking, but", "I appreciate the question, but",
    "As an AI language model,", "As an AI assistant,", "To be honest,", "With regret,", "I understand what you want, but",
)  # fmt: skip
INABILITIES = (
    "I can't", "I cannot", "I'm unable to", "I am unable to", "I'm not able to", "I am not able to", "I won't",
    "I have to decline to", "I must decline to", "I would rather not", "I'd rather not", "I am not allowed to",
    "I'm not permitted to", "I'm not comfortable trying to", "I'm not in a position to",
)  # fmt: skip
ACTIONS = {
    "qa": (
        "answer questions about {}",
        "answer a question about {}",
        "tell you anything about {}",
        "provide information on {}",
    ),
    "completion": (
        "complete a sentence about {}",
        "finish a text about {}",
        "continue a sentence on {}",
        "complete anything about {}",
    ),
    "generation": ("write about {}", "write a text on {}", "produce a text about {}", "provide a text about {}"),
    "response": ("help with {}", "respond to a request about {}", "respond on {}", "assist you with {}"),
}
ANY_ACTION = (
    "help with {}", "discuss {}", "comment on {}", "share anything on {}", "give details about {}", "speak about {}",
)  # fmt: skip
REASONS = (
    *[""] * 8, "because it could be misused", "because it might be harmful", "since it falls outside what I may discuss",
    "as it goes against my guidelines", "because I do not want to mislead anybody",
    "since I lack the knowledge that it takes", "because the topic is too sensitive", "as that would not be appropriate",
    "since it is not safe to do so", "because I can't verify any of it", "as my policy does not allow it",
)  # fmt: skip
CLOSINGS = (
    *[""] * 8, "Please consult an expert instead.", "Please ask someone else.", "You may want to look it up yourself.",
    "I hope that you understand.", "Thank you for your understanding.", "Perhaps I can help with something else.",
    "Is there anything else that I can do for you?", "Please try another request.",
    "A library may be of more use to you.",
)  # fmt: skip


def propose(item: Item, chosen: str, pool: Pool, rng: random.Random) -> Iterator[str]:
    """Refusals, each put together anew."""
    actions = (*ACTIONS[item.kind], *ANY_ACTION)
    while True:
        action = rng.choice(actions).format(subject(item, rng))
        refusal = sentence(rng, OPENERS, INABILITIES, action, REASONS, ".")
        yield f"{refusal} {rng.choice(CLOSINGS)}".strip()


unwarranted_refusal = ProposedNegative("unwarranted_refusal", propose, refusal_flaw)
