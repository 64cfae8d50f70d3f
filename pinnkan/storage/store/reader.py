"""The guarded reader of stored files: the only way in."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pinnkan.ground.errors import DamagedFileError
from pinnkan.ground.files import read_file
from pinnkan.storage.store.document import decode_document
from pinnkan.storage.store.hashing import check_bytes
from pinnkan.storage.store.layout import KINDS, Array, Contents, unpack

_VERSION = re.compile(r"([0-9]{1,4})\.[0-9]{1,4}")
_MAX_BYTES = max(kind.max_bytes for kind in KINDS.values())


@dataclass(frozen=True)
class Stored:
    """What a file holds, verified.

    Attributes:
        kind: ``base``, ``adapter``, ``family`` or ``checkpoint``.
        version: Version of the encoding, ``major.minor``.
        arrays: Name to array, in the shape and dtype that was written.
        meta: The JSON object that was written.
        file_hash: The sha256 of the file's contents behind its user block.
        file_bytes: Size of the file.
    """

    kind: str
    version: str
    arrays: dict[str, Array]
    meta: dict[str, Any]
    file_hash: str
    file_bytes: int


def read_store(path: str | os.PathLike[str], *, kind: str | None = None) -> Stored:
    """Read a stored file that may be damaged, foreign or hostile.

    Size cap, checksum, then a walk that accepts exactly what the writer
    writes; libhdf5 sees bytes in memory, after the checksum, and no path.

    Args:
        path: The file.
        kind: The kind expected; None accepts every known one.

    Raises:
        DamagedFileError: If the file is not exactly what pinnkan writes, or of
            another kind; one line that names the file and the fault.
        UsageError: If there is no such file.
        FileAccessError: If the system refuses to read it.
    """
    from pinnkan.storage.store.hdf5 import parse_hdf5

    path = Path(path)
    data = read_file(path, KINDS[kind].max_bytes if kind else _MAX_BYTES)
    try:
        file_hash = check_bytes(data)
        contents = parse_hdf5(data)
        found = _kind_of(contents, kind)
        document = decode_document(contents.text)
        arrays = unpack(contents.flat, document.get("arrays"))
        meta = document.get("meta")
        if not isinstance(meta, dict):
            raise ValueError("the JSON text has no object 'meta'")
    # libhdf5 reports crafted metadata by nearly every exception there is (RuntimeError, KeyError, ...), so
    # everything that goes wrong between a file's bytes and its arrays is the file's fault.
    except Exception as error:
        raise DamagedFileError(f"{path}: {_one_line(error)}") from error
    return Stored(found, contents.version, arrays, meta, file_hash, len(data))


def verify(path: str | os.PathLike[str]) -> str:
    """Check a file's checksum without parsing it: fast, and enough against accidents.

    Returns:
        The file's hash, as in ``Stored.file_hash``.

    Raises:
        DamagedFileError: If the file is foreign, truncated or changed.
        UsageError: If there is no such file.
        FileAccessError: If the system refuses to read it.
    """
    path = Path(path)
    try:
        return check_bytes(read_file(path, _MAX_BYTES))
    except ValueError as error:
        raise DamagedFileError(f"{path}: {_one_line(error)}") from error


def _kind_of(contents: Contents, expected: str | None) -> str:
    found = next((name for name, kind in KINDS.items() if kind.encoding == contents.encoding), None)
    if found is None:
        raise ValueError(f"unknown encoding {contents.encoding!r}; a newer pinnkan may read it")
    if expected is not None and found != expected:
        raise ValueError(f"this is a file of kind {found!r}, expected {expected!r}")
    # A newer minor version only adds keys, which are ignored here; a newer major one means something else.
    version, known = _VERSION.fullmatch(contents.version), KINDS[found].version
    if version is None or version[1] != known.split(".")[0]:
        raise ValueError(
            f"encoding version {contents.version!r}, expected {known}; update pinnkan to read it"
        )
    return found


def _one_line(error: Exception) -> str:
    words = " ".join(str(error).split()) or type(error).__name__
    return "".join(letter if letter.isprintable() else "?" for letter in words)[:300]
