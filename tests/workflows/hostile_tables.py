"""Data files that nobody should have written: what each holds, and what is said of it.

Every entry makes one file. The message is what the reader says of it, whatever the file is for; None
where it is a good table after all (x, y, u of 25 points in the unit square).
"""

from __future__ import annotations

import io
import os
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

X, Y = (axis.ravel() for axis in np.meshgrid(*[np.linspace(0.1, 0.5, 5)] * 2, indexing="ij"))
GOOD = {"x": X, "y": Y, "u": X * Y}


class Case(NamedTuple):
    """A file: its name, how it is made, and what is said of it."""

    name: str
    make: Callable[[Path], object]
    message: str | None


def csv_text(columns: dict[str, np.ndarray] = GOOD, end: str = "\n") -> str:
    rows = zip(*columns.values(), strict=True)
    return end.join([",".join(columns), *(",".join(repr(float(v)) for v in row) for row in rows)]) + end


def text(content: str, message: str | None, *, encoding: str = "utf-8") -> tuple[Callable, str | None]:
    return lambda path: path.write_bytes(content.encode(encoding)), message


def raw(content: bytes, message: str | None) -> tuple[Callable, str | None]:
    return lambda path: path.write_bytes(content), message


def npy(array: np.ndarray, *, shape: tuple[int, ...] | None = None) -> bytes:
    """Return the bytes of an NPY file, with another shape in its header if one is given."""
    buffer = io.BytesIO()
    header = np.lib.format.header_data_from_array_1_0(array)
    np.lib.format.write_array_header_1_0(buffer, header | ({} if shape is None else {"shape": shape}))
    return buffer.getvalue() + array.tobytes()


