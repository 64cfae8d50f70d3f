"""The layout of a stored file: its kinds, its user block and the index of its arrays.

``FORMAT.md`` beside this file states the same for readers in other languages.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

# One flat dataset a dtype, named after it: an adapter of many small factors then pays HDF5's overhead
# (about 300 bytes a dataset) once and not for each factor.
DTYPES: dict[str, np.dtype[Any]] = {
    "float64": np.dtype("<f8"),
    "float32": np.dtype("<f4"),
    "int64": np.dtype("<i8"),
    "uint8": np.dtype("|u1"),
}
JSON_NAME = "json"
MAX_JSON_BYTES = 4 << 20
MAX_ARRAYS = 4096
MAX_DIMENSIONS = 8

USER_BLOCK_BYTES = 512
MAGIC = b"pinnkan store "
CONTAINER_VERSION = 1

_ARRAY_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\[\]-]{0,99}")


@dataclass(frozen=True)
class Kind:
    """What distinguishes one kind of file: its encoding, the version of it and the largest file."""

    encoding: str
    version: str
    max_bytes: int


@dataclass(frozen=True)
class Contents:
    """What the HDF5 part holds: encoding, its version, flat arrays by dtype name, JSON text."""

    encoding: str
    version: str
    flat: dict[str, Array]
    text: bytes


# A new kind of file is one row here.
KINDS = {
    "base": Kind("pinnkan-base", "1.0", 1 << 30),
    "adapter": Kind("pinnkan-adapter", "1.0", 1 << 30),
    "family": Kind("pinnkan-family", "1.0", 1 << 30),
    "checkpoint": Kind("pinnkan-checkpoint", "1.0", 1 << 30),
}


def user_block(body: bytes) -> bytes:
    """Return the 512 bytes that precede the HDF5 part: magic, version, its sha256 and size.

    Every byte of the block is a function of the body, so comparing the whole
    block covers every bit of the file.
    """
    text = (
        f"{MAGIC.decode()}{CONTAINER_VERSION}\n"
        f"sha256 {hashlib.sha256(body).hexdigest()}\n"
        f"bytes {len(body)}\n"
        f"HDF5 follows at byte {USER_BLOCK_BYTES}; layout: pinnkan/store/FORMAT.md\n"
    )
    return text.encode("ascii").ljust(USER_BLOCK_BYTES, b"\0")


def dtype_name(name: str, array: Array) -> str:
    """Return the name in ``DTYPES`` of an array's dtype, whatever its byte order.

    Raises:
        ValueError: If files hold no such dtype.
    """
    for word, dtype in DTYPES.items():
        if array.dtype.newbyteorder("<") == dtype:
            return word
    raise ValueError(f"array {name!r} has dtype {array.dtype}; a stored array is one of {', '.join(DTYPES)}")


def pack(arrays: Mapping[str, Array]) -> tuple[dict[str, Array], dict[str, dict[str, Any]]]:
    """Lay arrays of equal dtype one behind the other.

    Args:
        arrays: Name to array of any shape (at most 8 axes).

    Returns:
        The flat little-endian arrays by dtype name, without empty ones, and
        the index: name to ``dtype``, ``start``, ``stop`` and ``shape``, in the
        order given.

    Raises:
        ValueError: If a name, a dtype or a number of axes cannot be stored.
    """
    pieces: dict[str, list[Array]] = {}
    ends = dict.fromkeys(DTYPES, 0)
    index: dict[str, dict[str, Any]] = {}
    if len(arrays) > MAX_ARRAYS:
        raise ValueError(f"a file holds at most {MAX_ARRAYS} arrays, got {len(arrays)}")
    for name, array in arrays.items():
        _check_name(name)
        if array.ndim > MAX_DIMENSIONS:
            raise ValueError(f"array {name!r} has {array.ndim} axes; at most {MAX_DIMENSIONS} are stored")
        kind = dtype_name(name, array)
        pieces.setdefault(kind, []).append(np.ravel(array).astype(DTYPES[kind], copy=False))
        start, ends[kind] = ends[kind], ends[kind] + array.size
        index[name] = {"dtype": kind, "start": start, "stop": ends[kind], "shape": list(array.shape)}
    return {kind: np.concatenate(pieces[kind]) for kind in pieces if ends[kind]}, index


def unpack(flat: Mapping[str, Array], index: object) -> dict[str, Array]:
    """Undo ``pack``, trusting nothing in the index.

    Raises:
        ValueError: If an entry is malformed, or if the entries do not tile
            each flat array without overlap and without holes.
    """
    if not isinstance(index, dict) or len(index) > MAX_ARRAYS:
        raise ValueError(f"the index of arrays must be an object of at most {MAX_ARRAYS} entries")
    entries = {name: _entry(name, raw) for name, raw in index.items()}
    for kind in DTYPES:
        spans = sorted((start, stop) for dtype, start, stop, _ in entries.values() if dtype == kind)
        edges = [0, *(stop for _, stop in spans)]
        size = flat[kind].size if kind in flat else 0
        if [start for start, _ in spans] != edges[:-1] or edges[-1] != size:
            raise ValueError(f"the arrays listed do not tile the {size} numbers of dataset {kind!r}")
    empty = {kind: np.empty(0, dtype) for kind, dtype in DTYPES.items()}
    return {
        # A copy in native byte order: arrays that own their memory and do not keep each other alive.
        name: flat.get(kind, empty[kind])[start:stop].reshape(shape).astype(DTYPES[kind].newbyteorder("="))
        for name, (kind, start, stop, shape) in entries.items()
    }


def _check_name(name: str) -> None:
    if not _ARRAY_NAME.fullmatch(name):
        raise ValueError(f"array name {name!r:.120} is not of letters, digits and _ . - [ ] (at most 100)")


def _entry(name: str, raw: object) -> tuple[str, int, int, tuple[int, ...]]:
    _check_name(name)
    if not isinstance(raw, dict):
        raise ValueError(f"the index entry of array {name!r} is not an object")
    kind, start, stop, shape = raw.get("dtype"), raw.get("start"), raw.get("stop"), raw.get("shape")
    if not isinstance(kind, str) or kind not in DTYPES:
        raise ValueError(f"array {name!r} names the unknown dtype {kind!r:.40}")
    if not isinstance(shape, list) or len(shape) > MAX_DIMENSIONS or not all(map(_is_count, shape)):
        raise ValueError(f"array {name!r} has the impossible shape {shape!r:.80}")
    if not (_is_count(start) and _is_count(stop)) or stop - start != math.prod(shape):
        raise ValueError(f"array {name!r} spans {start!r:.40} to {stop!r:.40}, which does not fit its shape")
    return kind, start, stop, tuple(shape)


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 40
