"""Pictures of u(t, x): the field over space and time, and its profiles at some times."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pinnkan.output.exports.field_table import Array
from pinnkan.output.pictures.canvas import DEFAULT_DPI, DOUBLE_COLUMN_MM, legend_below, picture
from pinnkan.output.pictures.field import colour_panel
from pinnkan.output.pictures.labels import Caption, symbol
from pinnkan.output.pictures.line import Curve, draw_curves, draw_errors
from pinnkan.output.pictures.plane import grid_plane


def plot_spacetime(
    path: Path,
    times: Array,
    places: Array,
    values: Array,
    *,
    names: tuple[str, str],
    quantity: str,
    profiles: Sequence[tuple[float, Curve]],
    caption: Caption,
    dpi: int = DEFAULT_DPI,
) -> None:
    """Draw a field over space and time beside its profiles at some times, and their errors if known.

    Args:
        path: PNG, PDF or SVG.
        times: Shape (nt,), increasing.
        places: Shape (nx,), increasing.
        values: Shape (nt * nx,), the place running fastest.
        names: Of the time and of the coordinate.
        quantity: What is drawn; may hold mathtext.
        profiles: Times with the curve of each, at least one; a line in the field marks each time.
        caption: What stands above.
        dpi: Pixels per inch.

    Raises:
        UsageError: If the suffix or the dpi cannot be served.
        FileAccessError: If the file cannot be written.
    """
    curves = [curve for _, curve in profiles]
    compared = any(curve.reference is not None for curve in curves)
    with picture(path, DOUBLE_COLUMN_MM, 80.0, dpi=dpi) as figure:
        figure.suptitle(caption.text(DOUBLE_COLUMN_MM))
        field, panels = _panels(figure, compared=compared)
        plane = grid_plane(names, times, places, equal_scale=False)
        colour_panel(figure, field, plane, values, label=quantity)
        field.set(xlabel=symbol(names[0]), ylabel=symbol(names[1]))
        for time, _ in profiles:
            # White over black: seen on dark and on bright colours.
            field.axvline(time, color="black", linewidth=1.2, alpha=0.4)
            field.axvline(time, color="white", linewidth=0.7, linestyle="--")
        draw_curves(panels[0], curves)
        panels[0].set_ylabel(quantity)
        if compared:
            draw_errors(panels[1], curves)
        panels[-1].set_xlabel(symbol(names[1]))
        legend_below(figure, panels[0])


def _panels(figure: Figure, *, compared: bool) -> tuple[Axes, list[Axes]]:
    """Return the panel of the field, over the whole height, and the one or two of the profiles."""
    grid = figure.add_gridspec(2, 2, width_ratios=[1.15, 1], height_ratios=[2.2, 1])
    field = figure.add_subplot(grid[:, 0])
    if not compared:
        return field, [figure.add_subplot(grid[:, 1])]
    upper = figure.add_subplot(grid[0, 1])
    upper.tick_params(labelbottom=False)
    return field, [upper, figure.add_subplot(grid[1, 1], sharex=upper)]
