"""Write a file whole or not at all: beside its target first, then renamed over it."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from pinnkan.errors import FileAccessError


@contextlib.contextmanager
def atomic_writer(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a file for binary writing that appears under its name only when it is complete.

    The bytes go to ``.<name>.tmp.<host>.<pid>`` in the target's own directory
    (a rename is atomic only within one file system), are synced to the disk and
    renamed over the target; then the directory is synced. Whatever ends the
    block early, an interruption included, leaves the old target as it was.
    A symbolic link keeps its place: the file that it points to is replaced.

    Args:
        path: The target.

    Yields:
        A buffered binary file, not yet under its final name.

    Raises:
        FileAccessError: If the operating system refuses (no such directory, no
            permission, disk full), or the target is not a regular file.
    """
    try:
        target = Path(path).resolve()
        _refuse_special(target)
        temporary = target.with_name(f".{target.name}.tmp.{socket.gethostname()}.{os.getpid()}")
        # A leftover of this name is of a dead process with our number. Opening with
        # "x" never follows a link that somebody planted under it.
        temporary.unlink(missing_ok=True)
        file = temporary.open("xb")
    except OSError as error:
        raise FileAccessError.of("write", path, error) from error
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
        _sync_directory(target.parent)
    except OSError as error:
        raise FileAccessError.of("write", path, error) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _refuse_special(target: Path) -> None:
    """Refuse a directory, a device or a pipe: a rename over ``/dev/null`` would replace the device."""
    if target.is_dir():
        raise IsADirectoryError(0, "it is a directory")
    if target.exists() and not target.is_file():
        raise OSError(0, "it is not a regular file")


def _sync_directory(directory: Path) -> None:
    """Make the rename durable, where the system knows how.

    Some systems cannot open or sync a directory. The file is whole under its
    name by now, so that is no reason to report a failure.
    """
    with contextlib.suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
