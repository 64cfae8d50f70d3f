"""Tables, documents and JSON on stdout; never wrapped, never cut, never coloured."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from pinnkan.cli.terminal.text import printable

GAP = "  "
UNKNOWN = "-"


def write(text: str) -> None:
    """Print one piece of a result."""
    print(printable(text))


def write_json(data: Any) -> None:
    """Print one JSON document; what is unknown is null, also where it arrived as NaN."""
    print(json.dumps(_without_nan(data), indent=2, allow_nan=False, ensure_ascii=False))


def table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """Lay out rows under two-line headings (``relative_l2`` becomes ``relative`` over ``l2``).

    Numbers stand right, words left. Columns are as wide as their contents,
    whatever the width of the terminal: a table that is cut in a pipe is wrong.

    Args:
        rows: One mapping a row; a missing key reads as unknown.
        columns: Keys, in the order of the columns.
    """
    headings = [_two_lines(column) for column in columns]
    body = [[cell(column, row.get(column)) for column in columns] for row in rows]
    lines = [[heading[0] for heading in headings], [heading[1] for heading in headings], *body]
    widths = [max(len(line[index]) for line in lines) for index in range(len(columns))]
    wordy = [any(_is_wordy(row.get(column)) for row in rows) for column in columns]
    laid = [
        GAP.join(
            text.ljust(width) if left else text.rjust(width)
            for text, width, left in zip(line, widths, wordy, strict=True)
        ).rstrip()
        for line in lines
    ]
    headings_laid = laid[:2] if laid[0] else laid[1:2]
    return "\n".join([*headings_laid, GAP.join("-" * width for width in widths), *laid[2:]])


def document(data: Mapping[str, Any]) -> str:
    """Lay out a nested mapping for reading: entries, indented sections, tables, blocks of text."""
    return "\n".join(_entries(data))


def cell(key: str, value: Any) -> str:
    """Write one value; errors and residuals with three digits, times with a tenth of a second."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return UNKNOWN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return _values(value)
    if isinstance(value, (list, tuple)):
        return ", ".join(cell(key, entry) for entry in value) or UNKNOWN
    if not isinstance(value, float):
        return str(value)
    if key.endswith("seconds"):
        return f"{value:.1f}"
    return f"{value:.2e}" if key.startswith(_SMALL) else f"{value:.12g}"


_SMALL = (
    *("relative_", "absolute_", "boundary_max", "residual_", "zero_network_", "loss"),
    *("estimate", "error_estimate", "worst_estimate", "median_estimate", "worst_residual", "worst_error"),
    *("training_rms", "validation_rms", "network_relative_", "missed_r2"),
)


def _values(values: Mapping[str, float]) -> str:
    """Write parameter values as they are named in files: ``nu=0.01,beta=2``."""
    from pinnkan.language.parameters import file_stem

    return file_stem(values) or UNKNOWN


def _entries(data: Mapping[str, Any], indent: str = "") -> list[str]:
    """Lay out a mapping's entries, the values in one column."""
    width = max((len(key) for key, value in data.items() if not _is_section(value)), default=0)
    lines: list[str] = []
    for key, value in data.items():
        if _is_section(value):
            lines += [f"{indent}{key}:", *_section(value, indent + GAP)]
        else:
            lines.append(f"{indent}{key.ljust(width)}{GAP}{cell(key, value)}")
    return lines


def _is_section(value: Any) -> bool:
    """Tell values that need lines of their own."""
    if isinstance(value, str):
        return "\n" in value
    if isinstance(value, Mapping):
        return bool(value)
    return _is_rows(value)


def _section(value: Any, indent: str) -> list[str]:
    """Lay out such a value."""
    if isinstance(value, Mapping):
        return _entries(value, indent)
    text = (
        value
        if isinstance(value, str)
        else table(value, list(dict.fromkeys(k for row in value for k in row)))
    )
    return [f"{indent}{line}".rstrip() for line in text.rstrip().splitlines()]


def _is_rows(value: Any) -> bool:
    """Tell a non-empty list of mappings."""
    return isinstance(value, (list, tuple)) and bool(value) and all(isinstance(row, Mapping) for row in value)


def _two_lines(column: str) -> tuple[str, str]:
    """Split a key at its last underscore: column headings stay narrow and searchable."""
    first, _, last = column.rpartition("_")
    return first.replace("_", " "), last


def _is_wordy(value: Any) -> bool:
    return isinstance(value, (str, bool, Mapping))


def _without_nan(data: Any) -> Any:
    """Replace what is not finite by None, at any depth."""
    if isinstance(data, float):
        return data if math.isfinite(data) else None
    if isinstance(data, Mapping):
        return {str(key): _without_nan(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [_without_nan(value) for value in data]
    return data
