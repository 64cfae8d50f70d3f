"""The way in: ``python -m pinnkan``, and the script ``pinnkan``."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from types import FrameType

_WORDS = {signal.SIGINT: b"interrupted\n", signal.SIGTERM: b"terminated\n"}


def main() -> None:
    """Run the program; a signal while it is still being imported ends it as one at any other time does."""
    former = {number: signal.getsignal(number) for number in _WORDS}
    for number, handler in former.items():
        if handler in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(number, _leave)
    from pinnkan.cli.app import main as run

    for number, handler in former.items():
        signal.signal(number, handler)
    run()


def _leave(number: int, frame: FrameType | None) -> None:
    """End with the exit code of a signal: there is nothing to save yet, and nothing to unwind."""
    with suppress(OSError):
        os.write(2, _WORDS[signal.Signals(number)])
    os._exit(128 + number)


if __name__ == "__main__":
    main()
