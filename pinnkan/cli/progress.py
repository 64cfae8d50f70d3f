"""Progress on stderr: a bar on a terminal, plain lines in a log, nothing with ``-q``."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from pinnkan.cli.displays import Bar, Display, Lines, Nothing
from pinnkan.cli.signals import stop_requests
from pinnkan.errors import UsageError
from pinnkan.progress import Observer, Outcome, StepReport


class Watcher:
    """The observer that the workflows get: passes everything on and remembers a signal."""

    def __init__(self, display: Display) -> None:
        self._display = display
        self._in_loop = False
        self.stop_signal: int | None = None

    def accept_stop(self, number: int) -> bool:
        """Take the first signal that arrives while a loop is running; decline all others."""
        if not self._in_loop or self.stop_signal is not None:
            return False
        self.stop_signal = number
        return True

    def begin(self, title: str, phase: str, total_steps: int) -> None:
        """Announce a phase."""
        self._in_loop = True
        self._display.begin(title, phase, total_steps)

    def step(self, report: StepReport) -> None:
        """Show a step."""
        self._display.step(report)

    def end(self, outcome: Outcome) -> None:
        """Close a phase."""
        self._in_loop = False
        self._display.end(outcome)

    def note(self, text: str) -> None:
        """Say one line."""
        self._display.note(text)


@contextmanager
def watching(*, quiet: bool, verbose: bool) -> Iterator[Observer]:
    """Give an observer for one command, with the display that fits stderr and the signals.

    Raises:
        UsageError: If both silence and every step are asked for.
    """
    if quiet and verbose:
        raise UsageError("-q and -v exclude each other")
    display = _display(quiet=quiet, verbose=verbose)
    watcher = Watcher(display)
    try:
        with stop_requests(watcher.accept_stop):
            yield watcher
    finally:
        display.close()


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
