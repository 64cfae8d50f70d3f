"""SIGINT and SIGTERM ask a process to stop: an exception where the program stands, and no way to lose it.

The step under way is abandoned. Nothing is lost by that: files appear whole or not at all, and
training hands its state on after every step, which the workflows save on the way out.

Python drops an exception that leaves a callback of C code (ctypes, a destructor), and a library may catch
everything: the program would go on as if nobody had asked. What is dropped arrives again a moment later, and
whatever is swallowed is raised again at the next step of a training, whichever comes first: not both.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import FrameType
from typing import Any

from pinnkan.ground.errors import Terminated

_AGAIN_AFTER_S = 0.05
_EXCEPTIONS: dict[int, type[BaseException]] = {signal.SIGINT: KeyboardInterrupt, signal.SIGTERM: Terminated}
_arrived: list[int] = []


class _Again:
    """How far a dropped exception has come again: ``sent`` by the timer, ``served`` by `insist`."""

    sent = False
    served = False


def stop_at_once(number: int, frame: FrameType | None) -> None:
    """Raise the exception of a signal where the program stands; a second SIGTERM lets the first be served.

    Raises:
        KeyboardInterrupt: For SIGINT.
        Terminated: For SIGTERM.
    """
    if _Again.sent:
        _Again.sent = False
        if _Again.served:  # while the program is on its way out already
            return
    _arrived.append(number)
    if number == signal.SIGTERM:
        signal.signal(number, signal.SIG_IGN)
    raise _EXCEPTIONS[number]


def heed(*numbers: int) -> None:
    """Let these signals stop this process, wherever it stands.

    Args:
        numbers: SIGINT, SIGTERM.
    """
    for number in numbers:
        signal.signal(number, stop_at_once)
    sys.unraisablehook = _unraisable


def insist() -> None:
    """Raise again what was swallowed: called where work goes on, which it does not after a signal.

    Raises:
        KeyboardInterrupt: If SIGINT arrived last.
        Terminated: If SIGTERM did.
    """
    if _arrived:
        _Again.served = True
        raise _EXCEPTIONS[_arrived[-1]]


def _unraisable(dropped: Any) -> None:
    """Send a signal again whose exception Python could raise no further; show any other one as always."""
    number = next((n for n, kind in _EXCEPTIONS.items() if issubclass(dropped.exc_type, kind)), None)
    if number is None:
        sys.__unraisablehook__(dropped)
        return
    signal.signal(number, stop_at_once)
    # Later, and outside the callback: raised here, it would be dropped once more.
    _Again.sent = _Again.served = False
    timer = threading.Timer(_AGAIN_AFTER_S, _send_again, (number,))
    timer.daemon = True
    timer.start()


def _send_again(number: int) -> None:
    if not _Again.served:
        _Again.sent = True
        os.kill(os.getpid(), number)
