"""Whole files into memory: regular ones only, none of which is read before its size is known to be fit."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from pinnkan.ground.errors import DamagedFileError, FileAccessError, UsageError, quote

_MOST_OF_KERNEL_FILE = 1024 * 1024


class _Refused(Exception):
    """Raised inside for a file that nobody should read, with what is wrong about it."""


def read_file(path: Path, max_bytes: int) -> bytes:
    """Read all bytes of a file that pinnkan wrote; a pipe or a device is refused and not waited for.

    Raises:
        UsageError: If there is no such file.
        DamagedFileError: If it is not a regular file or too large.
        FileAccessError: If the system refuses to read it.
    """
    try:
        return _read_regular(path, max_bytes)
    except _Refused as refusal:
        raise DamagedFileError(f"{path}: {refusal}, which no pinnkan file is") from None
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UsageError(f"no such file: {path}") from error
    except IsADirectoryError as error:
        raise UsageError(f"{path} is a directory, expected a file") from error
    except OSError as error:
        raise FileAccessError.of("read", path, error) from error


def read_data(path: Path, *, what: str, max_bytes: int) -> bytes:
    """Read all bytes of a file that the user names; a pipe or a device is refused and not waited for.

    Args:
        path: The file.
        what: What it holds, for messages: ``reference``, ``list of values``.
        max_bytes: The largest size that is read.

    Raises:
        UsageError: If it is not a regular file or too large, or the path is no file name.
        FileAccessError: If there is no such file or the system refuses to read it.
    """
    try:
        return _read_regular(path, max_bytes)
    except _Refused as refusal:
        raise UsageError(f"{what} {path}: {refusal}") from None
    except OSError as error:
        raise FileAccessError.of(f"read the {what}", path, error) from None
    except ValueError:  # a zero byte in the name
        raise UsageError(f"{what} {quote(str(path))}: not a file name") from None


def _read_regular(path: Path, max_bytes: int) -> bytes:
    with open(path, "rb", opener=_open_without_waiting) as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise _Refused("not a regular file")
        if status.st_size > max_bytes:
            raise _Refused(f"larger than {max_bytes} bytes")
        # A file of the kernel's (/proc) says 0 and holds something.
        return file.read(status.st_size or min(max_bytes, _MOST_OF_KERNEL_FILE))


def _open_without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
