"""CSV: a header of names, one row a point, numbers that read back bit for bit."""

from __future__ import annotations

import csv
from io import StringIO
from typing import BinaryIO

import numpy as np

from pinnkan.output.exports.field_table import FieldTable

_ROWS_AT_ONCE = 4096


def write_csv(file: BinaryIO, samples: FieldTable) -> None:
    """Write the points of the domain in the order given; a point outside it gives no row.

    17 significant digits name every double uniquely. (Some readers round the last digit
    all the same: before version 3, pandas wants ``float_precision="round_trip"``.)
    A name with a comma or a quotation mark, such as ``dot(U, V)``, stands in quotes (RFC 4180).

    Args:
        file: Where to.
        samples: What.
    """
    columns = samples.columns
    table = np.column_stack([values[samples.inside] for values in columns.values()])
    header = StringIO()
    csv.writer(header, lineterminator="\n").writerow(columns)
    file.write(header.getvalue().encode())
    row = ",".join(["%.17g"] * len(columns)) + "\n"
    for start in range(0, len(table), _ROWS_AT_ONCE):
        part = table[start : start + _ROWS_AT_ONCE]
        # One format for many rows: five times the speed of numpy.savetxt.
        file.write((row * len(part) % tuple(part.ravel().tolist())).encode())
