"""Numbers that somebody else found, as a CSV file: labels of cells and what was published of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from pinnkan.ground.datafiles import CsvFault, read_csv_rows
from pinnkan.ground.files import read_data
from pinnkan.studies.study import NUMBERS, Level

_LARGEST_FILE = 1024 * 1024


def read_published(
    path: Path, axes: Mapping[str, Mapping[str, Level]], parameters: Sequence[str]
) -> tuple[dict[str, str], ...]:
    """Read a table whose columns are axes, parameters and numbers of cells.

    Args:
        path: The file.
        axes: Levels by axis and name.
        parameters: Names of the parameters.

    Raises:
        FileAccessError: If it cannot be read.
        UsageError: If it is no regular file or too large.
        ValueError: With the line, if it is no CSV or a column, level or number makes no sense.
    """
    try:
        lines = list(read_csv_rows(read_data(path, what="table", max_bytes=_LARGEST_FILE)))
    except CsvFault as fault:
        raise ValueError(f"{path.name}: {fault}") from None
    columns, rows = lines[0][1] if lines else [], lines[1:]
    allowed = (*axes, *parameters, *NUMBERS)
    unknown = [name for name in columns if name not in allowed]
    if unknown or not rows:
        what = f"unknown columns {', '.join(unknown)}" if rows else "no rows"
        raise ValueError(f"{path.name}: {what}; columns are {', '.join(allowed)}")
    for line, words in rows:
        if len(words) != len(columns):
            raise ValueError(f"{path.name}:{line}: expected {len(columns)} columns")
        for name, text in zip(columns, words, strict=True):
            if name in axes and text not in axes[name]:
                raise ValueError(f"{path.name}:{line}: axis {name} has no level '{text}'")
            if name not in axes and not _is_number(text, positive=name in NUMBERS):
                raise ValueError(f"{path.name}:{line}: {name}: expected a number, got '{text}'")
    return tuple(dict(zip(columns, words, strict=True)) for _, words in rows)


def _is_number(text: str, *, positive: bool) -> bool:
    try:
        value = float(text)
    except ValueError:
        return False
    return math.isfinite(value) and (value > 0 or not positive)
