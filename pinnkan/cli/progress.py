"""Progress on stderr: a bar on a terminal, plain lines in a log, nothing with ``-q``."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from pinnkan.cli.displays import Bar, Display, Lines, Nothing
from pinnkan.errors import UsageError
from pinnkan.progress import Observer


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
