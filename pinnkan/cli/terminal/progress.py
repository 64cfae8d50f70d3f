"""Progress on stderr: a bar on a terminal, plain lines in a log, nothing with ``-q``."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from pinnkan.cli.terminal.displays import Bar, Display, Lines, Nothing
from pinnkan.ground.errors import UsageError
from pinnkan.ground.machine import crowding
from pinnkan.ground.progress import Observer, Outcome, StepReport, SweepReport
from pinnkan.ground.signals import insist


@contextmanager
def watching(*, quiet: bool, verbose: bool, first_word: str | None = None) -> Iterator[Observer]:
    """Give an observer for one command: the display that fits stderr.

    Args:
        quiet: Whether silence is asked for.
        verbose: Whether every step is shown.
        first_word: Noted before the first training that the observer is told of.

    Raises:
        UsageError: If both silence and every step are asked for.
    """
    if quiet and verbose:
        raise UsageError("-q and -v exclude each other")
    display = _display(quiet=quiet, verbose=verbose)
    try:
        yield _Watching(display, first_word)
    finally:
        display.close()


@contextmanager
def watching_training(
    *, quiet: bool, verbose: bool, threads: int | None, jobs: int | None = None
) -> Iterator[Observer]:
    """Give an observer for a command that trains: before the first training it says if the machine is busy.

    Args:
        quiet: Whether silence is asked for.
        verbose: Whether every step is shown.
        threads: Of one training, as ``--threads`` says.
        jobs: Trainings at a time, as ``--jobs`` says.

    Raises:
        UsageError: If both silence and every step are asked for.
    """
    crowded = crowding(threads and threads * (jobs or 1))  # now: later the load is our own
    with watching(quiet=quiet, verbose=verbose, first_word=crowded) as observer:
        yield observer


def note(text: str, *, quiet: bool) -> None:
    """Write one message to stderr, unless silence was asked for."""
    if not quiet:
        Lines(sys.stderr).note(text)


def _display(*, quiet: bool, verbose: bool) -> Display:
    if quiet:
        return Nothing()
    # TERM=dumb: an editor's shell buffer, which shows a bar's control codes as rubbish.
    if sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        return Bar(verbose=verbose)
    return Lines(sys.stderr, verbose=verbose, heartbeat=True)


class _Watching:
    """A display with a first word, where no signal gets lost: who trains on has not heard it."""

    def __init__(self, display: Display, first_word: str | None) -> None:
        self._display, self._first_word = display, first_word

    def begin(self, title: str, phase: str, total_steps: int) -> None:
        """See `Observer.begin`."""
        self._before()
        self._display.begin(title, phase, total_steps)

    def step(self, report: StepReport) -> None:
        """See `Observer.step`."""
        insist()
        self._display.step(report)

    def end(self, outcome: Outcome) -> None:
        """See `Observer.end`."""
        self._display.end(outcome)

    def sweep(self, report: SweepReport) -> None:
        """See `Observer.sweep`."""
        self._before()
        self._display.sweep(report)

    def note(self, text: str) -> None:
        """See `Observer.note`."""
        self._display.note(text)

    def _before(self) -> None:
        insist()
        word, self._first_word = self._first_word, None
        if word is not None:
            self._display.note(word)
