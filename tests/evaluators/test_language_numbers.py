"""Numbers, units and what agrees with a reference number."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluators.language.amounts import gives_amount, rival_amount
from evaluators.language.numbers import quantities, sole_quantity
from evaluators.language.units import same_amount, unit_of
from evaluators.language.wordlists import word_list

ONES = word_list(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
)
TENS = word_list("- - twenty thirty forty fifty sixty seventy eighty ninety")


def in_words(n):
    """An English number word, built the other way round."""
    if n < 20:
        return ONES[n]
    if n < 100:
        return TENS[n // 10] + ("-" + ONES[n % 10] if n % 10 else "")
    for size, name in ((1_000_000, "million"), (1_000, "thousand"), (100, "hundred")):
        if n >= size:
            rest = n % size
            link = " and " if size == 100 else " "
            return f"{in_words(n // size)} {name}" + (link + in_words(rest) if rest else "")
    raise AssertionError(n)


@given(st.integers(0, 999_999_999))
def test_digits_separators_and_words_are_one_number(n):
    """12345, 12,345 and "twelve thousand three hundred and forty-five"."""
    assert [quantity.value for text in (str(n), f"{n:,}", in_words(n)) for quantity in quantities(text)] == [n] * 3


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a dozen", [12]), ("two dozen eggs", [24]), ("half a dozen", [6]), ("-39 °C", [-39]), ("−39", [-39]), ("minus 39", [-39]),
        ("9 - 5 = 4", [9, 5, 4]), ("17+25=42", [17, 25, 42]), ("5-7", [5, 7]), ("1½ cups", [1.5]), ("¾", [0.75]), ("one half", [0.5]),
        ("three quarters", [0.75]), ("two and a half million", [2.5e6]), ("three point one four", [3.14]), ("3 x 10^8", [3e8]),
        ("3 × 10⁸ m/s", [3e8]), ("1e5", [1e5]), ("twenty-first", [21]), ("the 20th", [20]), ("nineteen forty-five", [1945]),
        ("$5.50", [5.5]), ("2.5 million people", [2.5e6]), ("H2O", []), ("6 CO2 + 6 H2O", [6, 6]), ("At 3:30 pm", []), ("no number", []),
        ("1 000 000", [1e6]), ("Answer:42", [42]), ("3k", [3000]), ("20%", [20]), ("1,2,3", [1, 2, 3]),
    ],
)  # fmt: skip
def test_numbers_are_read_as_written(text, values):
    """Signs, fractions, powers, ordinals; nothing inside words, no times of day."""
    assert [quantity.value for quantity in quantities(text)] == pytest.approx(values)


@pytest.mark.parametrize(
    ("text", "unit"),
    [("12 km", "km"), ("12km", "km"), ("5 kilometres per second", "km/s"), ("100 degrees Celsius", "°c"), ("100℃", "°c"), ("25 percent", "%"),
     ("50 km²", "km^2"), ("60 seconds", "s"), ("$5", "$"), ("7 legs", None), ("7 in a week", None)],
)  # fmt: skip
def test_a_unit_is_read_with_its_number(text, unit):
    """Symbols, names, plurals, several words; other nouns are no unit."""
    assert quantities(text)[0].unit == (None if unit is None else unit_of(unit))


@pytest.mark.parametrize(("text", "sole"), [("12", True), ("Twelve.", True), ("12 km", True), ("about 12", True), ("12 legs", True),
                                            ("There are 12", False), ("12 legs in all", False), ("12, 13", False), ("none", False)])  # fmt: skip
def test_a_number_stands_alone_or_not(text, sole):
    """A unit or one noun may follow."""
    assert (sole_quantity(text) is not None) == sole


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [("1 km", "1000 m", True), ("12 km", "12 miles", False), ("26.2 miles", "42.195 km", True), ("100 °C", "212 °F", True), ("100 degrees", "100 °C", True),
     ("100 degrees", "100 km", False), ("50%", "0.5", True), ("24 hours", "1 day", True), ("12", "12 km", True), ("12", "13", False), ("5 kg", "5 m", False)],
)  # fmt: skip
def test_amounts_agree_across_units(first, second, same):
    """A missing unit goes with any, another unit must give the same amount."""
    one, other = sole_quantity(first), sole_quantity(second)

    assert same_amount(one.value, one.unit, other.value, other.unit) is same
    assert same_amount(other.value, other.unit, one.value, one.unit) is same


@pytest.mark.parametrize(
    ("text", "reference", "instruction", "given"),
    [
        ("9 - 5 = 4", "4", "What is 9 - 5?", True),
        ("9 - 5 = 3", "5", "What is 9 - 5?", False),
        ("5 x 1 = 5", "5", "What is 5 x 1?", True),
        ("The sum of 2 and 2 is 4", "2", "What is 2 + 2?", False),
        ("5 to 7 days", "7", "How many days?", False),
        ("more than 7", "7", "How many days?", False),
        ("48 minutes", "48", "How many hours are there in two days?", False),
        ("about 42 km", "42.195 km", "How long is a marathon?", True),
        ("3", "3.14159", "What is pi?", False),
        ("3.14", "3.14159", "What is pi?", True),
        ("1946", "1945", "In what year?", False),
    ],
)
def test_the_answer_is_told_from_the_numbers_of_the_question(text, reference, instruction, given):
    """Operands, range ends, bounds and wrong units are not the answer; a rounded decimal is."""
    assert bool(gives_amount(text, reference, instruction)) is given


def test_another_amount_of_the_same_thing_is_a_rival():
    """Eight days are no seven; 24 hours are another matter."""
    question = "How many days are there in a week?"

    assert rival_amount("7 days. No, 8 days.", "7", question)
    assert not rival_amount("A week has seven days, and a day has 24 hours.", "7", question)
