"""Numbers that somebody else found, as a CSV file: labels of cells and what was published of them."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from pinnkan.problem.finding import problem_text
from pinnkan.workflows.study import NUMBERS, Level


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
        ProblemError: If it is not UTF-8.
        ValueError: With the line, if a column, level or number makes no sense.
    """
    reader = csv.DictReader(problem_text(path).splitlines())
    rows, known = list(reader), (*axes, *parameters, *NUMBERS)
    unknown = [name for name in reader.fieldnames or () if name not in known]
    if unknown or not rows:
        what = f"unknown columns {', '.join(unknown)}" if rows else "no rows"
        raise ValueError(f"{path.name}: {what}; columns are {', '.join(known)}")
    for at, row in enumerate(rows, start=2):
        if None in row or None in row.values():
            raise ValueError(f"{path.name}:{at}: expected {len(reader.fieldnames or ())} columns")
        for name, text in row.items():
            if name in axes and text not in axes[name]:
                raise ValueError(f"{path.name}:{at}: axis {name} has no level '{text}'")
            if name not in axes and not _is_number(text, positive=name in NUMBERS):
                raise ValueError(f"{path.name}:{at}: {name}: expected a number, got '{text}'")
    return tuple(rows)


def _is_number(text: str, *, positive: bool) -> bool:
    try:
        value = float(text)
    except ValueError:
        return False
    return math.isfinite(value) and (value > 0 or not positive)
