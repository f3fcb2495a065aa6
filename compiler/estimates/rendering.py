"""An estimate as text."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from compiler.estimates.devices import GIB
from compiler.estimates.estimate import Estimate
from compiler.estimates.work import Lengths


def render_estimate(found: Estimate) -> str:
    """Kinds of steps with their work, the total with its error, and what helps where it does not fit."""
    return "\n".join(_lines(found))


def _lines(found: Estimate) -> Iterator[str]:
    has, weights = found.device.memory / GIB, found.shape.parameters / 1e9
    yield f"estimate for {found.device.name} ({has:.0f} GiB), {weights:.3g} billion weights"
    yield from _fit(found)
    yield f"  {'kind':<15}{'steps':>6}{'tokens':>12}{'updates':>9}{'FLOPs':>10}{'peak GiB':>10}{'time':>12}"
    for kind in dict.fromkeys(step.kind for step in found.steps):
        steps = [step for step in found.steps if step.kind == kind]
        tokens = sum(step.work.tokens_read + step.work.tokens_written for step in steps)
        updates, flops = sum(step.work.optimizer_steps for step in steps), sum(step.work.flops for step in steps)
        memory = max(step.memory for step in steps) / GIB
        time = duration(sum(step.seconds for step in steps))
        model = f"{tokens:>12,.0f}{updates or '':>9}{flops:>10.1e}{memory:>10.1f}" if flops else " " * 41
        yield f"  {kind:<15}{len(steps):>6}{model}{time:>12}"
    low, high = found.seconds / found.error, found.seconds * found.error
    yield from _wrapped(f"in all about {duration(found.seconds)} (between {duration(low)} and {duration(high)}){_cost(found)}")
    yield from _wrapped(f"error: {_basis(found)}")


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, 120, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)


def _fit(found: Estimate) -> Iterator[str]:
    """What does not fit, and the ways out."""
    if found.peak is None or found.fits:
        return
    needs, has = found.peak.memory / GIB, found.device.memory / GIB
    wanted = f"needs about {needs:.0f} GiB ({found.peak.id}), this device has {has:.0f}"
    yield from _wrapped(f"DOES NOT FIT: {wanted}: {'; or '.join(found.remedies)}")


def _cost(found: Estimate) -> str:
    if found.cost is None or found.price is None:
        return ""
    low, high = found.cost / found.error, found.cost * found.error
    return f", price {found.cost:,.2f} at {found.price:g} an hour (between {low:,.2f} and {high:,.2f})"


def _basis(found: Estimate) -> str:
    measured = found.lengths != Lengths()
    lengths = f"{found.lengths.prompt:.0f} tokens a prompt and {found.lengths.answer:.0f} an answer"
    told = f"{lengths} {'as measured' if measured else 'assumed'}; "
    if not found.calibrated:
        return f"{told}nothing recorded on this device, so times may be off by a factor of {found.error:.1f}"
    kinds = ", ".join(found.calibrated)
    return f"{told}times corrected by what runs recorded for {kinds}; right within a factor of {found.error:.1f}"


def duration(seconds: float) -> str:
    """Seconds for people: `45 s`, `12 min`, `3.4 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
