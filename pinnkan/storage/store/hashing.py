"""Checksums: of arrays, by which an adapter names its base, and of whole files."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping

import numpy as np

from pinnkan.storage.store.layout import (
    CONTAINER_VERSION,
    DTYPES,
    MAGIC,
    USER_BLOCK_BYTES,
    Array,
    dtype_name,
    user_block,
)

_SIZE = re.compile(rb"\nbytes (\d{1,15})\n")
_ADVICE = "restore it from a copy or compute it again"


def hash_arrays(arrays: Mapping[str, Array]) -> str:
    """Return the sha256 of named arrays: names, dtypes, shapes and every bit of the values.

    The same on every machine (values are hashed little-endian, in C order) and
    for every order of the names.

    Args:
        arrays: Name to array; float64, float32, int64 or uint8.

    Returns:
        64 hexadecimal digits.

    Raises:
        ValueError: If an array has another dtype.
    """
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = arrays[name]
        kind = dtype_name(name, array)
        # The JSON of name, dtype and shape ends where its list ends, so no two inputs share a byte stream.
        digest.update(json.dumps([name, kind, list(array.shape)]).encode())
        digest.update(np.ravel(array).astype(DTYPES[kind], copy=False).tobytes())
    return digest.hexdigest()


def check_bytes(data: bytes) -> str:
    """Compare a file's user block with its contents; libhdf5 sees nothing of a file that fails.

    Returns:
        The sha256 of the contents, 64 hexadecimal digits: the file's hash.

    Raises:
        ValueError: If the file is foreign, of another version, truncated or
            changed; the message says which.
    """
    head, body = data[:USER_BLOCK_BYTES], data[USER_BLOCK_BYTES:]
    expected = user_block(body)
    if head == expected:
        return expected.split(maxsplit=5)[4].decode("ascii")
    if not head.startswith(MAGIC):
        raise ValueError(f"not a pinnkan file: it begins with {head[:16]!r}, expected {MAGIC!r}")
    version = head[len(MAGIC) :].split(b"\n")[0]
    if version.isdigit() and int(version[:9]) > CONTAINER_VERSION:
        found = version[:9].decode("ascii")
        raise ValueError(
            f"written in format {found}, expected {CONTAINER_VERSION}; update pinnkan to read it"
        )
    size = _SIZE.search(head)
    if size and int(size[1]) != len(body):
        raise ValueError(f"damaged: it holds {len(body)} of {int(size[1])} bytes of contents; {_ADVICE}")
    raise ValueError(f"damaged: its contents do not match its checksum; {_ADVICE}")
