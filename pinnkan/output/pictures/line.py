"""Pictures of functions of one coordinate: a solution, its reference, and their difference below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes

from pinnkan.output.exports.field_table import Array
from pinnkan.output.pictures.canvas import DEFAULT_DPI, SINGLE_COLUMN_MM, Numbers, legend_below, picture
from pinnkan.output.pictures.colours import LINE_COLOURS
from pinnkan.output.pictures.labels import Caption, symbol

Colour = tuple[float, float, float, float] | str


@dataclass(frozen=True)
class Curve:
    """One function of one coordinate.

    Attributes:
        label: What the legend calls it, such as ``$t = 0.5$``; may be empty.
        places: Places along the coordinate, increasing, shape (N,).
        values: Values there, shape (N,); a NaN leaves a gap.
        reference: What they should be, shape (N,), if that is known.
    """

    label: str
    places: Array
    values: Array
    reference: Array | None = None


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

    Several curves take their colours from an even scale in their order, as times do.

    Args:
        path: PNG, PDF or SVG.
        curves: At least one.
        coordinate: The name of the coordinate.
        quantity: What the vertical axis shows; may hold mathtext.
        caption: What stands above.
        dpi: Pixels per inch of a PNG.

    Raises:
        UsageError: If the suffix or the dpi cannot be served.
        FileAccessError: If the file cannot be written.
    """
    compared = any(curve.reference is not None for curve in curves)
    with picture(path, SINGLE_COLUMN_MM, 85.0 if compared else 65.0, dpi=dpi) as figure:
        figure.suptitle(caption.text(SINGLE_COLUMN_MM))
        panels = figure.subplots(
            1 + compared, squeeze=False, sharex=True, height_ratios=[2.2, 1][: 1 + compared]
        )[:, 0]
        draw_curves(panels[0], curves)
        panels[0].set_ylabel(quantity)
        if compared:
            draw_errors(panels[1], curves)
        panels[-1].set_xlabel(symbol(coordinate))
        legend_below(figure, panels[0])


def draw_curves(axes: Axes, curves: Sequence[Curve]) -> None:
    """Draw curves, then their references as dashes on top, with one entry in the legend for all of these."""
    for curve, colour in zip(curves, curve_colours(len(curves)), strict=True):
        label = curve.label or ("solution" if curve.reference is not None else "")
        axes.plot(curve.places, curve.values, color=colour, label=label)
    known = [(curve.places, curve.reference) for curve in curves if curve.reference is not None]
    for index, (places, reference) in enumerate(known):
        label = "reference" if index == 0 else ""
        axes.plot(places, reference, "--", color="black", linewidth=0.8, label=label)
    axes.margins(x=0)
    axes.yaxis.set_major_formatter(Numbers())
    axes.grid(visible=True)


def draw_errors(axes: Axes, curves: Sequence[Curve]) -> None:
    """Draw value minus reference about a line at zero."""
    axes.axhline(0.0, color="0.4", linewidth=0.5)
    for curve, colour in zip(curves, curve_colours(len(curves)), strict=True):
        if curve.reference is not None:
            axes.plot(curve.places, curve.values - curve.reference, color=colour, linewidth=0.8)
    axes.set_ylabel("error")
    axes.margins(x=0)
    axes.grid(visible=True)


def curve_colours(count: int) -> list[Colour]:
    """Return one colour for a single curve, and an even scale without its palest end for several."""
    if count == 1:
        return [LINE_COLOURS[0]]
    scale = matplotlib.colormaps["viridis"]
    return [scale(0.88 * i / (count - 1)) for i in range(count)]
