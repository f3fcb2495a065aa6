"""The expected power of every claim as a small table: data for JSON, and text."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

from compiler.checks.method import Design
from compiler.checks.method.design import Comparison
from compiler.checks.method.power import Power, Question
from compiler.checks.method.sizes import needs, question, target
from compiler.diagnostics import counted

_WIDTH, _NAME = 120, 44
"""Columns of a line, and of a claim's name."""


@dataclass(frozen=True, slots=True)
class PowerRow:
    """What can be expected of one claim; fractions and counts."""

    claim: str
    test: str
    """The test that will be run, and what must agree with it."""
    effect: float
    """The smallest effect of interest, or the margin of sameness."""
    power: float
    error: float
    """Monte Carlo standard error of `power`."""
    simulations: int
    why: str
    """Why there is no power at all; else empty."""
    detectable: float | None
    """Smallest effect found with `target` at the planned size."""
    items: int | None
    """Items needed for `target` with `seeds` seeds; None where no reasonable number is enough."""
    seeds: int
    room: float | None = None
    """The largest effect that fits, where the one asked about does not."""


@dataclass(frozen=True, slots=True)
class PowerTable:
    """Expected power; rows in the order of the claims whose arms are fit to be compared."""

    rows: tuple[PowerRow, ...]
    target: float
    items: int
    seeds: int
    tests: int
    alpha: float
    correction: str
    source: str
    """What the simulation assumes, and where that comes from."""

    @property
    def weakest(self) -> PowerRow | None:
        """The claim with least power."""
        return min(self.rows, key=lambda row: row.power, default=None)


def power_table(design: Design) -> PowerTable:
    """The table of a design; without rows where nothing is known of power."""
    analysis, power = design.spec.analysis, design.power
    return PowerTable(
        rows=tuple(_row(design, power, comparison) for comparison in design.comparisons) if power is not None else (),
        target=target(design),
        items=design.spec.data.instructions.heldout,
        seeds=len(design.spec.seeds),
        tests=design.tests,
        alpha=analysis.alpha,
        correction=analysis.correction.primary,
        source=_source(design),
    )


def _row(design: Design, power: Power, comparison: Comparison) -> PowerRow:
    asked = question(design, comparison)
    chance, needed = power.chance(asked), needs(design, asked)
    return PowerRow(
        claim=comparison.name,
        test=_test(asked),
        effect=asked.effect,
        power=chance.power,
        error=chance.error,
        simulations=chance.simulations,
        why=chance.why,
        detectable=needed.detectable if needed is not None else None,
        items=needed.items if needed is not None else None,
        seeds=needed.seeds if needed is not None else asked.seeds,
        room=chance.room,
    )


def _test(asked: Question) -> str:
    """The test in a few words."""
    if asked.recipe:
        main = "crossed item x seed t" if any(asked.trained) else "t over items"
    else:
        main = "sign-flip" if asked.seeds > 1 and any(asked.trained) else "exact McNemar"
    return main + {"equivalent": ", TOST", "not_worse": ", non-inferiority"}.get(asked.expect, "")


def _source(design: Design) -> str:
    assumed = design.spec.analysis.assumptions
    if design.pilot is not None:
        return f"variances measured by {design.pilot.source}"
    items = f"{assumed.discordance:.0%} discordant" if assumed.discordance is not None else f"item sd {assumed.item_sd:g}"
    return (
        f"assumed: base rate {assumed.base_rate:.0%}, {items}, item x arm sd {assumed.item_arm_sd:g}, "
        f"seed noise {assumed.seed_sd * 100:g} points"
    )


def render_power(table: PowerTable, most: int = 16) -> list[str]:
    """The table as lines of text; claims beyond `most` are counted."""
    if not table.rows:
        return []
    corrected = f"{table.correction} over {counted(table.tests, 'test')}" if table.correction != "none" else "uncorrected"
    shown = table.rows[:most]
    width = min(max(len(row.claim) for row in shown), _NAME)
    head = f"{'claim':<{width}}  {f'at {shown[0].effect * 100:g} points':>12}  {'detectable':>11}  {'items x seeds':>13}  test"
    return [
        f"power by simulating the verdict: {counted(table.items, 'item')}, {counted(table.seeds, 'seed')}, {corrected}; "
        f"detectable and needed for power {table.target:.0%}",
        f"  {head}",
        *(f"  {shortened(row.claim, width):<{width}}  {_cells(row)}" for row in shown),
        *([f"  and {len(table.rows) - most} more: --verbose shows them"] if len(table.rows) > most else []),
        *_wrapped(_notes(table)),
    ]


def shortened(name: str, width: int) -> str:
    """A name cut to a width, the cut marked."""
    return name if len(name) <= width else f"{name[: width - 1]}…"


def _cells(row: PowerRow) -> str:
    power = f"{row.power * 100:.0f}% ± {row.error * 100:.1f}" if row.simulations else "none"
    detectable = f"{row.detectable * 100:g} points" if row.detectable is not None else "-"
    needed = f"{row.items} x {row.seeds}" if row.items is not None else "none enough" if row.room is None else "-"
    test = row.test if row.room is not None or not row.why else "no valid test"
    return f"{'no room' if row.room is not None else power:>12}  {detectable:>11}  {needed:>13}  {test}"


def _notes(table: PowerTable) -> list[str]:
    """What the numbers rest on, and why some are missing."""
    counts = sorted({row.simulations for row in table.rows if row.simulations})
    notes = [*dict.fromkeys(row.why for row in table.rows if row.why), table.source]
    if counts:
        told = f"{counts[0]:,}" if len(counts) == 1 else f"{counts[0]:,} to {counts[-1]:,}"
        notes.append(f"{told} simulated experiments a claim, ± their Monte Carlo error, no other claim taken to be true")
    return notes


def _wrapped(notes: list[str]) -> list[str]:
    return textwrap.wrap("; ".join(notes), _WIDTH, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False)
