"""Warm worker processes, one pipe each: a dead one costs the value it was at, and is replaced.

No queue or lock is shared between workers, so that one killed at any moment blocks nobody.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any

from pinnkan.ground.errors import StoppedError, Terminated, UnsavedError
from pinnkan.ground.signals import heed

STOP_WITHIN_S = 5.0
"""Time that workers get to save their states when asked to stop; then they are killed."""


@dataclass(frozen=True)
class Died:
    """What is left of a job whose worker died.

    Attributes:
        exit_code: Of the process; minus the number of the signal that killed it.
    """

    exit_code: int

    def __str__(self) -> str:
        if self.exit_code >= 0:
            return f"its worker process ended with exit code {self.exit_code}"
        return f"its worker process was killed by {signal.Signals(-self.exit_code).name}"


class Pool:
    """Processes that do jobs of one kind, started as jobs come and kept warm.

    Args:
        count: Most processes at a time.
        make: Called once in every process; returns what does a job. Picklable, like jobs and answers.
            When SIGTERM arrives, a job ends by Terminated, StoppedError or UnsavedError.
    """

    def __init__(self, count: int, make: Callable[[], Callable[[Any], Any]]) -> None:
        self._count, self._make = count, make
        # Fork would copy torch's thread pool in whatever state it is.
        self._context = multiprocessing.get_context("spawn")
        self._idle: list[_Worker] = []
        self._busy: dict[Any, _Worker] = {}

    @property
    def free(self) -> int:
        """Jobs that would start at once."""
        return self._count - len(self._busy)

    def submit(self, key: Any, job: Any) -> None:
        """Give a job to an idle worker, or to a new one."""
        worker = self._idle.pop() if self._idle else _Worker(self._context, self._make)
        self._busy[key] = worker
        try:
            worker.connection.send(job)
        except OSError:  # it died idle: `next` finds out
            return

    def next(self, timeout: float) -> tuple[Any, Any] | None:
        """Return key and answer (or `Died`) of a job that ended, None if none did within the time."""
        waiting: dict[Any, Any] = {}
        for key, worker in self._busy.items():
            waiting |= {worker.connection: key, worker.process.sentinel: key}
        ready = wait(list(waiting), timeout)
        if not ready:
            return None
        key = waiting[ready[0]]
        worker = self._busy.pop(key)
        try:
            # The answer of a worker that died right after sending it is in the pipe.
            if worker.connection.poll():
                answer = worker.connection.recv()
                self._idle.append(worker)
                return key, answer
        except (EOFError, OSError):
            pass
        worker.process.join()
        return key, Died(worker.process.exitcode or 0)

    def close(self) -> list[str]:
        """Ask all processes to end, and kill those that do not; return what any could not save or do."""
        workers, lost = [*self._idle, *self._busy.values()], []
        for worker in workers:
            worker.process.terminate()
        deadline = time.monotonic() + STOP_WITHIN_S
        for worker in workers:
            worker.process.join(max(0.0, deadline - time.monotonic()))
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
            lost += worker.last_words()
            worker.connection.close()
        self._idle, self._busy = [], {}
        return lost


class _Worker:
    """A process and our end of its pipe."""

    def __init__(self, context: Any, make: Callable[[], Callable[[Any], Any]]) -> None:
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, make), daemon=True)
        self.process.start()
        theirs.close()

    def last_words(self) -> list[str]:
        """Return why a process that was asked to end lost its state, and what failed right before."""
        said: list[Any] = []
        with suppress(EOFError, OSError):
            while self.connection.poll():
                said.append(self.connection.recv())
        faults = [answer if isinstance(answer, str) else getattr(answer, "fault", None) for answer in said]
        return [str(fault) for fault in faults if fault is not None]


def _serve(connection: Connection, make: Callable[[], Callable[[Any], Any]]) -> None:
    """Do jobs until asked to stop or the parent is gone."""
    # Ctrl-C goes to all processes of the terminal; the parent decides and sends SIGTERM.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The parent and whoever signals a whole group ask twice: the second must not break off the saving.
    heed(signal.SIGTERM)
    threading.Thread(target=_follow_parent, daemon=True).start()
    try:
        work = make()
        while True:
            connection.send(work(connection.recv()))
    except (Terminated, StoppedError) as end:
        if isinstance(end, UnsavedError):
            connection.send(str(end))
        os._exit(0)  # somebody waits: the interpreter's tidying up takes half a second
    except (EOFError, BrokenPipeError):
        return


def _follow_parent() -> None:
    """End with the parent, even a killed one: nobody would take the answers."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
