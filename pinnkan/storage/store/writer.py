"""The atomic writer of stored files: the only way out."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from pinnkan.ground.errors import DivergedError, FileAccessError, PinnkanError, UsageError
from pinnkan.ground.files import replace_file
from pinnkan.storage.store.document import check_json, encode_document
from pinnkan.storage.store.hashing import check_bytes
from pinnkan.storage.store.layout import KINDS, Array, Contents, pack, user_block
from pinnkan.storage.store.reader import read_store


def write_store(
    path: str | os.PathLike[str],
    kind: str,
    *,
    arrays: Mapping[str, Array],
    meta: Mapping[str, object],
) -> None:
    """Write a file that is whole, checked and flushed to disk when this returns.

    Until then the old file, if any, stands untouched; a kill at any moment
    leaves the old or the new file, never a mixture. Of several writers of one
    path the last wins. The same arguments give the same bytes.

    Args:
        path: The file; missing folders are made.
        kind: ``base``, ``adapter``, ``family`` or ``checkpoint``.
        arrays: Name to array; float64, float32, int64 or uint8, any shape.
        meta: A JSON object; floats must be finite (None for an unknown one).

    Raises:
        DivergedError: If an array holds a number that is not finite.
        FileAccessError: If the system refuses any step.
        UsageError: If the arrays exceed the largest file of the kind.
        ValueError: If a name, a dtype or a value of ``meta`` cannot be stored.
    """
    from pinnkan.storage.store.hdf5 import build_hdf5

    path = Path(path)
    _check_finite(path, arrays)
    check_json(dict(meta), "meta")
    total, most = sum(array.nbytes for array in arrays.values()), KINDS[kind].max_bytes
    if total > most - (8 << 20):  # room for the JSON text and HDF5's own
        raise UsageError(f"cannot write {path}: its arrays take {total} bytes, a file holds at most {most}")
    flat, index = pack(arrays)
    text = encode_document({"arrays": index, "meta": dict(meta)})
    body = build_hdf5(Contents(KINDS[kind].encoding, KINDS[kind].version, flat, text))
    data = user_block(body) + body

    def check(temporary: Path) -> None:
        _check_written(path, temporary, kind, check_bytes(data))

    replace_file(path, data, check)


def _check_finite(path: Path, arrays: Mapping[str, Array]) -> None:
    for name, array in arrays.items():
        wrong = int(np.count_nonzero(~np.isfinite(array))) if array.dtype.kind == "f" else 0
        if wrong:
            raise DivergedError(
                f"cannot write {path}: array {name!r} holds {wrong} numbers that are not finite"
            )


def _check_written(path: Path, temporary: Path, kind: str, expected_hash: str) -> None:
    """Read the temporary file back by the guarded reader, as whoever comes later will."""
    try:
        found = read_store(temporary, kind=kind).file_hash
    except PinnkanError as error:
        raise FileAccessError(f"cannot write {path}: the file reads back wrong ({error})") from error
    if found != expected_hash:
        raise FileAccessError(f"cannot write {path}: the file reads back with other contents")
