"""NPZ archives: what their headers declare is judged before anything is unpacked.

An NPZ is a zip archive of NPY files. Either level can lie: a directory of ten million entries, an
entry that unpacks to terabytes, a header that declares a shape no memory holds, code in a pickle.
"""

from __future__ import annotations

import io
import math
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO

import numpy as np

from pinnkan.ground.arrays import FloatArray
from pinnkan.ground.datafiles.faults import DataFault
from pinnkan.ground.errors import quote

_MOST_NUMBERS = 1 << 25
_LARGEST_DIRECTORY = 1 << 20
_LONGEST_HEADER = 10_000
_END, _END_BYTES, _LONGEST_COMMENT = b"PK\x05\x06", 22, 65_535
_END_OF_ZIP64 = b"PK\x06\x07"
_KINDS = {"c": "complex numbers", "O": "Python objects", "U": "text", "S": "text", "V": "records"}
_COMPLEX_ADVICE = "; save real and imaginary part as two arrays"
# What NumPy writes. Others exist: one of them allots what its header asks for before it reads on.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# What zipfile, its decompressors and numpy raise over bytes that are no NPZ.
_BROKEN = (
    zipfile.BadZipFile, zlib.error, ValueError, KeyError, EOFError, OSError, NotImplementedError,
    RuntimeError, OverflowError, IndexError,
)  # fmt: skip
_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


class NpzArchive:
    """The arrays of an NPZ file by name; those that nobody asks for may hold anything.

    Args:
        content: All bytes of the file.

    Raises:
        DataFault: If it is no zip archive, or lists more arrays than a table has.
    """

    def __init__(self, content: bytes) -> None:
        if content.startswith(b"\x93NUMPY"):
            raise _fault("a single array (.npy); save the columns by name: np.savez(file, x=x, u=u)")
        _check_directory(content)
        with _as_fault("not an NPZ file"):
            self._zip = zipfile.ZipFile(io.BytesIO(content))
        entries = [info for info in self._zip.infolist() if info.filename.endswith(".npy")]
        self._entries = {info.filename.removesuffix(".npy"): info for info in entries}
        if len(self._entries) < len(entries):
            raise _fault("two arrays have the same name")
        if not entries:
            raise _fault("there is no array in it")
        self.names = tuple(self._entries)

    def columns(self, names: Sequence[str]) -> dict[str, FloatArray]:
        """Return the arrays of these names as columns of equal length, the last axis running fastest.

        Raises:
            DataFault: If one is damaged, encrypted, no array of real numbers, too large, or of another
                shape than the others.
        """
        shapes = {name: self._shape(name) for name in names}
        if sum(math.prod(shape) for shape in shapes.values()) > _MOST_NUMBERS:
            sizes = ", ".join(f"{name} {math.prod(shape):,}" for name, shape in shapes.items())
            raise _fault(f"declares more than {_MOST_NUMBERS:,} numbers ({sizes})")
        _check_shapes(shapes)
        return {name: self._numbers(name) for name in names}

    def _shape(self, name: str) -> tuple[int, ...]:
        """Return what an array's header declares, after a look at whether its bytes can hold that."""
        info = self._entries[name]
        what = f"array {quote(name)}"
        if info.flag_bits & 0x1:
            raise _fault(f"{what} is encrypted; save it without a password")
        if info.compress_type not in _METHODS:
            raise _fault(
                f"{what} is compressed by method {info.compress_type}, expected what np.savez writes"
            )
        with _as_fault(f"{what} cannot be read"), self._zip.open(info) as file:
            shape, dtype = _read_header(file)
            header = file.tell()
        if dtype.kind not in "biuf":
            advice = _COMPLEX_ADVICE if dtype.kind == "c" else ""
            raise _fault(f"{what} holds {_KINDS.get(dtype.kind, 'dates')}, expected real numbers{advice}")
        declared = math.prod(shape) * dtype.itemsize
        if min(shape, default=0) < 0 or declared != info.file_size - header:
            held = max(0, info.file_size - header)
            raise _fault(f"{what} declares the shape {shape}, {declared:,} bytes, and holds {held:,}")
        return shape

    def _numbers(self, name: str) -> FloatArray:
        what = f"array {quote(name)} cannot be read"
        with _as_fault(what), self._zip.open(self._entries[name]) as file:
            array = np.lib.format.read_array(file, allow_pickle=False, max_header_size=_LONGEST_HEADER)
            file.read()  # to the end, where zipfile compares the checksum
        # Extended precision beyond the range of doubles becomes infinite, which is judged later.
        with np.errstate(over="ignore"):
            return np.asarray(array, dtype=np.float64).ravel()


def _read_header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype]:
    try:
        version = np.lib.format.read_magic(file)
        shape, _, dtype = _HEADERS[version](file, max_header_size=_LONGEST_HEADER)
    # Python's parser, which NumPy reads headers with, has many ways to refuse what is none.
    except (ValueError, KeyError, TypeError, SyntaxError, RecursionError, MemoryError):
        raise ValueError("its header is not that of an NPY file, version 1 or 2") from None
    return shape, dtype


def _check_shapes(shapes: dict[str, tuple[int, ...]]) -> None:
    """Refuse arrays that do not belong together point by point; a list fits a grid of its length."""
    grids = {name: tuple(n for n in shape if n != 1) for name, shape in shapes.items()}
    if len({math.prod(shape) for shape in grids.values()}) > 1 or (
        len({shape for shape in grids.values() if len(shape) > 1}) > 1
    ):
        found = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise _fault(
            f"the arrays differ in shape: {found}; every coordinate needs an entry for every value "
            "(np.meshgrid(..., indexing='ij'))"
        )
    if any(math.prod(shape) == 0 for shape in grids.values()):
        raise _fault("the arrays are empty")


def _check_directory(content: bytes) -> None:
    """Refuse a directory that would fill the memory with its entries before zipfile looks at it."""
    start = content.rfind(_END, max(0, len(content) - _END_BYTES - _LONGEST_COMMENT))
    if start < 0:
        raise _fault("not an NPZ file: it does not end as a zip archive does")
    size = int.from_bytes(content[start + 12 : start + 16], "little")
    if size > _LARGEST_DIRECTORY or content[max(0, start - 20) :].startswith(_END_OF_ZIP64):
        raise _fault(f"not an NPZ file of columns: its directory is longer than {_LARGEST_DIRECTORY:,} bytes")


@contextmanager
def _as_fault(what: str) -> Iterator[None]:
    try:
        yield
    except _BROKEN as error:
        reason = str(error) or type(error).__name__
        raise _fault(f"{what}: {' '.join(reason.split())[:200]}") from None


def _fault(text: str) -> DataFault:
    return DataFault([(None, text)])
