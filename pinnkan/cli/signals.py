"""SIGTERM asks a command to stop: an exception where the program stands, as Python makes of Ctrl-C.

The step under way is abandoned. Nothing is lost by that: files appear whole or not at all, and
training hands its state on after every step, which the workflows save on the way out.
"""

from __future__ import annotations

import signal
from types import FrameType

from pinnkan.errors import Terminated


def stop_at_once(number: int, frame: FrameType | None) -> None:
    """Raise the exception of a signal where the program stands; a second one lets the first be served.

    Raises:
        Terminated: Always.
    """
    signal.signal(number, signal.SIG_IGN)
    raise Terminated
