"""What loss, held-out residual and error did in the cells of a study: a JSON file beside the table."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pinnkan.ground.errors import DamagedFileError
from pinnkan.ground.files import read_file, replace_file
from pinnkan.storage.store.document import decode_document

_COLUMNS = ("step", "seconds", "loss", "held_out", "error")
_LARGEST_FILE = 256 * 1024 * 1024
_DIGITS = 5
"""Significant digits: more than a picture shows, and few enough to keep the file under version control."""

_MOST_BYTES = 1 << 26

Curves = dict[str, list[float | None]]
"""Of one cell, by column; an entry is None where nothing was measured."""


def curves_file(table: Path) -> Path:
    """Return the file that belongs to a table: ``cells.csv`` has ``cells.curves.json``."""
    return table.with_suffix(".curves.json")


def curves_of(history: Mapping[str, list[float | None]]) -> Curves:
    """Return what is kept of a stored training's history."""
    return {name: [_rounded(value) for value in history[name]] for name in _COLUMNS}


def read_curves(table: Path) -> dict[str, Curves]:
    """Read the curves by the keys of their cells; none if there is no file.

    Raises:
        DamagedFileError: If the file is not what `write_curves` writes, is no regular file or too large.
        FileAccessError: If it cannot be read.
    """
    path = curves_file(table)
    try:
        found = decode_document(read_file(path, _MOST_BYTES)) if path.exists() else {}
    except ValueError as error:
        raise DamagedFileError(f"{path}: not JSON of curves ({error})") from None
    if not all(map(_is_curves, found.values())):
        raise DamagedFileError(f"{path}: not the curves of a study's cells")
    return found


def write_curves(table: Path, curves: Mapping[str, Curves]) -> None:
    """Write the curves beside their table.

    Raises:
        FileAccessError: If the file cannot be written.
    """
    lines = [
        f"{json.dumps(key)}: {json.dumps(curve, separators=(',', ':'))}" for key, curve in curves.items()
    ]
    path = curves_file(table)
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, ("{\n" + ",\n".join(lines) + "\n}\n").encode())


def _rounded(value: float | None) -> float | None:
    return float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value


def _is_curves(one: Any) -> bool:
    return (
        isinstance(one, dict)
        and set(_COLUMNS) <= set(one)
        and all(isinstance(one[name], list) and len(one[name]) == len(one["step"]) for name in _COLUMNS)
        and all(value is None or isinstance(value, (int, float)) for name in _COLUMNS for value in one[name])
    )
