"""Progress on stderr: a bar on a terminal, plain lines in a log, nothing with ``-q``."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from pinnkan.cli.displays import Bar, Display, Lines, Nothing
from pinnkan.errors import UsageError
from pinnkan.machine import crowding
from pinnkan.progress import Observer, Outcome, StepReport, SweepReport


@contextmanager
def watching(*, quiet: bool, verbose: bool) -> Iterator[Observer]:
    """Give an observer for one command: the display that fits stderr.

    Raises:
        UsageError: If both silence and every step are asked for.
    """
    if quiet and verbose:
        raise UsageError("-q and -v exclude each other")
    display = _display(quiet=quiet, verbose=verbose)
    try:
        yield display
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
    with watching(quiet=quiet, verbose=verbose) as observer:
        yield observer if crowded is None else _WithFirstWord(observer, crowded)


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


class _WithFirstWord:
    """An observer that notes something once, before the first training that it is told of."""

    def __init__(self, observer: Observer, word: str) -> None:
        self._observer = observer
        self._word: str | None = word

    def begin(self, title: str, phase: str, total_steps: int) -> None:
        """See `Observer.begin`."""
        self._say()
        self._observer.begin(title, phase, total_steps)

    def step(self, report: StepReport) -> None:
        """See `Observer.step`."""
        self._observer.step(report)

    def end(self, outcome: Outcome) -> None:
        """See `Observer.end`."""
        self._observer.end(outcome)

    def sweep(self, report: SweepReport) -> None:
        """See `Observer.sweep`."""
        self._say()
        self._observer.sweep(report)

    def note(self, text: str) -> None:
        """See `Observer.note`."""
        self._observer.note(text)

    def _say(self) -> None:
        word, self._word = self._word, None
        if word is not None:
            self._observer.note(word)
