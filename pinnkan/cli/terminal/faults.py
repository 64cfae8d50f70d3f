"""From exceptions to messages and exit codes (the table of the README)."""

from __future__ import annotations

import functools
import os
import sys
import traceback
from collections.abc import Callable
from typing import Any, TextIO

import typer

from pinnkan.cli.terminal.text import printable
from pinnkan.ground.errors import BUG, FileAccessError, PinnkanError, ProblemError, Terminated, environmental

INTERRUPTED = 130
BROKEN_PIPE = 141  # 128 + SIGPIPE, as every Unix filter whose reader went away
TERMINATED = 143


def guarded(command: Callable[..., None]) -> Callable[..., None]:
    """Wrap a command so that whatever it raises becomes one message and an exit code."""

    @functools.wraps(command)
    def run(*args: Any, **options: Any) -> None:
        try:
            command(*args, **options)
            sys.stdout.flush()
        except typer.Exit:
            raise
        except BaseException as error:
            raise typer.Exit(report(error)) from None

    return run


def report(error: BaseException) -> int:
    """Write what a user should read about an exception to stderr and return the exit code."""
    code, message = _verdict(error)
    if isinstance(error, OSError) and not isinstance(error, PinnkanError):
        _give_up(sys.stdout)
    try:
        if code == BUG:
            traceback.print_exception(error, file=sys.stderr)
        if message:
            print(printable(message), file=sys.stderr, flush=True)
    except OSError:
        # stderr itself is gone or full: the exit code is all that is left to say.
        _give_up(sys.stderr)
    return code


def require_streams() -> None:
    """End with one line, where one can be written, if stdout or stderr is closed (``>&-``).

    Results would be lost, and the next file that is opened would get the stream's number: what a library
    prints would go into it.
    """
    closed = [name for name in ("stdout", "stderr") if getattr(sys, name) is None]
    if not closed:
        return
    if sys.stderr is not None:
        print(f"error: cannot write: {closed[0]} is closed", file=sys.stderr, flush=True)
    sys.exit(FileAccessError.exit_code)


def flush_results() -> int:
    """Push out what stdout still holds; a full disk or a closed pipe shows itself only here.

    Returns:
        0, or the exit code of the fault.
    """
    try:
        sys.stdout.flush()
    except OSError as error:
        return report(error)
    return 0


def _verdict(error: BaseException) -> tuple[int, str]:
    """Return exit code and message."""
    if isinstance(error, ProblemError):
        return error.exit_code, str(error)
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED, "interrupted"
    if isinstance(error, Terminated):
        return TERMINATED, "terminated"
    if isinstance(error, BrokenPipeError):
        return BROKEN_PIPE, ""
    fault = environmental(error)
    if fault is not None:
        return fault.exit_code, f"error: {fault}"
    return BUG, f"this is a bug in pinnkan ({type(error).__name__}); please report it with the lines above"


def _give_up(stream: TextIO) -> None:
    """Point a stream that refuses its text at the null device.

    The interpreter flushes the standard streams once more at its end; without
    this the text left in the buffer would fail again and change the exit code.
    """
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)
    except (OSError, ValueError):
        return
