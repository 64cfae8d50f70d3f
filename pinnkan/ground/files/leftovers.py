"""Temporary files of writers: how they are named and claimed, and how those of dead writers go.

A writer killed between creating its file and renaming it leaves the file
behind. Its name says which process of which host wrote it, and the writer holds
an advisory lock on it, which the system drops with the process.
"""

from __future__ import annotations

import itertools
import os
import re
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path

if sys.platform != "win32":
    import fcntl

_COUNTER = itertools.count()
_STARTED_S = time.time()
_TEMPORARY = re.compile(r"\..+\.tmp\.(?P<host>[A-Za-z0-9-]+)\.(?P<pid>[0-9]{1,10})\.[0-9]+")


def claim_temporary(path: Path) -> tuple[Path, int]:
    """Create and lock a fresh file ``.<name>.tmp.<host>.<pid>.<n>`` beside a path.

    Always a new file (mode x): a stale one of an earlier process with our pid,
    or one of another thread, is stepped over by the counter n.

    Returns:
        The file and its descriptor, open for reading and writing.

    Raises:
        OSError: If the file cannot be created.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    while True:
        temporary = path.parent / f".{path.name}.tmp.{host_name()}.{os.getpid()}.{next(_COUNTER)}"
        with suppress(FileExistsError):
            descriptor = os.open(temporary, flags, 0o666)
            _lock(descriptor)
            return temporary, descriptor


def clean_leftovers(folder: str | os.PathLike[str]) -> tuple[Path, ...]:
    """Remove the temporary files in a folder whose writer is dead on this host.

    Files of live writers and of other hosts stay, and so does whatever cannot
    be removed: a leftover is harmless, and tidying up must not stop a command
    that only wants to read.

    Args:
        folder: The folder, not searched below; it may be missing.

    Returns:
        The files that were removed.
    """
    removed = []
    with suppress(OSError):
        for path in sorted(Path(folder).iterdir()):
            match = _TEMPORARY.fullmatch(path.name)
            if match and match["host"] == host_name() and _remove_if_dead(path, int(match["pid"])):
                removed.append(path)
    return tuple(removed)


def _remove_if_dead(path: Path, pid: int) -> bool:
    flags = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    with suppress(OSError):
        if may_be_written_by(pid, os.lstat(path).st_mtime):
            return False
        descriptor = os.open(path, flags)
        try:
            # A dead pid is not enough: in another pid namespace, or on another machine that bears the same
            # host name, the writer may live. Its lock tells.
            if not _lock(descriptor):
                return False
            path.unlink()
            return True
        finally:
            os.close(descriptor)
    return False


def may_be_written_by(pid: int, modified_s: float) -> bool:
    """Tell whether the process of this host that wrote a file, last at a time, may still live."""
    if pid == os.getpid():
        # Containers give every run the same pid: what is older than this process belongs to an earlier one.
        return modified_s >= _STARTED_S
    if sys.platform == "win32":
        return True  # os.kill would end the process there, so leftovers stay
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True  # somebody else's process: it lives
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    """Tell whether a process died unwaited for: in a container without init its pid stays for ever."""
    try:
        status = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return False
    return status.rpartition(b")")[2].split()[:1] == [b"Z"]


def _lock(descriptor: int) -> bool:
    """Try to lock; False only if another process holds the lock."""
    if sys.platform != "win32":
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            return True  # a file system without locks: the pid alone decides
    return True


def host_name() -> str:
    """Return the name of this host, in letters, digits and ``-``."""
    return re.sub("[^A-Za-z0-9-]", "-", socket.gethostname())[:64] or "host"
