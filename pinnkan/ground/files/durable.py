"""Whole files, durably: replaced at once or not at all."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from pinnkan.ground.errors import FileAccessError
from pinnkan.ground.files.leftovers import claim_temporary

# What file systems answer that cannot flush a folder; their renames are as durable as they get.
_FOLDER_SYNC_UNSUPPORTED = (errno.EINVAL, errno.ENOTSUP)

_PROBE_BYTES = 4096  # one block: an empty file fits on a full disk


def replace_file(path: Path, data: bytes, check: Callable[[Path], None] = lambda _: None) -> None:
    """Put data at a path so that, whatever happens, the old or the new file is there, complete.

    As `atomic_writer`; missing folders are made.

    Args:
        path: The final place.
        data: All bytes of the file.
        check: Called with the flushed temporary file; raises to call it off.

    Raises:
        FileAccessError: If the system refuses any step, naming path and cause.
    """
    with _replacing(path, check, make_folders=True) as (_, descriptor):
        _write_all(descriptor, data)


def replace_unsynced(path: Path, data: bytes) -> None:
    """Put data at a path that is whole or not at all, but not flushed: a power cut may take it.

    For what nobody needs after one, such as how far a training is: two flushes cost more than many a step.

    Raises:
        FileAccessError: If the system refuses any step, naming path and cause.
    """
    with _replacing(path, lambda _: None, make_folders=True, flushed=False) as (_, descriptor):
        _write_all(descriptor, data)


@contextmanager
def atomic_writer(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a file for binary writing that appears under its name only when it is complete.

    Written beside, flushed, renamed, folder flushed. Whatever ends the block early, an interruption
    included, leaves the old file as it was and no temporary one. A symbolic link keeps its place:
    the file that it points to is replaced.

    Args:
        path: The target, in a folder that exists.

    Yields:
        A buffered binary file, not yet under its final name.

    Raises:
        FileAccessError: If the system refuses (no such folder, no permission, disk full), or the
            target is not a regular file.
    """
    with (
        _replacing(Path(path), lambda _: None, make_folders=False) as (temporary, descriptor),
        open(temporary, "wb", opener=lambda *_: os.dup(descriptor)) as file,
    ):
        yield file


@contextmanager
def _replacing(
    path: Path, check: Callable[[Path], None], *, make_folders: bool, flushed: bool = True
) -> Iterator[tuple[Path, int]]:
    """Yield a temporary file and its descriptor; then flush, check, rename and flush the folder."""
    state = ""
    target = Path(os.path.realpath(path))
    try:
        _refuse_special(target)
        if make_folders:
            _make_folder(target.parent)
        # Opened first: a folder that cannot be flushed is found out while the old file is still in place.
        with _open_folder(target.parent) as folder:
            temporary, descriptor = claim_temporary(target)
            try:
                try:
                    yield temporary, descriptor
                    if flushed:
                        os.fsync(descriptor)
                    check(temporary)
                finally:
                    os.close(descriptor)
                os.replace(temporary, target)
            except BaseException:  # an interruption too; cleaned up after, then passed on
                with suppress(OSError):
                    os.unlink(temporary)
                raise
            state = "; the new file is in place, but a power cut may bring the old one back"
            if flushed:
                _sync_folder(folder)
    except OSError as error:
        raise FileAccessError(f"cannot write {path}: {error.strerror or error}{state}") from error


def _refuse_special(target: Path) -> None:
    """Refuse a directory, a device, a pipe or links in a circle: a rename over them would replace them."""
    if target.is_symlink():  # followed to its end, and still a link
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if target.exists() and not target.is_file():
        raise OSError(errno.EINVAL, "it is not a regular file")


def require_writable(path: str | os.PathLike[str]) -> None:
    """Refuse a path that cannot be written before hours of work go into what shall be written there.

    A small file is written beside it and removed again: asking for permissions is no proof (root has
    all of them, on a read-only file system or in /proc too). Folders made for that stay: another
    process, which makes the next file of the same folder, may have found them there.

    Raises:
        FileAccessError: If the system refuses, naming path and cause.
    """
    target = Path(os.path.realpath(path))
    try:
        _make_folder(target.parent)
        _refuse_special(target)
        temporary, descriptor = claim_temporary(target)
        try:
            try:
                _write_all(descriptor, bytes(_PROBE_BYTES))
            finally:
                os.close(descriptor)
        finally:
            os.unlink(temporary)
    except OSError as error:
        raise FileAccessError.of("write", path, error) from error


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _make_folder(folder: Path) -> None:
    if not folder.is_dir():
        if folder.exists():
            raise NotADirectoryError(errno.ENOTDIR, f"{folder} is not a directory")
        _make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        with _open_folder(folder.parent) as parent:
            _sync_folder(parent)


@contextmanager
def _open_folder(folder: Path) -> Iterator[int | None]:
    if sys.platform == "win32":  # no descriptor of a folder there
        yield None
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _sync_folder(folder: int | None) -> None:
    if folder is None:
        return
    try:
        os.fsync(folder)
    except OSError as error:
        if error.errno not in _FOLDER_SYNC_UNSUPPORTED:
            raise
