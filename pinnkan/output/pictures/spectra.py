"""Pictures of singular values, and of the energy that ranks below the full one discard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from pinnkan.ground.arrays import FloatArray
from pinnkan.ground.errors import UsageError
from pinnkan.output.pictures.canvas import DEFAULT_DPI, SINGLE_COLUMN_MM, legend_below, picture
from pinnkan.output.pictures.colours import LINE_COLOURS
from pinnkan.output.pictures.labels import Caption, plain

_MOST = 12
_ABREAST = 3
"""Tensors beside each other: as many as two columns of a journal hold."""
_PANEL_MM = 58.0
_PAIR_MM = 88.0
_REST_MM = 12.0
_FLOOR = 1e-16
"""Relative singular values below rounding are not drawn."""


@dataclass(frozen=True)
class SpectraPanel:
    """One tensor.

    Attributes:
        title: What it is.
        relative: Singular values over the largest by name of the unfolding, each (count,).
        discarded: Share of the energy beyond rank 0, 1, ..., count by name, each (count + 1,).
    """

    title: str
    relative: Mapping[str, FloatArray]
    discarded: Mapping[str, FloatArray]


def plot_spectra(
    path: Path, panels: Sequence[SpectraPanel], *, caption: Caption, dpi: int = DEFAULT_DPI
) -> None:
    """Draw singular values and below them discarded energy, by decades; three tensors stand abreast.

    Args:
        path: PNG, PDF or SVG.
        panels: 1 to 12 tensors.
        caption: What stands above.
        dpi: Pixels per inch of a PNG.

    Raises:
        UsageError: If the suffix, the dpi or so many tensors cannot be served.
        FileAccessError: If the file cannot be written.
    """
    if len(panels) > _MOST:
        raise UsageError(f"a picture shows {_MOST} tensors at most, found {len(panels)}; name fewer files")
    # One column alone would leave no room for the legend's words.
    rows = [panels[first : first + _ABREAST] for first in range(0, len(panels), _ABREAST)]
    width = max(len(rows[0]) * _PANEL_MM, SINGLE_COLUMN_MM)
    with picture(path, width, len(rows) * _PAIR_MM + _REST_MM, dpi=dpi) as figure:
        figure.suptitle(caption.text(width))
        grid = figure.subplots(2 * len(rows), len(rows[0]), squeeze=False, sharey="row")
        for row, upper, lower in zip(rows, grid[::2], grid[1::2], strict=True):
            upper[0].set_ylabel("singular value / largest")
            lower[0].set_ylabel("energy discarded")
            for panel, above, below in zip(row, upper, lower, strict=False):
                above.set_title(plain(panel.title))
                _draw(above, panel.relative, first=1)
                _draw(below, panel.discarded, first=0)
                below.set_xlabel("index, rank")
            for unused in (*upper[len(row) :], *lower[len(row) :]):
                unused.remove()
        legend_below(figure, grid[0, 0])


def _draw(axes: Axes, curves: Mapping[str, FloatArray], *, first: int) -> None:
    for index, (name, values) in enumerate(curves.items()):
        shown = np.where(values > _FLOOR, values, np.nan)
        style = ("-", "--", ":", "-.")[index // 3 % 4]
        places = np.arange(first, first + len(values))
        axes.plot(places, shown, style, color=LINE_COLOURS[index % 3], marker=".", label=plain(name))
    axes.set_yscale("log")
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.grid(visible=True)
