"""The export formats by file suffix."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO

from pinnkan.ground.files import atomic_writer
from pinnkan.output.exports.delimited import write_csv
from pinnkan.output.exports.field_table import FieldTable
from pinnkan.output.exports.hdf5 import write_hdf5
from pinnkan.output.exports.npz import write_npz
from pinnkan.output.exports.vtu import write_vtu
from pinnkan.output.suffixes import require_suffix

Writer = Callable[[BinaryIO, FieldTable], None]

EXPORTS: Mapping[str, Writer] = {
    ".csv": write_csv,
    ".npz": write_npz,
    ".vtu": write_vtu,
    ".h5": write_hdf5,
    ".hdf5": write_hdf5,
}


def export_samples(path: Path, samples: FieldTable) -> None:
    """Write samples in the format of the path's suffix; the file appears whole or not at all.

    Raises:
        UsageError: If the suffix is unknown or the format cannot hold the samples.
        FileAccessError: If the file cannot be written.
    """
    write = EXPORTS[require_suffix(path, EXPORTS)]
    with atomic_writer(path) as file:
        write(file, samples)
