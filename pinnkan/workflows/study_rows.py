"""The rows of a study's cells, and the CSV file that keeps them."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from pinnkan.errors import DamagedFileError, FileAccessError
from pinnkan.files import replace_file
from pinnkan.workflows.study import Study

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
        reader = csv.DictReader(path.read_text(encoding="utf-8").splitlines())
        lines = list(reader)
        absent = [name for name in RESERVED if name not in (reader.fieldnames or ())]
        if absent:
            raise ValueError(f"no column {', '.join(absent)}")
        for at, line in enumerate(lines, start=2):
            if None in line or None in line.values() or line["status"] not in get_args(Status):
                raise ValueError(f"line {at} is torn")
        return [{name: _value(name, text) for name, text in line.items()} for line in lines]
    except (ValueError, csv.Error) as error:
        raise DamagedFileError(f"{path}: not a table of cells ({error})") from None
    except OSError as error:
        raise FileAccessError.of("read", path, error) from None


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
