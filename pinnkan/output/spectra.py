"""Pictures of singular values, and of the energy that ranks below the full one discard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from pinnkan.errors import UsageError
from pinnkan.output.canvas import DEFAULT_DPI, legend_below, picture
from pinnkan.output.colours import LINE_COLOURS
from pinnkan.output.labels import Caption, plain
from pinnkan.output.samples import Array

_MOST = 12
_PANEL_MM = 58.0
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
    relative: Mapping[str, Array]
    discarded: Mapping[str, Array]


def plot_spectra(
    path: Path, panels: Sequence[SpectraPanel], *, caption: Caption, dpi: int = DEFAULT_DPI
) -> None:
    """Draw singular values above and discarded energy below, by decades, a column for each tensor.

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
    width = max(len(panels) * _PANEL_MM, 85.0)
    with picture(path, width, 100.0, dpi=dpi) as figure:
        figure.suptitle(caption.text(width))
        axes = figure.subplots(2, len(panels), squeeze=False, sharey="row", sharex="col")
        for panel, (upper, lower) in zip(panels, axes.T, strict=True):
            upper.set_title(plain(panel.title))
            _draw(upper, panel.relative, first=1)
            _draw(lower, panel.discarded, first=0)
            lower.set_xlabel("index, rank")
        axes[0, 0].set_ylabel("singular value / largest")
        axes[1, 0].set_ylabel("energy discarded")
        legend_below(figure, axes[0, 0])


def _draw(axes: Axes, curves: Mapping[str, Array], *, first: int) -> None:
    for index, (name, values) in enumerate(curves.items()):
        shown = np.where(values > _FLOOR, values, np.nan)
        style = ("-", "--", ":", "-.")[index // 3 % 4]
        places = np.arange(first, first + len(values))
        axes.plot(places, shown, style, color=LINE_COLOURS[index % 3], marker=".", label=plain(name))
    axes.set_yscale("log")
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.grid(visible=True)
