"""Units of measurement: their names, what they measure, and how much of the base unit they are."""

from __future__ import annotations

import math
from typing import NamedTuple


class Unit(NamedTuple):
    """A unit: `value * scale + offset` is the amount in the dimension's base unit."""

    dimension: str
    scale: float
    offset: float = 0.0


ANY_DEGREE = Unit("degree", 1.0)
"""Degrees of nothing in particular: they go with any temperature and any angle."""

_TABLE = """
length 1e-9: nm nanometre nanometer
length 1e-6: μm micrometre micrometer micron
length 0.001: mm millimetre millimeter
length 0.01: cm centimetre centimeter
length 0.1: dm decimetre decimeter
length 1: m metre meter
length 1000: km kilometre kilometer
length 0.0254: inch inche
length 0.3048: ft foot feet
length 0.9144: yd yard
length 1609.344: mi mile
length 1852: nautical_mile
length 149597870700: au astronomical_unit
length 9.4607e15: light-year light_year ly
mass 1e-6: mg milligram
mass 0.001: g gram gramme
mass 1: kg kilogram kilo kilogramme
mass 1000: t tonne metric_ton
mass 0.45359237: lb lbs pound
mass 0.028349523: oz ounce
time 0.001: ms millisecond
time 1: s sec second
time 60: min minute
time 3600: h hr hrs hour
time 86400: day
time 604800: week
time 2629746: month
time 31556952: year yr yrs
time 315569520: decade
time 3155695200: century centuries
speed 1: m/s metre_per_second meter_per_second
speed 1000: km/s kilometre_per_second kilometer_per_second
speed 0.2777777778: km/h kph kmh kilometre_per_hour kilometer_per_hour kilometre_an_hour kilometer_an_hour
speed 0.44704: mph mile_per_hour mile_an_hour mi/h
speed 1609.344: mile_per_second mi/s
speed 0.514444: knot kn
area 1: m^2 m2 square_metre square_meter
area 1e6: km^2 km2 square_kilometre square_kilometer sq_km
area 10000: ha hectare
area 4046.856: acre
area 2589988: square_mile sq_mi
volume 0.001: ml millilitre milliliter
volume 0.01: cl centilitre centiliter
volume 1: l litre liter
volume 1000: m^3 m3 cubic_metre cubic_meter
volume 3.785412: gallon
volume 0.473176: pint
volume 0.24: cup
share 1: % percent per_cent pct
frequency 1: hz hertz
energy 1: j joule
energy 1000: kj kilojoule
energy 4184: kcal kilocalorie calorie
power 1: w watt
power 1000: kw kilowatt
voltage 1: v volt
current 1: amp ampere
resistance 1: ohm
force 1: n newton
pressure 1: pa pascal
pressure 101325: atm atmosphere
data 1: bit
data 8: byte
usd 1: $ dollar usd us_dollar
usd 0.01: cent
euro 1: € euro eur
gbp 1: £ gbp
yen 1: ¥ yen jpy
"""
_TEMPERATURES = {
    Unit("temperature", 1.0): "°c c degree_celsius degree_c celsius degree_centigrade centigrade °celsius",
    Unit("temperature", 5 / 9, -160 / 9): "°f f degree_fahrenheit degree_f fahrenheit °fahrenheit",
    Unit("temperature", 1.0, -273.15): "k kelvin degree_kelvin",
    ANY_DEGREE: "degree deg °",
}


def _read() -> dict[str, Unit]:
    units: dict[str, Unit] = {}
    for line in _TABLE.strip().splitlines():
        head, _, names = line.partition(":")
        dimension, scale = head.split()
        units.update((name, Unit(dimension, float(scale))) for name in names.split())
    for unit, spellings in _TEMPERATURES.items():
        units.update((name, unit) for name in spellings.split())
    return units


UNITS = _read()
"""Unit by its folded, singular name; words of a longer name are joined by an underscore."""


def unit_of(words: str) -> Unit | None:
    """The unit of that name ("kilometres per second", "km/s"), or None."""
    name = "_".join(words.split())
    if name in UNITS:
        return UNITS[name]
    first, _, rest = name.partition("_")
    for candidate in (name.removesuffix("s"), first.removesuffix("s") + ("_" + rest if rest else "")):
        if candidate in UNITS:
            return UNITS[candidate]
    head, _, last = name.rpartition("_")
    return UNITS.get(f"{head}_{last.removesuffix('s')}") if head else None


def same_amount(first: float, unit: Unit | None, second: float, other: Unit | None) -> bool:
    """Whether two amounts agree. A missing unit goes with any; a percentage also with the fraction it stands for.

    The same unit (or none) asks for the same number; another unit of the same dimension for the same amount within 1%.
    """
    if unit is None or other is None or unit == other or _both_degrees(unit, other):
        share = (unit or other) == UNITS["%"] and (unit is None or other is None)
        return _equal(first, second) or (share and (_equal(first, second * 100) or _equal(first * 100, second)))
    if unit.dimension != other.dimension:
        return False
    return math.isclose(first * unit.scale + unit.offset, second * other.scale + other.offset, rel_tol=0.01)


def _both_degrees(unit: Unit, other: Unit) -> bool:
    return ANY_DEGREE in (unit, other) and {unit.dimension, other.dimension} <= {"degree", "temperature"}


def _equal(first: float, second: float) -> bool:
    return math.isclose(first, second, rel_tol=1e-6, abs_tol=1e-12)
