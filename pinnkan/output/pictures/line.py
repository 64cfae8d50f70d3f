"""Pictures of functions of one coordinate: solutions, their references, and their differences below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pinnkan.ground.arrays import FloatArray
from pinnkan.output.pictures.canvas import (
    DEFAULT_DPI,
    DOUBLE_COLUMN_MM,
    SINGLE_COLUMN_MM,
    Numbers,
    legend_below,
    picture,
)
from pinnkan.output.pictures.colours import LINE_COLOURS
from pinnkan.output.pictures.labels import Caption, symbol
from pinnkan.output.pictures.layout import ABREAST, filled_cells

_APART = 20.0
"""Curves share an axis unless it would be so many times as long as what one of them runs through."""
_ROUNDING = 1e-12
"""A curve that runs through less than this share of its size is constant: it is seen on any axis."""
_MARKERS = "osD^v<>"
_BETWEEN_MARKS = 0.14
"""The way along a curve from mark to mark, in diagonals of the panel."""


@dataclass(frozen=True)
class Curve:
    """One function of one coordinate.

    Attributes:
        label: What the legend or the panel's title calls it, such as ``$v$``; may be empty.
        places: Places along the coordinate, increasing, shape (N,).
        values: Values there, shape (N,); a NaN leaves a gap.
        reference: What they should be, shape (N,), if that is known.
    """

    label: str
    places: FloatArray
    values: FloatArray
    reference: FloatArray | None = None


Style = dict[str, Any]


def plot_lines(
    path: Path,
    curves: Sequence[Curve],
    *,
    coordinate: str,
    quantity: str,
    caption: Caption,
    dpi: int = DEFAULT_DPI,
) -> None:
    """Draw curves over one coordinate; where there is a reference, dashed, the error has a panel below.

    Several curves are several fields. They share one panel, told apart by colours
    and marks, unless they differ so much in size that one would look flat there:
    then each has a panel of its own, three in a row.

    Args:
        path: PNG, PDF or SVG.
        curves: At least one.
        coordinate: The name of the coordinate.
        quantity: What the vertical axis shows where there is one; may hold mathtext.
        caption: What stands above.
        dpi: Pixels per inch of a PNG.

    Raises:
        UsageError: If the suffix or the dpi cannot be served.
        FileAccessError: If the file cannot be written.
    """
    groups = [list(curves)] if _share_an_axis(curves) else [[replace(curve, label="")] for curve in curves]
    cells = filled_cells(len(groups), ABREAST)
    rows, columns = (1 + max(numbers) for numbers in zip(*cells, strict=True))
    compared = any(curve.reference is not None for curve in curves)
    width = SINGLE_COLUMN_MM if columns == 1 else DOUBLE_COLUMN_MM
    with picture(path, width, rows * (85.0 if compared else 65.0), dpi=dpi) as figure:
        figure.suptitle(caption.text(width))
        uppers, lowers = _panels(figure, rows, columns, compared=compared)
        for index, (group, cell) in enumerate(zip(groups, cells, strict=True)):
            foot = _draw_group(uppers[cell], lowers[cell], group)
            lowest = len(cells) <= index + columns
            foot.set_xlabel(symbol(coordinate) if lowest else "")
            foot.tick_params(labelbottom=lowest)
        if len(groups) == 1:
            uppers[0, 0].set_ylabel(quantity)
        else:
            for curve, cell in zip(curves, cells, strict=True):
                uppers[cell].set_title(curve.label)
        legend_below(figure, *(uppers[cell] for cell in cells))


def _share_an_axis(curves: Sequence[Curve]) -> bool:
    """Tell whether every curve can be read on an axis that holds them all."""
    finite = [curve.values[np.isfinite(curve.values)] for curve in curves]
    ends = [(float(values.min()), float(values.max())) for values in finite if values.size]
    if not ends:
        return True
    whole = max(high for _, high in ends) - min(low for low, _ in ends)
    spans = [high - low for low, high in ends if high - low > _ROUNDING * max(abs(low), abs(high))]
    return all(whole <= _APART * span for span in spans)


def _panels(figure: Figure, rows: int, columns: int, *, compared: bool) -> tuple[Any, Any]:
    """Return the panels of the values and those at their foot: of the errors, or the same ones again.

    Both are arrays of shape (rows, columns). All panels are hidden until something is drawn in them.
    """
    parts = 1 + compared
    grid = figure.subplots(
        rows * parts, columns, squeeze=False, sharex=True, height_ratios=[2.2, 1][:parts] * rows
    )
    for axes in grid.flat:
        axes.set_visible(False)
    return grid[::parts], grid[parts - 1 :: parts]


def _draw_group(upper: Axes, lower: Axes, curves: Sequence[Curve]) -> Axes:
    """Draw the curves that share a panel, and known errors; return the panel at the foot."""
    styles = field_styles(len(curves))
    draw_curves(upper, curves, styles)
    if all(curve.reference is None for curve in curves):
        return upper
    draw_errors(lower, curves, styles)
    return lower


def draw_curves(axes: Axes, curves: Sequence[Curve], styles: Sequence[Style]) -> None:
    """Draw curves, then their references as dashes on top, with one entry in the legend for all of these."""
    axes.set_visible(True)
    for curve, style in zip(curves, styles, strict=True):
        label = curve.label or ("solution" if curve.reference is not None else "")
        _plot(axes, curve.places, curve.values, {**style, "label": label})
    known = [(curve.places, curve.reference) for curve in curves if curve.reference is not None]
    for index, (places, reference) in enumerate(known):
        label = "reference" if index == 0 else ""
        axes.plot(places, reference, "--", color="black", linewidth=0.8, label=label)
    axes.margins(x=0)
    axes.yaxis.set_major_formatter(Numbers())
    axes.grid(visible=True)


def _plot(axes: Axes, places: FloatArray, values: FloatArray, style: Style) -> None:
    # Along a line that is nowhere, matplotlib cannot place marks, and fails.
    nowhere = not np.isfinite(values).any()
    axes.plot(places, values, **({**style, "markevery": None} if nowhere else style))


def draw_errors(axes: Axes, curves: Sequence[Curve], styles: Sequence[Style]) -> None:
    """Draw value minus reference about a line at zero."""
    axes.set_visible(True)
    axes.axhline(0.0, color="0.4", linewidth=0.5)
    for curve, style in zip(curves, styles, strict=True):
        if curve.reference is not None:
            _plot(axes, curve.places, curve.values - curve.reference, {**style, "linewidth": 0.8})
    axes.set_ylabel("error")
    axes.margins(x=0)
    axes.grid(visible=True)


def field_styles(count: int) -> list[Style]:
    """Return how to draw several fields: each has its colour and, for eyes and paper without, its mark."""
    if count == 1:
        return [{"color": LINE_COLOURS[0]}]
    # Each begins a little later, so that marks of lines that lie on each other do not.
    starts = [(0.25 + 0.5 * index / count) * _BETWEEN_MARKS for index in range(count)]
    return [
        {
            "color": LINE_COLOURS[index % len(LINE_COLOURS)],
            # After all colours once, each goes with the next mark.
            "marker": _MARKERS[(index + index // len(LINE_COLOURS)) % len(_MARKERS)],
            "markevery": (start, _BETWEEN_MARKS),
        }
        for index, start in enumerate(starts)
    ]


def time_styles(count: int) -> list[Style]:
    """Return how to draw one field at several times: an even scale without its palest end."""
    if count == 1:
        return field_styles(1)
    scale = matplotlib.colormaps["viridis"]
    return [{"color": scale(0.88 * index / (count - 1))} for index in range(count)]
