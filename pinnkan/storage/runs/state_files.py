"""Small JSON files beside a result: that its training runs, and that it failed.

Whoever looks at a run directory learns from them what no result says yet. They
are news, not results: one that cannot be written or read costs no training.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar, get_args

from pinnkan.ground.errors import FileAccessError, PinnkanError, RemoteError
from pinnkan.ground.files import host_name, may_be_written_by, read_file, replace_file, replace_unsynced
from pinnkan.storage.runs.identity import Identity
from pinnkan.storage.runs.paths import WorkFile, work_path, work_stems
from pinnkan.storage.store.document import decode_document, encode_document

FRESH_S = 30.0
"""A state file that was not renewed for so long belongs to no running training."""
_RENEW_S = 5.0
_REWRITE_S = 2.0
_MOST_BYTES = 1 << 16
_LONGEST_MESSAGE = 4000

_Record = TypeVar("_Record")


@dataclass(frozen=True)
class State:
    """Where a running training stands.

    Attributes:
        pid: Its process.
        host: The machine of that process.
        started: When, ISO 8601.
        title: What is trained.
        phase: Of the training; empty before the first.
        step: Steps done in this phase.
        total: Most steps of this phase.
    """

    pid: int
    host: str
    started: str
    title: str
    phase: str = ""
    step: int = 0
    total: int = 0


@dataclass(frozen=True)
class Failure:
    """What came of a training that failed.

    Attributes:
        settings_hash: Of what was asked for.
        written: When, ISO 8601.
        error: Name of the fault's class.
        exit_code: Of the fault.
        message: Of the fault.
    """

    settings_hash: str
    written: str
    error: str
    exit_code: int
    message: str


class StateFile:
    """The state file of a training in this process; `running` makes and removes it."""

    def __init__(self, path: Path, state: State) -> None:
        self._path = path
        self._state = asdict(state)
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._written_s = 0.0
        self._changed = True

    def update(self, phase: str, step: int, total: int) -> None:
        """Note the step that is done; written at most every two seconds, then or by the next renewal."""
        with self._lock:
            self._state |= {"phase": phase, "step": step, "total": total}
            self._changed = True
            if time.monotonic() - self._written_s >= _REWRITE_S:
                with suppress(FileAccessError):
                    self.write()

    def write(self) -> None:
        """Write the state as it is.

        Raises:
            FileAccessError: If the system refuses.
        """
        replace_unsynced(self._path, encode_document(self._state))
        self._written_s, self._changed = time.monotonic(), False

    def renew(self) -> None:
        """Keep the file young until the training ends: a single step may take minutes."""
        while not self._ended.wait(_RENEW_S):
            with self._lock, suppress(FileAccessError, OSError):
                if self._changed or not self._path.exists():
                    self.write()
                else:
                    os.utime(self._path)

    def end(self) -> None:
        """Stop the renewal."""
        self._ended.set()

    def remove(self) -> None:
        """Remove the file, unless another process that trains the same has taken it over."""
        with suppress(OSError, PinnkanError):
            state = _read(self._path, State)
            if state is None or (state.pid, state.host) == (self._state["pid"], self._state["host"]):
                self._path.unlink(missing_ok=True)


@contextmanager
def running(path: Path, *, title: str) -> Iterator[StateFile]:
    """Say by a state file that a training runs, for as long as the block takes.

    Args:
        path: The file, ``work_path(directory, stem, "running.json")``.
        title: What is trained.

    Yields:
        The file, to be told of steps.

    Raises:
        FileAccessError: If the file cannot be written at the beginning; later that is ignored.
    """
    file = StateFile(path, State(os.getpid(), host_name(), _now(), title))
    thread = threading.Thread(target=file.renew, name="state file", daemon=True)
    try:
        file.write()
        thread.start()
        yield file
    finally:
        file.end()
        if thread.ident is not None:
            thread.join()
        file.remove()


def read_running(path: Path) -> State | None:
    """Return the state of a training that runs now; None if there is none, or its process is dead."""
    try:
        written_s = path.stat().st_mtime
    except OSError:
        return None
    if time.time() - written_s > FRESH_S:
        return None
    state = _read(path, State)
    if state is None or (state.host == host_name() and not may_be_written_by(state.pid, written_s)):
        return None
    return state


def at_work(directory: Path) -> dict[str, State]:
    """Return the trainings that run in a directory now, by the stems of their results."""
    stems = sorted(work_stems(directory, "running.json"))
    states = {stem: read_running(work_path(directory, stem, "running.json")) for stem in stems}
    return {stem: state for stem, state in states.items() if state is not None}


def record_failure(directory: Path, stem: str, identity: Identity, fault: PinnkanError) -> None:
    """Leave a record of a failed training; on a disk that refuses there is none, the fault matters more.

    Args:
        directory: The run directory.
        stem: Of the result's file.
        identity: What was asked for.
        fault: Why there is no result.
    """
    message = str(fault)[:_LONGEST_MESSAGE]
    kind = fault.kind if isinstance(fault, RemoteError) else type(fault).__name__
    failure = Failure(identity.hash, _now(), kind, fault.exit_code, message)
    with suppress(FileAccessError):
        path = work_path(directory, stem, "failed.json")
        replace_file(path, encode_document(asdict(failure)), lambda _: None)


def clear_failure(directory: Path, stem: str) -> None:
    """Remove the record of an earlier failure."""
    with suppress(OSError):
        work_path(directory, stem, "failed.json").unlink(missing_ok=True)


def clear_finished(directory: Path, stem: str) -> None:
    """Remove what a training killed at its very end left beside a result that is finished.

    What belongs to a training that runs now, again on purpose, stays.
    """
    if read_running(work_path(directory, stem, "running.json")) is None:
        for kind in get_args(WorkFile):
            with suppress(OSError):
                work_path(directory, stem, kind).unlink(missing_ok=True)


def read_failure(directory: Path, stem: str) -> Failure | None:
    """Return the record of a failed training; None if there is none, or it is not ours."""
    return _read(work_path(directory, stem, "failed.json"), Failure)


def _read(path: Path, kind: type[_Record]) -> _Record | None:
    """Read a record whose every key has the type that its class declares."""
    try:
        found = decode_document(read_file(path, _MOST_BYTES))
    except (PinnkanError, ValueError):
        return None
    declared: dict[str, Any] = {field.name: field.type for field in fields(kind)}  # type: ignore[arg-type]
    types = {"str": str, "int": int}
    if found.keys() != declared.keys() or not all(type(found[k]) is types[t] for k, t in declared.items()):
        return None
    return kind(**found)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
