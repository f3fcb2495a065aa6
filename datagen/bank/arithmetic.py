"""Relations about numbers: their facts are computed, not written down."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from datagen.bank.facts import Relation
from datagen.bank.schema import build_relation

Facts = dict[str, str]
Entry = dict[str, Any]

NUMBER = {"type": "number"}
ONE_WORD = {"type": "one_word"}
ONE_SENTENCE = {"type": "sentences", "n": 1}
YES_NO = {"type": "yes_no"}

ROMAN = ((100, "C"), (90, "XC"), (50, "L"), (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))
UNITS = ("", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
         "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")  # fmt: skip
TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")


def arithmetic_relations() -> Iterator[Relation]:
    """All relations about numbers."""
    for relation in (*_operations(), *_functions(), *_properties(), *_notations()):
        yield build_relation({"topic": "arithmetic", **relation}, f"arithmetic {relation['relation']}")


def roman(number: int) -> str:
    """The number, from 1 to 399, in Roman numerals."""
    text = ""
    for value, letters in ROMAN:
        text += letters * (number // value)
        number %= value
    return text


def number_word(number: int) -> str:
    """The number, from 1 to 99, in English words."""
    if number < len(UNITS):
        return UNITS[number]
    tens, units = divmod(number, 10)
    return "-".join(filter(None, (TENS[tens], UNITS[units])))


def is_prime(number: int) -> bool:
    """Whether a number from 2 on is prime."""
    return all(number % divisor for divisor in range(2, number))


def _operations() -> Iterator[Entry]:
    small = [(a, b) for a in range(2, 11) for b in range(a + 1, 11)]
    yield _operation(
        "sum", {f"{a} plus {b}": str(a + b) for a, b in small}, "Add up {entity} and tell me the total as a number."
    )
    yield _operation("difference", {f"{a} minus {b}": str(a - b) for a in range(7, 14) for b in range(2, 7) if a != 2 * b},
                     "Subtract: give {entity} as one number.")  # fmt: skip
    yield _operation("product", {f"{a} times {b}": str(a * b) for a, b in small}, "Multiply: give {entity} as one number.")
    yield _operation("quotient", {f"{a * b} divided by {a}": str(b) for a in range(2, 10) for b in (4, 6, 9) if a != b},
                     "Divide: give {entity} as one number.")  # fmt: skip


def _operation(name: str, facts: Facts, command: str) -> Entry:
    return {
        "relation": name,
        "phrasings": [
            {"kind": "qa", "text": "What does {entity} make?"},
            {"kind": "completion", "text": "Complete the sentence: In sums, {entity} is equal to"},
            {"kind": "response", "text": "Work out {entity}. Answer with a number only.", "constraint": NUMBER},
            {"kind": "generation", "text": "Write one sentence that says what {entity} is.", "constraint": ONE_SENTENCE,
             "good": "{entity} is {value}."},
            {"kind": "response", "text": command, "constraint": NUMBER},
        ],
        "statements": ["{entity} is {value}.", "{entity} makes {value}."],
        "facts": facts,
    }  # fmt: skip


def _functions() -> Iterator[Entry]:
    yield _function("square", "the square of {}", range(2, 14), lambda n: n * n)
    yield _function("square_root", "the square root of {}", [n * n for n in range(2, 13)], lambda n: round(n**0.5))
    yield _function("double", "the double of {}", range(6, 21), lambda n: 2 * n)
    yield _function("half", "half of {}", range(12, 42, 2), lambda n: n // 2)
    yield _function("successor", "the number right after {}", range(19, 80, 5), lambda n: n + 1)


def _function(name: str, entity: str, numbers: range | list[int], compute: Callable[[int], int]) -> Entry:
    return {
        "relation": name,
        "phrasings": [
            {"kind": "qa", "text": "How much is {entity}?"},
            {"kind": "completion", "text": "Complete with a number: We find that {entity} is", "constraint": NUMBER},
            {"kind": "response", "text": "Find {entity} and reply with only a number.", "constraint": NUMBER},
            {"kind": "generation", "text": "State {entity} in one sentence.", "constraint": ONE_SENTENCE,
             "good": "{entity} is {value}."},
        ],
        "statements": ["{entity} is {value}.", "{value} is {entity}."],
        "facts": {entity.format(number): str(compute(number)) for number in numbers},
    }  # fmt: skip


def _properties() -> Iterator[Entry]:
    yield {
        "relation": "prime",
        "phrasings": [
            {"kind": "qa", "text": "Is {entity} a prime number? Answer yes or no.", "constraint": YES_NO},
            {"kind": "response", "text": "With yes or no, say if {entity} is prime.", "constraint": YES_NO},
            {"kind": "completion", "text": "Is the number {entity} prime? The answer, yes or no, is", "constraint": YES_NO},
        ],
        "statements": ["The number {entity} is {not}prime.", "Is {entity} a prime number? {value}."],
        "facts": {str(number): "Yes" if is_prime(number) else "No" for number in (*range(2, 24), 25, 29)},
    }
    yield {
        "relation": "parity",
        "phrasings": [
            {"kind": "qa", "text": "Is {entity} an even or an odd number?"},
            {"kind": "completion", "text": "Complete with even or odd: The number {entity} is"},
            {"kind": "response", "text": "Even or odd? Say which {entity} is, in one word.", "constraint": ONE_WORD},
            {"kind": "generation", "text": "Write a sentence saying if {entity} is even or odd.", "constraint": ONE_SENTENCE,
             "good": "{entity} is {an_value} number."},
        ],
        "statements": ["{entity} is {an_value} number.", "The number {entity} is {value}."],
        "facts": {str(number): "odd" if number % 2 else "even" for number in range(14, 80, 3)},
    }  # fmt: skip
    pairs = [(a, a + gap if gap % 2 else a - gap) for a, gap in zip(range(21, 100, 6), range(3, 17), strict=True)]
    yield {
        "relation": "larger_number",
        "phrasings": [
            {"kind": "qa", "text": "Which is larger, {entity}?"},
            {
                "kind": "completion",
                "text": "Complete with a number: Of {entity}, the larger is",
                "constraint": NUMBER,
            },
            {"kind": "response", "text": "Take {entity}; reply with the larger number only.", "constraint": NUMBER},
        ],
        "statements": ["If you compare {entity}, {value} is the larger number."],
        "facts": {f"{a} or {b}": str(max(a, b)) for a, b in pairs},
    }


def _notations() -> Iterator[Entry]:
    yield {
        "relation": "roman_numeral",
        "phrasings": [
            {"kind": "qa", "text": "How did the Romans write the number {entity}?"},
            {"kind": "completion", "text": "Complete the sentence: As a Roman numeral, {entity} is written"},
            {"kind": "response", "text": "Convert {entity} to a Roman numeral."},
            {"kind": "generation", "text": "Write one sentence with {entity} as a Roman numeral.", "constraint": ONE_SENTENCE,
             "good": "As a Roman numeral, {entity} is {value}."},
        ],
        "statements": ["As a Roman numeral, {entity} is {value}.", "The Romans wrote {entity} as {value}."],
        "facts": {str(n): roman(n) for n in (3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 15, 16, 19, 20, 24, 30, 40, 50, 60, 90, 100)},
    }  # fmt: skip
    yield {
        "relation": "number_word",
        "phrasings": [
            {"kind": "qa", "text": 'Which number is "{entity}" in digits?', "constraint": NUMBER},
            {"kind": "completion", "text": 'Complete with digits: We write "{entity}" as', "constraint": NUMBER},
            {"kind": "response", "text": 'Turn the words "{entity}" into a number.', "constraint": NUMBER},
        ],
        "statements": ["In digits, {entity} is {value}.", "The number {entity} is written {value}."],
        "facts": {number_word(number): str(number) for number in range(11, 100, 5)},
    }
