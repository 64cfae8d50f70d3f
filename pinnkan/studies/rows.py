"""The rows of a study's cells, and the CSV file that keeps them."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from pinnkan.ground.datafiles import CsvFault, read_csv_rows
from pinnkan.ground.errors import DamagedFileError
from pinnkan.ground.files import read_file, replace_file
from pinnkan.studies.study import Study

MEASURED = (
    "relative_l2",
    "relative_max",
    "residual_rms",
    "boundary_max",
    "zero_network_l2",
    "trainable_parameters",
    "file_bytes",
    "train_seconds",
    "steps",
    "stop_reason",
)
"""Of the cell, as `evaluate` defines them."""
LOSS = "loss"
"""Of the training's last step: weighted squares of all residuals, smoothed where its last phase is."""
OF_BASE = {"base_relative_l2": "relative_l2", "base_seconds": "train_seconds"}
RESERVED = ("key", "seed", "status", "error", *MEASURED, LOSS, *OF_BASE)
"""Columns of every table, which no axis may be called like."""
_NUMBERS = {*MEASURED, LOSS, *OF_BASE} - {"stop_reason"}
_WHOLE = {"trainable_parameters", "file_bytes", "steps", "seed"}

_LARGEST_TABLE = 64 * 1024 * 1024

Row = dict[str, Any]

Status = Literal["done", "diverged", "failed"]
"""Of a row. What diverged has its result; what failed otherwise (a full disk, a killed worker) has none."""

FINISHED: tuple[Status, ...] = ("done", "diverged")


def read_rows(path: Path) -> list[Row]:
    """Read a table; none of it if there is no file.

    Raises:
        DamagedFileError: If the file is no table of cells.
        FileAccessError: If it cannot be read.
    """
    if not path.is_file():
        return []
    try:
        lines = list(read_csv_rows(read_file(path, _LARGEST_TABLE)))
        columns = lines[0][1] if lines else []
        absent = [name for name in RESERVED if name not in columns]
        if absent:
            raise ValueError(f"no column {', '.join(absent)}")
        return [_row(columns, line, words) for line, words in lines[1:]]
    except (ValueError, CsvFault) as error:
        raise DamagedFileError(f"{path}: not a table of cells ({error})") from None


def _row(columns: Sequence[str], line: int, words: Sequence[str]) -> Row:
    row = dict(zip(columns, words, strict=False))
    if len(words) != len(columns) or row["status"] not in get_args(Status):
        raise ValueError(f"line {line} is torn")
    return {name: _value(name, text) for name, text in row.items()}


def write_rows(path: Path, study: Study, rows: Sequence[Row]) -> None:
    """Write the table: labels, values and seed, then the numbers.

    Raises:
        FileAccessError: If it cannot be written.
    """
    first = ["key", *study.axes, *study.values, "seed", "status"]
    columns = list(dict.fromkeys([*first, *(name for row in rows for name in row)]))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: "" if value is None else value for name, value in row.items()} for row in rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, text.getvalue().encode())


def _value(name: str, text: str) -> Any:
    if text == "":
        return None
    if name in _WHOLE:
        return int(text)
    return float(text) if name in _NUMBERS else text
