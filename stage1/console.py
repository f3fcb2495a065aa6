"""What a person sees while a plan runs: bars on a terminal, plain lines elsewhere. Everything goes to stderr."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from compiler.plan import Plan, Step
from stage1.runner import Outcome, one_line
from stage1.store import Artifact
from stage1.time_left import TimeLeft


class ConsoleObserver:
    """Shows progress with time left, failures when they happen, and a closing line."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress: Progress | None = None
        self._overall: TaskID | None = None
        self._current: TaskID | None = None
        self._total = self._done = 0
        self._left = TimeLeft([])
        self._started = 0.0

    def run_started(self, plan: Plan, to_do: Sequence[Step]) -> None:
        """Announce the plan and open the bars."""
        self._total, self._left = len(to_do), TimeLeft(list(to_do))
        self._console.print(
            f"[bold]{escape(plan.experiment)}[/bold]  plan {plan.fingerprint[:12]}  "
            f"{len(plan.steps)} steps: {len(plan.steps) - len(to_do)} reused, {len(to_do)} to do"
        )
        if to_do and self._console.is_terminal:
            self._open_bars()

    def step_started(self, step: Step) -> None:
        """Name the step in hand."""
        self._started = time.monotonic()
        if self._progress and self._current is not None:
            self._progress.reset(self._current, description=escape(step.id), total=None)
            self._show_time_left()

    def step_progress(self, step: Step, done: int, total: int) -> None:
        """Move the step's bar."""
        if self._progress and self._current is not None:
            self._progress.update(self._current, completed=done, total=total)
            self._show_time_left(done / total if total else 0.0)

    def step_finished(self, step: Step, artifact: Artifact, seconds: float) -> None:
        """Count the step and say what it took."""
        self._done += 1
        self._left.finished(step, seconds)
        left = _clock(self._left.seconds())
        line = f"[{self._done:>{len(str(self._total))}}/{self._total}] {step.id}  {seconds:.1f} s"
        self._console.print(escape(line if self._progress else f"{line}, {left} left"), highlight=False)
        if self._progress and self._overall is not None:
            self._progress.update(self._overall, completed=self._done)

    def step_failed(self, step: Step, error: Exception, log: Path) -> None:
        """Say at once what failed, why, and where to read more."""
        arm = f" (arm {step.arm}{f', seed {step.seed}' if step.seed is not None else ''})" if step.arm else ""
        self.say(f"[bold red]failed[/] {escape(step.id)}{escape(arm)}: {escape(one_line(error))}")
        self.say(f"       details in {escape(str(log))}")

    def artifact_damaged(self, step: Step, what: str, aside: Path) -> None:
        """Say what was damaged and that it is made again."""
        self.say(f"[yellow]damaged[/] {escape(step.id)}: {escape(what)}; moved to {escape(str(aside))}, making it again")

    def arm_ready(self, arm: str, seed: int | None) -> None:
        """The step lines say it already."""

    def run_finished(self, outcome: Outcome) -> None:
        """Close the bars and sum up."""
        if self._progress:
            self._progress.stop()
        counts = f"{len(outcome.ran)} steps run, {len(outcome.reused)} reused"
        if outcome.failed:
            counts += f", [bold red]{len(outcome.failed)} failed[/], {len(outcome.blocked)} not tried because of that"
        self.say(f"{counts}, {_clock(outcome.seconds)}")

    def say(self, text: str) -> None:
        """One line above the bars."""
        self._console.print(text, highlight=False, soft_wrap=True)

    def close(self) -> None:
        """Take the bars away, whatever happened."""
        if self._progress:
            self._progress.stop()

    def _open_bars(self) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TextColumn("{task.fields[left]}"),
        )
        self._progress = Progress(*columns, console=self._console, transient=True)
        self._current = self._progress.add_task("starting", total=None, left="")
        self._overall = self._progress.add_task("all steps", total=self._total, left="")
        self._progress.start()

    def _show_time_left(self, share: float = 0.0) -> None:
        if self._progress and self._overall is not None:
            self._progress.update(self._overall, left=f"{_clock(self._left.seconds(share))} left")


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
