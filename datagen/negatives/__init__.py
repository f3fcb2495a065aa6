"""The five types of negative answer, and the random one that they are measured against."""

from __future__ import annotations

from collections.abc import Mapping

from compiler.records import RejectedType
from datagen.negatives.builder import Attempt, NegativeBuilder
from datagen.negatives.format_violation import format_violation
from datagen.negatives.incorrect_factual import incorrect_factual
from datagen.negatives.off_topic import off_topic
from datagen.negatives.pool import Pool
from datagen.negatives.random_answer import random_answer
from datagen.negatives.unwarranted_refusal import unwarranted_refusal
from datagen.negatives.verbose_vague import verbose_vague

__all__ = ["BUILDERS", "Attempt", "NegativeBuilder", "Pool"]

BUILDERS: Mapping[RejectedType, NegativeBuilder] = {
    "unwarranted_refusal": unwarranted_refusal,
    "format_violation": format_violation,
    "incorrect_factual": incorrect_factual,
    "off_topic": off_topic,
    "verbose_vague": verbose_vague,
    "random": random_answer,
}
"""In the order in which types are listed everywhere."""
