"""NPZ: one NumPy array a column, named as in the header."""

from __future__ import annotations

from io import BytesIO
from typing import Any, BinaryIO

import numpy as np

from pinnkan.output.exports.field_table import FieldTable


def write_npz(file: BinaryIO, samples: FieldTable) -> None:
    """Write the columns in the shape of the grid (fixed axes left out) or as (N,); NaN outside the domain.

    Args:
        file: Where to.
        samples: What.
    """
    # By way of memory: a zip archive that meets a full disk raises a second
    # error while it closes, which would hide the first.
    buffer = BytesIO()
    arrays: dict[str, Any] = dict(samples.arrays)
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    file.write(buffer.getbuffer())
