"""Facts of the bank that can be worked out or cross-checked are worked out and cross-checked here."""

import calendar
import operator
import string

import pytest

from datagen.bank.arithmetic import is_prime, number_word, roman
from datagen.bank.relations import load_relations

OPERATIONS = {"plus": operator.add, "minus": operator.sub, "times": operator.mul, "divided by": operator.truediv}
FUNCTIONS = {
    "square": lambda n: n * n, "square_root": lambda n: n**0.5, "double": lambda n: 2 * n, "half": lambda n: n / 2,
    "successor": lambda n: n + 1,
}  # fmt: skip


def facts(name: str) -> dict[str, str]:
    """Entity -> canonical value of a relation."""
    (relation,) = (relation for relation in load_relations() if relation.name == name)
    return {fact.entity: fact.value for fact in relation.facts}


@pytest.mark.parametrize("name", ["sum", "difference", "product", "quotient"])
def test_operations(name):
    """Sums, differences, products and quotients are right, and the answer is none of the operands of a difference or quotient."""
    for entity, value in facts(name).items():
        word = next(word for word in OPERATIONS if word in entity)
        one, other = (int(operand) for operand in entity.split(word))

        assert OPERATIONS[word](one, other) == int(value)
        assert value not in entity.split()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name):
    """Squares, roots, doubles, halves and successors are right."""
    for entity, value in facts(name).items():
        assert FUNCTIONS[name](int(entity.split()[-1])) == int(value)


def test_properties_of_numbers():
    """Primes, even numbers and larger numbers are told right."""
    assert {int(n) for n, value in facts("prime").items() if value == "Yes"} == {2, 3, 5, 7, 11, 13, 17, 19, 23, 29}
    assert all((value == "even") == (int(n) % 2 == 0) for n, value in facts("parity").items())
    assert all(int(value) == max(map(int, pair.split(" or "))) for pair, value in facts("larger_number").items())


def test_larger_number_is_not_always_in_the_same_place():
    """Copying the first or the last number is no strategy."""
    last = [pair.endswith(value) for pair, value in facts("larger_number").items()]

    assert 0.3 <= sum(last) / len(last) <= 0.7


def test_notations_of_numbers():
    """Roman numerals and number words are those that everybody learns."""
    assert [roman(n) for n in (1, 4, 9, 14, 40, 49, 90, 99, 145)] == [
        "I",
        "IV",
        "IX",
        "XIV",
        "XL",
        "XLIX",
        "XC",
        "XCIX",
        "CXLV",
    ]
    assert [number_word(n) for n in (1, 13, 20, 21, 90, 99)] == [
        "one",
        "thirteen",
        "twenty",
        "twenty-one",
        "ninety",
        "ninety-nine",
    ]
    assert all(roman(int(n)) == value for n, value in facts("roman_numeral").items())
    assert all(number_word(int(value)) == word for word, value in facts("number_word").items())


def test_is_prime_knows_its_small_numbers():
    """Two and three are prime; squares of primes are not."""
    assert [n for n in range(2, 30) if is_prime(n)] == [2, 3, 5, 7, 11, 13, 17, 19, 23, 29]


def test_letters():
    """Letters are counted, first letters read and the alphabet continued without a mistake."""
    assert all(len(word) == int(value) for word, value in facts("letter_count").items())
    assert all(word[0].upper() == value for word, value in facts("first_letter").items())
    assert all(string.ascii_uppercase[string.ascii_uppercase.index(a) + 1] == b for a, b in facts("next_letter").items())
    assert {letter for letter, value in facts("vowel").items() if value == "Yes"} == set("AEIOU")


def test_calendar():
    """Months and days come in their order and have their lengths."""
    months, days = list(calendar.month_name)[1:], list(calendar.day_name)

    assert facts("month_after") == dict(zip(months, [*months[1:], months[0]], strict=True))
    assert facts("month_before") == {after: month for month, after in facts("month_after").items()}
    assert facts("day_after") == dict(zip(days, [*days[1:], days[0]], strict=True))
    assert facts("day_before") == {after: day for day, after in facts("day_after").items()}
    assert all(months.index(month) + 1 == int(value) for month, value in facts("month_number").items())
    assert all(calendar.monthrange(2023, months.index(m) + 1)[1] == int(value) for m, value in facts("days_in_month").items())


def test_holidays_are_days_of_the_year():
    """A holiday's date is a month and a day that this month has."""
    for value in facts("holiday_date").values():
        month, day = value.split()

        assert 1 <= int(day) <= calendar.monthrange(2024, list(calendar.month_name).index(month))[1]


def test_opposite_directions_face_each_other():
    """The opposite of the opposite is the direction itself."""
    directions = facts("direction")

    assert all(directions[value] == entity for entity, value in directions.items())


def test_plurals_follow_the_rules_unless_irregular():
    """A plural that is not a known irregular one ends in s."""
    irregular = {"children", "deer", "feet", "geese", "men", "mice", "oxen", "sheep", "teeth", "women"}

    assert {value for value in facts("plural").values() if not value.endswith("s")} == irregular


def test_no_fact_is_told_twice():
    """No two relations tell the same value of the same entity, but that a language is often named like its nation."""
    told = {}
    for relation in load_relations():
        for fact in relation.facts:
            told.setdefault((fact.entity.casefold(), fact.value.casefold()), []).append(relation.name)
    twice = [names for (_, value), names in told.items() if len(names) > 1 and value not in {"yes", "no", ""}]

    assert all(set(names) == {"language_of", "nationality"} for names in twice), twice


def test_yes_and_no_are_balanced():
    """Neither yes nor no is right in more than two thirds of a relation's questions."""
    for relation in load_relations():
        values = [fact.value for fact in relation.facts]
        if set(values) == {"Yes", "No"}:
            assert 1 / 3 <= values.count("Yes") / len(values) <= 2 / 3, relation.name
