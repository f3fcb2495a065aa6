"""An estimate as text."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.estimates.devices import GIB
from compiler.estimates.estimate import Estimate


def render_estimate(found: Estimate) -> str:
    """Kinds of steps with their work, the total with its error, and what helps where it does not fit."""
    return "\n".join(_lines(found))


def _lines(found: Estimate) -> Iterator[str]:
    has, weights = found.device.memory / GIB, found.shape.parameters / 1e9
    yield f"estimate for {found.device.name} ({has:.0f} GiB), {weights:.3g} billion weights"
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
    cost = ""
    if found.cost is not None and found.price is not None:
        cost = f", {found.cost:,.2f} at {found.price:g} an hour"
        cost += f" ({found.cost / found.error:,.2f} to {found.cost * found.error:,.2f})"
    yield f"  in all about {duration(found.seconds)} (between {duration(low)} and {duration(high)}){cost}"
    yield f"  assumes {found.lengths.prompt:g} tokens a prompt and {found.lengths.answer:g} an answer; {_basis(found)}"
    if found.peak is not None and not found.fits:
        needs = f"needs about {found.peak.memory / GIB:.0f} GiB ({found.peak.id})"
        yield f"  {needs}, this device has {has:.0f}: {'; or '.join(found.remedies)}"


def _basis(found: Estimate) -> str:
    if found.calibrated:
        return f"times corrected by earlier runs for {', '.join(found.calibrated)}"
    return f"nothing was measured on this device yet, so times may be off by a factor of {found.error:.1f}"


def duration(seconds: float) -> str:
    """Seconds for people: `45 s`, `12 min`, `3.4 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
