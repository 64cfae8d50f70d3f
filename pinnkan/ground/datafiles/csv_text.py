"""CSV text: UTF-8, commas, a header and rows, whatever ends its lines."""

from __future__ import annotations

import csv
import io
import math
from array import array
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from pinnkan.ground.arrays import FloatArray
from pinnkan.ground.datafiles.faults import DataFault
from pinnkan.ground.errors import quote

_MOST_NUMBERS = 1 << 25
_MOST_FAULTS = 1000  # after which no more are looked for
_OTHER_SEPARATORS = (";", "\t", " ")


class CsvFault(Exception):
    """A text that is no CSV.

    Args:
        line: Where, counted from 1; None for the whole text.
        message: What was found and what was expected.
    """

    def __init__(self, line: int | None, message: str) -> None:
        self.line, self.message = line, message
        super().__init__(message if line is None else f"line {line}: {message}")


def decode_text(content: bytes) -> str:
    """Return text in UTF-8, without a byte order mark.

    Raises:
        CsvFault: With the first byte that is none.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise CsvFault(line, f"not a text file in UTF-8 (byte {error.start})") from None


def read_csv_rows(content: bytes) -> Iterator[tuple[int, list[str]]]:
    """Yield line and words of every row that is not empty, the header first; words without outer blanks.

    Lines end in LF, CR LF or CR; quotes may hold commas and line ends.

    Raises:
        CsvFault: If it is not UTF-8, a quote is never closed or a field is longer than the csv module reads.
    """
    reader = csv.reader(io.StringIO(decode_text(content), newline=""), strict=True)
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise CsvFault(reader.line_num, f"not a CSV file: {error}") from None
        if row is None:
            return
        words = [word.strip() for word in row]
        if any(words):
            yield reader.line_num, words


class CsvTable:
    """A CSV file whose first row names its columns.

    Args:
        content: All bytes of the file.

    Raises:
        DataFault: If there is no such row.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content
        try:
            _, words = next(read_csv_rows(content), (1, []))
        except CsvFault as fault:
            raise DataFault([(fault.line, fault.message)]) from None
        _check_header(words)
        self.names = tuple(words)

    def columns(self, names: Sequence[str]) -> tuple[dict[str, FloatArray], NDArray[np.int64]]:
        """Return the columns of these names and the line of every row, each of shape (N,).

        Raises:
            DataFault: With every entry that is no finite number and every row of another length.
        """
        faults: list[tuple[int | None, str]] = []
        numbers, lines = array("d"), array("q")
        places = [self.names.index(name) for name in names]
        rows = read_csv_rows(self._content)
        try:
            next(rows, None)
            for line, words in rows:
                if len(words) != len(self.names):
                    faults.append((line, f"expected {len(self.names)} entries, found {len(words)}"))
                    continue
                lines.append(line)
                for place in places:
                    number = _number(words[place])
                    numbers.append(number)
                    if math.isnan(number):
                        faults.append((line, self._entry_fault(place, words[place])))
                if len(faults) >= _MOST_FAULTS:
                    break
                if len(numbers) > _MOST_NUMBERS:
                    raise DataFault([(None, f"more than {_MOST_NUMBERS:,} numbers")])
        except CsvFault as fault:
            faults.append((fault.line, fault.message))
        if not faults and not lines:
            faults.append((None, f"there is no row below the header {','.join(self.names)}"))
        if faults:
            raise DataFault(faults)
        table = np.frombuffer(numbers, dtype=np.float64).reshape(len(lines), len(names))
        columns = {name: table[:, index].copy() for index, name in enumerate(names)}
        return columns, np.frombuffer(lines, dtype=np.int64).copy()

    def _entry_fault(self, place: int, word: str) -> str:
        found = quote(word) if word else "nothing"
        return f"column {place + 1} ('{self.names[place]}'): expected a finite number, found {found}"


def _check_header(names: Sequence[str]) -> None:
    example = "expected the names of the columns, such as x,y,u"
    if not names:
        raise DataFault([(None, f"the file is empty, {example}")])
    if len(names) == 1 and any(sign in names[0] for sign in _OTHER_SEPARATORS):
        raise DataFault([(1, f"found {quote(names[0])}, expected commas between columns")])
    if all(not math.isnan(_number(name)) for name in names):
        raise DataFault([(1, f"{example}, found numbers")])


def _number(word: str) -> float:
    """Return the finite number that a word says, or NaN; ``1_000`` is Python's way, not a CSV's."""
    try:
        number = float(word) if word.isascii() and "_" not in word else math.nan
    except ValueError:
        return math.nan
    return number if math.isfinite(number) else math.nan
