"""Signals that ask a run to stop: the first one politely, the second one at once.

A handler that raised in the middle of a step would lose the state that the
loop can save between two steps; one that only set a flag would make Ctrl-C
useless while nothing looks at the flag. So: a flag while a loop is running
that looks at it, an exception otherwise and from the second signal on.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

Handler = Callable[[int, FrameType | None], None]


class Terminated(BaseException):
    """SIGTERM arrived; like KeyboardInterrupt, no ``except Exception`` may swallow it."""


def stop_at_once(number: int, frame: FrameType | None) -> None:
    """Raise the exception of a signal where the program stands.

    Raises:
        KeyboardInterrupt: For SIGINT.
        Terminated: For any other signal.
    """
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    raise Terminated


@contextmanager
def stop_requests(accept: Callable[[int], bool]) -> Iterator[None]:
    """Offer SIGINT and SIGTERM to ``accept``; stop at once where it declines.

    Args:
        accept: Takes the signal's number and returns whether a loop will see to it.
    """

    def handler(number: int, frame: FrameType | None) -> None:
        if not accept(number):
            stop_at_once(number, frame)
        # os.write and not print: the handler may have interrupted a print to the same stream,
        # and Python's buffered streams refuse to be re-entered.
        os.write(
            2, f"{signal.Signals(number).name}: stopping after this step; again to stop at once\n".encode()
        )

    with _handlers(handler):
        yield


@contextmanager
def _handlers(handler: Handler) -> Iterator[None]:
    """Install a handler for both signals, except one that the parent told us to ignore (nohup)."""
    numbers = [n for n in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(n) is not signal.SIG_IGN]
    former = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, previous in former.items():
            signal.signal(number, previous)
