"""HDF5: one dataset a column, named as in the header, with the facts as attributes."""

from __future__ import annotations

import json
from io import BytesIO
from typing import BinaryIO

import h5py

from pinnkan.ground.errors import UsageError
from pinnkan.output.exports.field_table import FieldTable


def write_hdf5(file: BinaryIO, samples: FieldTable) -> None:
    """Write the columns in the shape of the grid (fixed axes left out) or as (N,); NaN outside the domain.

    The root's attributes hold ``coordinates`` (names joined by commas, the
    order of the axes), ``fields``, the facts of ``samples.about`` and, where
    there are vectors, ``vectors``: their components by their name, as JSON.

    Args:
        file: Where to.
        samples: What.

    Raises:
        UsageError: If a field's name holds a slash, which separates groups in HDF5.
    """
    for name in samples.fields:
        if "/" in name:
            raise UsageError(
                f"HDF5 cannot name a dataset '{name}': a slash separates groups there; "
                "name the formula under definitions and export that name, or write CSV, NPZ or VTU"
            )
    # By way of memory: HDF5 may report a full disk when closing, as another error, or not at all.
    buffer = BytesIO()
    with h5py.File(buffer, "w", libver=("v110", "v110")) as target:
        for name, values in samples.arrays.items():
            target.create_dataset(name, data=values, compression="gzip", shuffle=True, fletcher32=True)
        target.attrs["coordinates"] = ",".join(samples.coordinates)
        target.attrs["fields"] = ",".join(samples.fields)
        if samples.vectors:
            target.attrs["vectors"] = json.dumps(
                {name: list(parts) for name, parts in samples.vectors.items()}
            )
        for key, value in samples.about.items():
            target.attrs[key] = value
    file.write(buffer.getbuffer())
