"""What a person sees while a plan runs: bars on a terminal, plain lines elsewhere. Everything goes to stderr."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from compiler.plan import Plan, Step
from stage1.device_use import DeviceUse
from stage1.executors import CurveRow
from stage1.report.words import counted
from stage1.runner import Outcome
from stage1.steps.job import GATE
from stage1.store import Artifact
from stage1.time_left import TimeLeft

_LOOK_EVERY = 1.0  # seconds between looks at the device


class ConsoleObserver:
    """Shows progress with time left and device use, failures when they happen and again at the end."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress: Progress | None = None
        self._overall = TaskID(0)
        self._bars: dict[str, TaskID] = {}
        self._total = self._done = 0
        self._left = TimeLeft([])

    def run_started(self, plan: Plan, to_do: Sequence[Step]) -> None:
        """Announce the plan and open the bars."""
        self._plan, self._total, self._done, self._left = plan, len(to_do), 0, TimeLeft(to_do)
        self._console.print(
            f"[bold]{escape(plan.experiment)}[/bold]  plan {plan.fingerprint[:12]}  "
            f"{counted(len(plan.steps), 'step')}: {len(plan.steps) - len(to_do)} reused, {len(to_do)} to do"
        )
        if to_do and self._console.is_terminal:
            self._open_bars()

    def step_started(self, step: Step) -> None:
        """A bar for the step in hand."""
        self._left.progress(step, 0.0)
        if self._progress:
            self._bars[step.id] = self._progress.add_task(escape(step.id), total=None, told="")
            self._show_whole()

    def step_progress(self, step: Step, done: int, total: int) -> None:
        """Move the step's bar."""
        self._left.progress(step, done / total if total else 0.0)
        if self._progress and step.id in self._bars:
            self._progress.update(self._bars[step.id], completed=done, total=total)
            self._show_whole()

    def step_curves(self, step: Step, rows: Sequence[CurveRow]) -> None:
        """Curves are for the tracker."""

    def step_finished(self, step: Step, artifact: Artifact, seconds: float) -> None:
        """Count the step and say what it took."""
        self._over(step, seconds)
        line = f"{self._counted()} {step.id}  {seconds:.1f} s"
        self._console.print(escape(line if self._progress else f"{line}, {self._clock()} left"), highlight=False)
        if step.kind == "gate" and (closed := artifact.read_json(GATE)["closed"]):
            self.say(f"[yellow]gate[/] {escape(closed)}")

    def step_found(self, step: Step) -> None:
        """Count the step: another run has made it."""
        self._over(step, None)
        self._console.print(escape(f"{self._counted()} {step.id}  made by another run"), highlight=False)

    def step_noted(self, step: Step, text: str) -> None:
        """Say it."""
        self.say(f"[yellow]note[/] {escape(step.id)}: {escape(text)}")

    def step_waits(self, step: Step, why: str) -> None:
        """Say what is waited for."""
        self._close_bar(step)
        self.say(f"waiting {escape(step.id)}: {escape(why)}")

    def step_failed(self, step: Step, why: str, log: Path) -> None:
        """Say at once what failed, why, and where to read more."""
        self._over(step, None)
        self.say(f"[bold red]failed[/] {_named(step)}: {escape(why)}")
        self.say(f"       details in {escape(str(log))}")

    def artifact_damaged(self, step: Step, what: str, aside: Path | None) -> None:
        """Say what was damaged and that it is made again."""
        moved = f"; moved to {escape(str(aside))}" if aside else ""
        self.say(f"[yellow]damaged[/] {escape(step.id)}: {escape(what)}{moved}, making it again")

    def arm_ready(self, arm: str, seed: int | None) -> None:
        """The step lines say it already."""

    def run_finished(self, outcome: Outcome) -> None:
        """Close the bars and sum up, every failure once more."""
        self.close()
        if len(outcome.failed) > 1:
            self.say("[bold red]failed[/]")
            for step_id, why in outcome.failed.items():
                self.say(f"  {_named(self._plan.step(step_id))}: {escape(why)}  ({escape(str(outcome.logs[step_id]))})")
        counts = f"{counted(len(outcome.ran), 'step')} run, {len(outcome.reused)} reused"
        if outcome.failed:
            counts += f", [bold red]{len(outcome.failed)} failed[/], {len(outcome.blocked)} not tried because of that"
        self.say(f"{counts}, {clock(outcome.seconds)}")
        if outcome.failed and not outcome.stopped:
            self._say_what_is_missing(outcome)
        if outcome.stopped:
            self.say(f"[bold red]stopped[/] {escape(outcome.stopped)}")

    def _say_what_is_missing(self, outcome: Outcome) -> None:
        """Verdicts compare all arms, so that one that is missing takes them all: say which, and what to do."""
        gone = {*outcome.failed, *outcome.blocked}
        arms = list(dict.fromkeys(entry.arm for entry in self._plan.arms if entry.score in gone))
        if arms and self._plan.analyze in gone:
            be, them = ("is", "it") if len(arms) == 1 else ("are", "them")
            self.say(
                f"no verdicts: {escape(', '.join(arms))} {be} not complete. Mend that and run again, or take {them} and the "
                f"claims on {them} out of the spec; what is complete is reused"
            )

    def warned(self, text: str) -> None:
        """A line of plain text from beside the steps."""
        self.say(escape(text))

    def ended(self, why: str, then: str) -> None:
        """The last line of a run that came to no end of its own."""
        self.close()
        self.say(escape(f"{why}; {then}"))

    def say(self, text: str) -> None:
        """One line above the bars, with markup."""
        self._console.print(text, highlight=False, soft_wrap=True)

    def close(self) -> None:
        """Take the bars away, whatever happened."""
        if self._progress:
            self._progress.stop()
            self._progress = None

    def _over(self, step: Step, seconds: float | None) -> None:
        self._done += 1
        self._left.finished(step, seconds)
        self._close_bar(step)
        self._show_whole()

    def _counted(self) -> str:
        self._total = max(self._total, self._done)  # what was damaged is made beyond what was to do
        return f"[{self._done:>{len(str(self._total))}}/{self._total}]"

    def _clock(self) -> str:
        return clock(self._left.seconds())

    def _close_bar(self, step: Step) -> None:
        if self._progress and step.id in self._bars:
            self._progress.remove_task(self._bars.pop(step.id))

    def _open_bars(self) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TextColumn("{task.fields[told]}"),
        )
        self._device, self._looked, self._use = DeviceUse(), 0.0, ""
        self._progress = Progress(*columns, console=self._console, transient=True)
        self._overall = self._progress.add_task("all steps", total=self._total, told="")
        self._progress.start()

    def _show_whole(self) -> None:
        if not self._progress:
            return
        if time.monotonic() - self._looked > _LOOK_EVERY:
            self._looked, self._use = time.monotonic(), str(self._device)
        self._progress.update(self._overall, completed=self._done, told=f"{self._clock()} left, {self._use}")


def _named(step: Step) -> str:
    arm = f" (arm {step.arm}{f', seed {step.seed}' if step.seed is not None else ''})" if step.arm else ""
    return escape(f"{step.id}{arm}")


def clock(seconds: float) -> str:
    """A duration as people say it."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
