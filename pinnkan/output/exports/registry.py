"""The export formats by file suffix: a new one is its file and its row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True)
class ExportFormat:
    """A kind of file.

    Attributes:
        write: Writes samples into an open file.
        with_reference: Whether ``exact`` and ``error`` stand beside a solution; a table for other programs
            has the names of its header and no others.
    """

    write: Writer
    with_reference: bool = False


EXPORTS: Mapping[str, ExportFormat] = {
    ".csv": ExportFormat(write_csv),
    ".npz": ExportFormat(write_npz),
    ".vtu": ExportFormat(write_vtu, with_reference=True),
    ".h5": ExportFormat(write_hdf5, with_reference=True),
    ".hdf5": ExportFormat(write_hdf5, with_reference=True),
}


def export_samples(path: Path, samples: FieldTable) -> None:
    """Write samples in the format of the path's suffix; the file appears whole or not at all.

    Raises:
        UsageError: If the suffix is unknown or the format cannot hold the samples.
        FileAccessError: If the file cannot be written.
    """
    write = EXPORTS[require_suffix(path, EXPORTS)].write
    with atomic_writer(path) as file:
        write(file, samples)