def archive(entries: dict[str, bytes], *, method: int = zipfile.ZIP_DEFLATED, **others: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as file:
        for name, content in {**{n: npy(a) for n, a in others.items()}, **entries}.items():
            file.writestr(name if "." in name else f"{name}.npy", content)
    return buffer.getvalue()


def npz(message: str | None, **changes: np.ndarray | None) -> tuple[Callable, str | None]:
    arrays = {name: array for name, array in (GOOD | changes).items() if array is not None}
    return lambda path: np.savez(path, **arrays), message


def patched(content: bytes, local: int, central: int, value: int) -> bytes:
    """Change a two-byte field of every local and central header of a zip archive."""
    data = bytearray(content)
    for mark, offset in ((b"PK\x03\x04", local), (b"PK\x01\x02", central)):
        start = data.find(mark)
        while start >= 0:
            struct.pack_into("<H", data, start + offset, value)
            start = data.find(mark, start + 4)
    return bytes(data)


def crowded() -> bytes:
    """Return an archive whose directory says that it is 2 GiB long."""
    data = bytearray(archive({}, **GOOD))
    struct.pack_into("<I", data, data.rfind(b"PK\x05\x06") + 12, 1 << 31)
    return bytes(data)


def damaged() -> bytes:
    """Return an archive of which one byte of stored numbers is another: only the checksum tells."""
    data = bytearray(archive({}, method=zipfile.ZIP_STORED, **GOOD))
    place = data.find(X.tobytes())
    data[place + 6] ^= 0x01
    return bytes(data)


def doubled() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name in ("x", "y", "u"):
            file.writestr(f"{name}.npy", npy(GOOD[name]))
    # The second name is written over the first: zipfile itself warns of a name that is there already.
    return buffer.getvalue().replace(b"y.npy", b"x.npy")


def bomb(path: Path) -> None:
    """Write 384 MiB of zeros, packed: a second's work, so not before it is asked for."""
    zeros = npy(np.zeros(1)[:0], shape=(1 << 24,)) + bytes(1 << 27)
    path.write_bytes(archive(dict.fromkeys(GOOD, zeros)))


def sparse(size: int) -> Callable[[Path], object]:
    def make(path: Path) -> None:
        with path.open("wb") as file:
            file.truncate(size)

    return make


ROW = "0.5,0.5,1\n"
HEAD = "x,y,u\n"
GRID = X.reshape(5, 5)
PLAIN = archive({}, **GOOD)
STORED = archive({}, method=zipfile.ZIP_STORED, **GOOD)

CSV: dict[str, tuple[Callable, str | None]] = {
    "line feeds": text(csv_text(), None),
    "carriage returns": text(csv_text(end="\r"), None),
    "both": text(csv_text(end="\r\n"), None),
    "a byte order mark": text("\ufeff" + csv_text(), None),
    "blank lines and quotes": text(csv_text().replace("x,y,u\n", '"x", y ,u\n\n,,\n'), None),
    "another order": text(csv_text({name: GOOD[name] for name in "uyx"}), None),
    "empty": text("", "the file is empty, expected the names of the columns"),
    "blank": text(" \n\n  \n", "the file is empty"),
    "zeros": raw(b"\0" * 1000, ""),
    "UTF-16": text(csv_text(), "not a text file in UTF-8 (byte 0)", encoding="utf-16"),
    "Latin-1": text("x,y,é\n", ":1: not a text file in UTF-8 (byte 4)", encoding="latin-1"),
    "an NPZ called CSV": raw(PLAIN, "not a text file in UTF-8"),
    "random bytes": raw(np.random.default_rng(0).bytes(4000), "not a text file in UTF-8"),
    "no header": text(ROW * 5, ":1: expected the names of the columns, such as x,y,u, found numbers"),
    "a header only": text(HEAD, "there is no row below the header x,y,u"),
    "semicolons": text("x;y;u\n1;2;3\n", ":1: found 'x;y;u', expected commas between columns"),
    "tabs": text("x\ty\tu\n1\t2\t3\n", ":1: found 'x?y?u', expected commas between columns"),
    "blanks": text("x y u\n1 2 3\n", ":1: found 'x y u', expected commas between columns"),
    "no such column": text("x,z,u\n1,2,3\n", "no column 'y'"),
    "a column twice": text("x,y,x,u\n1,2,3,4\n", ":1: column 'x' occurs 2 times"),
    "a short row": text(HEAD + ROW + "1,2\n", ":3: expected 3 entries, found 2"),
    "a long row": text(HEAD + ROW + "1,2,3,4\n", ":3: expected 3 entries, found 4"),
    "a word": text(HEAD + "0.5,half,1\n", ":2: column 2 ('y'): expected a finite number, found 'half'"),
    "a gap": text(HEAD + "0.5,,1\n", ":2: column 2 ('y'): expected a finite number, found nothing"),
    "not a number": text(HEAD + "0.5,0.5,nan\n", "column 3 ('u'): expected a finite number, found 'nan'"),
    "infinity": text(HEAD + "0.5,-inf,0.5\n", "expected a finite number, found '-inf'"),
    "too large a number": text(HEAD + "0.5,1e4000,0.5\n", "expected a finite number, found '1e4000'"),
    "a complex number": text(HEAD + "0.5,0.5,1+2j\n", "expected a finite number, found '1+2j'"),
    "a decimal comma": text(HEAD + '"0,5",0.5,1\n', "column 1 ('x'): expected a finite number, found '0,5'"),
    "Python's underscores": text(HEAD + "1_0,0.5,1\n", "expected a finite number, found '1_0'"),
    "Arabic digits": text(HEAD + "٣,0.5,1\n", "expected a finite number, found '٣'"),
    "a hexadecimal number": text(HEAD + "0x10,0.5,1\n", "expected a finite number, found '0x10'"),
    "an open quote": text(HEAD + '0.5,0.5,"1\n', ":2: not a CSV file: unexpected end of data"),
    "a stray quote": text(HEAD + '0.5,0.5,"1"2\n', ":2: not a CSV file"),
    "a long field": text(HEAD + "0.5,0.5," + "9" * 200_000 + "\n", "field larger than field limit"),
    "a long name": text("x" * 200_000 + ",y\n1,2\n", "field larger than field limit"),
    "a zero byte": text(HEAD + "0.5,0.5,1\0\n", ":2: "),
    "a terabyte": (sparse(1 << 40), "larger than 536870912 bytes"),
    "a pipe": (os.mkfifo, "not a regular file"),
    "endless zeros": (lambda path: path.symlink_to("/dev/zero"), "not a regular file"),
    "nothing ever": (lambda path: path.symlink_to("/dev/null"), "not a regular file"),
    "a directory": (Path.mkdir, "Is a directory"),
    "a circle of links": (lambda path: path.symlink_to(path), "Too many levels of symbolic links"),
    "no file": (lambda path: None, "No such file or directory"),
}

NPZ: dict[str, tuple[Callable, str | None]] = {
    "arrays": npz(None),
    "a grid": (lambda path: np.savez(path, **{n: a.reshape(5, 5) for n, a in GOOD.items()}), None),
    "Fortran's order": (
        lambda path: np.savez(path, **{n: np.asfortranarray(a.reshape(5, 5)) for n, a in GOOD.items()}),
        None,
    ),
    "single precision": npz(None, u=GOOD["u"].astype(np.float32)),
    "big-endian": npz(None, u=GOOD["u"].astype(">f8")),
    "whole numbers": npz(None, u=np.arange(25)),
    "a file that is no array": raw(archive({"a.txt": b"?"}, **GOOD), None),
    "an empty file": raw(b"", "not an NPZ file: it does not end as a zip archive does"),
    "text": text(csv_text(), "not an NPZ file: it does not end as a zip archive does"),
    "half an archive": raw(PLAIN[: len(PLAIN) // 2], "not an NPZ file"),
    "the end of an archive": raw(PLAIN[100:], ""),
    "a single array": raw(npy(X), "a single array (.npy); save the columns by name"),
    "no array": raw(archive({"a.txt": b"?"}), "there is no array in it"),
    "no such array": npz("no column 'y'; found 'x', 'u'", y=None),
    "two of a name": raw(doubled(), "two arrays have the same name"),
    "a damaged byte": raw(damaged(), "array 'x' cannot be read: Bad CRC-32"),
    "encrypted": raw(patched(PLAIN, 6, 8, 0x1), "array 'x' is encrypted; save it without a password"),
    "an unknown method": raw(patched(PLAIN, 8, 10, 99), "array 'x' is compressed by method 99, expected"),
    "a method that it is not": raw(patched(PLAIN, 8, 10, 14), "array 'x' is compressed by method 14"),
    "bzip2": raw(archive({}, method=zipfile.ZIP_BZIP2, **GOOD), "array 'x' is compressed by method 12"),
    "a method that it has not": raw(patched(STORED, 8, 10, 8), "array 'x' cannot be read"),
    "no header": raw(archive({"x": b"1234567890"}, y=Y, u=X), "array 'x' cannot be read: its header is not"),
    "code in a header": raw(
        archive({"x": b"\x93NUMPY\x01\x00\x20\x00{'descr': __import__('os')}     \n"}, y=Y, u=X),
        "array 'x' cannot be read: its header is not",
    ),
    "a header without end": raw(
        archive({"x": b"\x93NUMPY\x02\x00\xff\xff\xff\xff{"}, y=Y, u=X), "array 'x' cannot be read"
    ),
    "a deep header": raw(
        archive({"x": b"\x93NUMPY\x01\x00\x70\x17" + b"-" * 6000}, y=Y, u=X), "array 'x' cannot be read"
    ),
    "a later version": raw(archive({"x": b"\x93NUMPY\x09\x00"}, y=Y, u=X), "array 'x' cannot be read"),
    "a huge shape": raw(
        archive({"x": npy(X, shape=(10**12,))}, y=Y, u=X),
        "array 'x' declares the shape (1000000000000,), 8,000,000,000,000 bytes, and holds 200",
    ),
    "a shape beyond 64 bits": raw(archive({"x": npy(X, shape=(2**62, 2**62))}, y=Y, u=X), "array 'x'"),
    "a negative shape": raw(archive({"x": npy(X, shape=(-1, -25))}, y=Y, u=X), "array 'x' declares the"),
    "too few numbers": raw(archive({"x": npy(X)[:-8]}, y=Y, u=X), "declares the shape (25,), 200 bytes, and"),
    "a bomb": (bomb, "declares more than 33,554,432 numbers"),
    "a crowded directory": raw(crowded(), "its directory is longer than 1,048,576 bytes"),
    "Python objects": npz("array 'u' holds Python objects, expected", u=np.array([{}] * 25)),
    "text in an array": npz("array 'u' holds text, expected real numbers", u=np.array(["1"] * 25)),
    "dates": npz("array 'u' holds dates, expected", u=np.zeros(25, dtype="datetime64[s]")),
    "records": npz("array 'u' holds records, expected", u=np.zeros(25, dtype=[("a", float)])),
    "complex numbers": npz("array 'u' holds complex numbers, expected real numbers; save real", u=X + 1j),
    "infinite values": npz("column 'u' holds values that are not finite", u=np.append(X[1:], np.inf)),
    "gaps in a coordinate": npz("column 'x' holds values that are not", x=np.where(X > 0.3, np.nan, X)),
    "gaps everywhere": npz("column 'u' is NaN everywhere", u=X * np.nan),
    "another length": npz("the arrays differ in shape: x (25,), y (25,), u (24,)", u=X[1:]),
    "axes beside a grid": npz("the arrays differ in shape: x (5,), y (5,)", x=X[::5], y=Y[:5], u=GRID),
    "another shape": npz("the arrays differ in shape", x=X[:6].reshape(2, 3), y=Y[:6].reshape(3, 2), u=X[:6]),
    "no numbers": npz("the arrays are empty", x=X[:0], y=Y[:0], u=X[:0]),
    "a pipe": (os.mkfifo, "not a regular file"),
    "a directory": (Path.mkdir, "Is a directory"),
}  # fmt: skip


def cases() -> Iterator[Case]:
    """Yield every file."""
    for suffix, table in ((".csv", CSV), (".npz", NPZ)):
        for name, (make, message) in table.items():
            yield Case(f"{suffix[1:]}: {name}", make, message)
