"""The ways to show progress."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, TextIO

from pinnkan.cli.terminal.text import printable
from pinnkan.ground.progress import Outcome, StepReport, SweepReport

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

LINE_EVERY_S = 5.0
"""Least time between two lines of steps in a log."""
SILENCE_S = 9.0
"""Longest time without a line: who reads the log of a killed job sees where it was."""


class Display(ABC):
    """Something that shows phases and steps; ``close`` is called last, whatever happened."""

    @abstractmethod
    def begin(self, title: str, phase: str, total_steps: int) -> None:
        """Show that a phase begins."""

    @abstractmethod
    def step(self, report: StepReport) -> None:
        """Show where a phase stands."""

    @abstractmethod
    def end(self, outcome: Outcome) -> None:
        """Show why a phase ended."""

    @abstractmethod
    def sweep(self, report: SweepReport) -> None:
        """Show where a training of many values stands."""

    @abstractmethod
    def note(self, text: str) -> None:
        """Show one line."""

    @abstractmethod
    def close(self) -> None:
        """Leave the terminal as it was."""


class Nothing(Display):
    """``-q``."""

    def begin(self, title: str, phase: str, total_steps: int) -> None:
        """Show nothing."""

    def step(self, report: StepReport) -> None:
        """Show nothing."""

    def end(self, outcome: Outcome) -> None:
        """Show nothing."""

    def sweep(self, report: SweepReport) -> None:
        """Show nothing."""

    def note(self, text: str) -> None:
        """Show nothing."""

    def close(self) -> None:
        """Nothing to leave."""


class Lines(Display):
    """Plain lines: the first and the last step of a phase, and one every few seconds between them.

    Args:
        stream: Where the lines go; flushed after each.
        verbose: A line for every step.
        heartbeat: Say in a thread that work goes on when a step, or what comes
            before the first one, takes longer than ``SILENCE_S``.
    """

    def __init__(self, stream: TextIO, *, verbose: bool = False, heartbeat: bool = False) -> None:
        self._stream = stream
        self._verbose = verbose
        self._where = ""
        self._in_phase = False
        self._last_line = self._last_news = time.monotonic()
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True) if heartbeat else None
        if self._thread is not None:
            self._thread.start()

    def begin(self, title: str, phase: str, total_steps: int) -> None:
        """Name the phase, and from now on every line with it."""
        self._where, self._in_phase = f"{title}: {phase}", True
        self._say(f"{self._where}: up to {total_steps} steps")

    def step(self, report: StepReport) -> None:
        """Write a line if one is due."""
        self._last_news = time.monotonic()
        due = self._last_news - self._last_line >= LINE_EVERY_S
        if due or self._verbose or report.step in (1, report.total):
            self._say(
                f"{self._where}: step {report.step}/{report.total}  {report.seconds:.1f} s  {numbers(report)}"
            )

    def end(self, outcome: Outcome) -> None:
        """Write the reason and the advice."""
        self._in_phase = False
        self._say(f"{self._where}: {ending(outcome)}")

    def sweep(self, report: SweepReport) -> None:
        """Write a line if one is due: the last value's always."""
        self._last_news = time.monotonic()
        due = self._last_news - self._last_line >= LINE_EVERY_S or report.done == report.total
        if report.total > 1 and due:
            self._say(f"sweep: {standing(report)}")

    def note(self, text: str) -> None:
        """Write the line."""
        self._say(text)

    def close(self) -> None:
        """Stop the heartbeat."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join()

    def _say(self, text: str) -> None:
        with self._lock:
            self._last_line = self._last_news = time.monotonic()
            print(printable(text), file=self._stream, flush=True)

    def _beat(self) -> None:
        while not self._closed.wait(max(0.05, self._last_line + SILENCE_S - time.monotonic())):
            if time.monotonic() - self._last_line < SILENCE_S:
                continue
            news = self._last_news
            seconds = f"{time.monotonic() - news:.0f} s"
            # Steps belong to the phases of a training; there are none around them, nor in other commands.
            text = (
                f"{self._where}: {seconds} without a step" if self._in_phase else f"still working: {seconds}"
            )
            try:
                self._say(text)
            except OSError:
                return  # the log is gone; the main thread finds out at its next line
            self._last_news = news


class Bar(Display):
    """A bar that is replaced by one line when its phase ends."""

    def __init__(self, *, verbose: bool = False) -> None:
        from rich.console import Console

        self._console = Console(stderr=True, markup=False, highlight=False, soft_wrap=True)
        self._verbose = verbose
        self._where = ""
        self._progress: Progress | None = None
        self._steps: TaskID | None = None
        self._sweep: TaskID | None = None

    def begin(self, title: str, phase: str, total_steps: int) -> None:
        """Open a bar."""
        self._where = printable(f"{title}: {phase}")
        self._remove_steps()
        self._steps = self._bars().add_task(self._where, total=total_steps, numbers="")

    def step(self, report: StepReport) -> None:
        """Move the bar."""
        if self._progress is None or self._steps is None:
            return
        text = printable(numbers(report))
        self._progress.update(self._steps, completed=report.step, numbers=text)
        if self._verbose:
            self._progress.console.print(f"{self._where}: step {report.step}  {report.seconds:.1f} s  {text}")

    def end(self, outcome: Outcome) -> None:
        """Replace the bar by the reason and the advice."""
        self._remove_steps()
        if self._sweep is None:
            self.close()
        self.note(f"{self._where}: {ending(outcome)}")

    def sweep(self, report: SweepReport) -> None:
        """Move the bar of all values, which stays above that of a phase's steps."""
        if report.total < 2:
            return
        if self._sweep is None:
            self._sweep = self._bars().add_task("sweep", total=report.total, numbers="")
        if self._progress is not None:
            text = printable(standing(report))
            self._progress.update(self._sweep, completed=report.done, numbers=text)
        if report.done == report.total:
            self.close()

    def note(self, text: str) -> None:
        """Write a line, above the bar if there is one."""
        self._console.print(printable(text))

    def close(self) -> None:
        """Remove the bar."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = self._steps = self._sweep = None

    def _bars(self) -> Progress:
        """Return the bars, begun with the first of them."""
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
        from rich.table import Column

        if self._progress is None:
            # What a narrow terminal has no room for is cut from the numbers, not from the names.
            rest = Column(ratio=1, no_wrap=True, overflow="ellipsis")
            self._progress = Progress(
                TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True)),
                BarColumn(bar_width=20),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TextColumn("{task.fields[numbers]}", markup=False, table_column=rest),
                expand=True,
                console=self._console,
                transient=True,
                refresh_per_second=4,
            )
            self._progress.start()
        return self._progress

    def _remove_steps(self) -> None:
        """Take the bar of a phase away; an exception may have left one of the value before."""
        if self._progress is not None and self._steps is not None:
            self._progress.remove_task(self._steps)
        self._steps = None


def numbers(report: StepReport) -> str:
    """Write the numbers of a step, the most telling first: a narrow terminal cuts the rest."""
    parts = [f"loss {report.loss:.2e}"]
    if report.held_out is not None:
        parts.append(f"held-out {report.held_out:.2e}")
    if report.error is not None:
        parts.append(f"error {report.error:.2e}")
    parts += [f"{name} {value:.2e}" for name, value in report.terms.items()]
    return "  ".join([*parts, report.note] if report.note else parts)


def standing(report: SweepReport) -> str:
    """Write where a sweep stands: time left (narrow terminals cut the rest), how many are done, what runs."""
    parts = [f"{report.done} of {report.total} {report.what} done"]
    if report.failed:
        parts.append(f"{report.failed} failed")
    if report.seconds_left and report.done < report.total:
        parts.insert(0, f"about {duration(report.seconds_left)} left")
    return "; ".join([", ".join(parts), *report.running])


def duration(seconds: float) -> str:
    """Write a time as one would say it: ``40 s``, ``12 min``, ``3 h 20 min``."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"


def ending(outcome: Outcome) -> str:
    """Write why a phase ended."""
    plural = "" if outcome.steps == 1 else "s"
    return f"{outcome.reason.replace('_', ' ')} after {outcome.steps} step{plural}. {outcome.advice}".rstrip()
