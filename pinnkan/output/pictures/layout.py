"""How the panels of a picture stand on its paper: which row and column each has, and how large all is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pinnkan.output.pictures.canvas import DOUBLE_COLUMN_MM, SINGLE_COLUMN_MM

Cell = tuple[int, int]

ABREAST = 3
"""Fields beside each other: as many as two columns of a journal hold with their colour bars."""
_TIMES_ABREAST = 5
# Panels flatter than this stand above each other, in one column up to some number.
_FLAT = 0.45
_MOST_STACKED = 4
_LEAST_HEIGHT_MM, _ROW_MM = 160.0, 60.0
"""The most height that panels are given, whatever their shape: of few rows, and of each of many."""


@dataclass(frozen=True)
class Layout:
    """Where each panel stands, and how large the paper is.

    Attributes:
        cells: Row and column of each panel, in the order of the panels.
        panel_shape: Height over width of a panel.
        in_rows: Whether each quantity has its own row, one column a time.
    """

    cells: tuple[Cell, ...]
    panel_shape: float
    in_rows: bool = False

    @property
    def rows(self) -> int:
        """Rows of panels."""
        return 1 + max(row for row, _ in self.cells)

    @property
    def columns(self) -> int:
        """Columns of panels."""
        return 1 + max(column for _, column in self.cells)

    @property
    def width_mm(self) -> float:
        """The width of the paper."""
        return SINGLE_COLUMN_MM if self.columns == 1 else DOUBLE_COLUMN_MM

    @property
    def height_mm(self) -> float:
        """A height at which the width is what limits the panels; what is too much is cut off in the end."""
        most = max(_LEAST_HEIGHT_MM, _ROW_MM * self.rows)
        return min(self.rows * (self.width_mm / self.columns * self.panel_shape + 25), most)


def still_layout(shape: float, sizes: Sequence[int]) -> Layout:
    """Lay out groups of panels (the fields of one unknown) at one time.

    One group fills rows of up to three; several groups have rows of their own, so that
    what belongs together stands side by side. Flat panels stand the other way round:
    one group above each other, several groups in columns of their own.

    Args:
        shape: Height over width of a panel.
        sizes: The number of panels of each group, at least one group.
    """
    flat = shape < _FLAT
    if len(sizes) == 1:
        count = sizes[0]
        if flat and count <= _MOST_STACKED:
            return Layout(tuple((row, 0) for row in range(count)), shape)
        return Layout(tuple(filled_cells(count, 2 if flat else ABREAST)), shape)
    if flat and len(sizes) <= ABREAST:
        return Layout(tuple((row, column) for column, size in enumerate(sizes) for row in range(size)), shape)
    cells: list[Cell] = []
    for size in sizes:
        first = 1 + cells[-1][0] if cells else 0
        cells += [(first + place // ABREAST, place % ABREAST) for place in range(size)]
    return Layout(tuple(cells), shape)


def film_layout(shape: float, quantities: int, times: int) -> Layout:
    """Lay out quantities at several times: a row each; one quantity alone fills rows of up to five."""
    if quantities == 1:
        return Layout(tuple(filled_cells(times, _TIMES_ABREAST)), shape)
    cells = [(row, column) for row in range(quantities) for column in range(times)]
    return Layout(tuple(cells), shape, in_rows=True)


def filled_cells(count: int, most: int) -> list[Cell]:
    """Return cells in reading order, in as few rows as hold them, these about equally long."""
    rows = -(-count // most)
    columns = -(-count // rows)
    return [divmod(place, columns) for place in range(count)]
