"""VTU, the unstructured grid of VTK and ParaView: cells over the whole grid, NaN outside the domain."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import BinaryIO

import meshio
import numpy as np
from numpy.typing import NDArray

from pinnkan.ground.arrays import FloatArray
from pinnkan.ground.errors import UsageError
from pinnkan.output.exports.field_table import FieldTable

_CELLS = ("vertex", "line", "quad", "hexahedron")


def write_vtu(file: BinaryIO, samples: FieldTable) -> None:
    """Write lines, quadrilaterals or hexahedra of a grid, or the vertices of scattered points.

    Space lies along the axes X, Y, Z in the order of the header, and a time
    that varies along the next free one, so that the slices of a film lie
    above each other; a single time is left out. Every column of the header is
    point data as well, so nothing depends on knowing this; vectors are point
    data of three components.

    Args:
        file: Where to; a file with a name.
        samples: What.

    Raises:
        UsageError: If more than three coordinates vary: VTU has three axes.
    """
    axes = _axes(samples)
    positions = np.zeros((len(samples.points), 3))
    positions[:, : len(axes)] = samples.points[:, axes]
    cells = _cells(samples, axes)
    # Of the corners 1, 2, 4, 8 of a cell, the number tells its dimension.
    kind = _CELLS[cells.shape[1].bit_length() - 1]
    vectors = {name: _vector(samples, parts, axes) for name, parts in samples.vectors.items()}
    # meshio writes names into XML as they are; a formula may hold < and &.
    data = {escape(name): values for name, values in {**samples.columns, **vectors}.items()}
    mesh = meshio.Mesh(positions, [(kind, cells)], point_data=data)
    # meshio opens its file itself, by name, and writes the same file that we hold open.
    meshio.write(file.name, mesh, file_format="vtu")


def _axes(samples: FieldTable) -> list[int]:
    """Return the coordinates that become X, Y and Z: space, then time if it varies."""
    varies = np.ptp(samples.points, axis=0) > 0
    names = samples.coordinates
    axes = [i for i, name in enumerate(names) if name != samples.time]
    axes += [i for i, name in enumerate(names) if name == samples.time and varies[i]]
    if len(axes) > 3:
        axes = [i for i in axes if varies[i]]
    if len(axes) > 3:
        raise UsageError(
            f"VTU has three axes, the points vary in {', '.join(names[i] for i in axes)}: "
            "hold one fixed with --time or --slice, or write CSV, NPZ or HDF5"
        )
    return axes


def _vector(samples: FieldTable, components: Sequence[str], axes: Sequence[int]) -> FloatArray:
    """Return a vector along X, Y and Z, shape (N, 3), zero along an axis for which it has no component.

    One component a space coordinate lies along the axis of its coordinate: where time takes the third axis
    of a cut through space, a vector is left with its part within the cut. Other components (two fields over
    an interval) are taken in their order.
    """
    values = np.zeros((len(samples.points), 3))
    space = [i for i, name in enumerate(samples.coordinates) if name != samples.time]
    if len(components) != len(space):
        places = list(range(len(components)))
    else:
        places = [axes.index(i) if i in axes else -1 for i in space]
    for place, name in zip(places, components, strict=True):
        if place >= 0:
            values[:, place] = samples.fields[name]
    return values


def _cells(samples: FieldTable, axes: Sequence[int]) -> NDArray[np.int64]:
    """Return the corners of every cell of a grid, shape (cells, 2^d), or every scattered point, (N, 1)."""
    numbers = np.arange(len(samples.points))
    if samples.shape is None:
        return numbers[:, None]
    # Axes in the order of X, Y, Z make every cell positively oriented, whatever the header's order.
    rest = [i for i in range(len(samples.shape)) if i not in axes]
    return grid_cells(numbers.reshape(samples.shape).transpose([*axes, *rest]).squeeze())


def grid_cells(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the corners of every cell of a grid, in VTK's order: around one face, then the opposite one.

    Args:
        numbers: The number of each point, one array axis an axis of the grid.

    Returns:
        Point numbers, shape (cells, 2^d) for d axes.
    """
    corners = [numbers]
    for axis in range(numbers.ndim):
        low = [np.delete(c, -1, axis) for c in corners]
        high = [np.delete(c, 0, axis) for c in corners]
        # Around a face the far side runs backwards: (0,0) (1,0) (1,1) (0,1).
        corners = low + (high[::-1] if axis == 1 else high)
    return np.stack([c.ravel() for c in corners], axis=1)
