"""Pictures of u(t, x): fields over space and time, and their profiles at some times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec

from pinnkan.ground.arrays import FloatArray
from pinnkan.output.pictures.canvas import DEFAULT_DPI, DOUBLE_COLUMN_MM, legend_below, picture
from pinnkan.output.pictures.field import colour_panel
from pinnkan.output.pictures.labels import Caption, symbol
from pinnkan.output.pictures.line import Curve, draw_curves, draw_errors, time_styles
from pinnkan.output.pictures.plane import Plane, grid_plane

_ROW_MM, _REST_MM = 62.0, 18.0
"""Height of the panels of a field, and of title and legend."""


@dataclass(frozen=True)
class FilmedField:
    """A field over space and time.

    Attributes:
        quantity: What it is called; may hold mathtext.
        values: Shape (nt * nx,), the place running fastest.
        profiles: Times with the curve of each, at least one.
    """

    quantity: str
    values: FloatArray
    profiles: Sequence[tuple[float, Curve]]


def plot_spacetime_fields(
    path: Path,
    times: FloatArray,
    places: FloatArray,
    fields: Sequence[FilmedField],
    *,
    names: tuple[str, str],
    caption: Caption,
    dpi: int = DEFAULT_DPI,
) -> None:
    """Draw fields over space and time, each beside its profiles at some times, and their errors if known.

    Args:
        path: PNG, PDF or SVG.
        times: Shape (nt,), increasing.
        places: Shape (nx,), increasing.
        fields: At least one; each has a row, and a line in it marks each time that has a profile.
        names: Of the time and of the coordinate.
        caption: What stands above.
        dpi: Pixels per inch.

    Raises:
        UsageError: If the suffix or the dpi cannot be served.
        FileAccessError: If the file cannot be written.
    """
    plane = grid_plane(names, times, places, equal_scale=False)
    with picture(path, DOUBLE_COLUMN_MM, len(fields) * _ROW_MM + _REST_MM, dpi=dpi) as figure:
        figure.suptitle(caption.text(DOUBLE_COLUMN_MM))
        grid = figure.add_gridspec(
            2 * len(fields), 2, width_ratios=[1.15, 1], height_ratios=[2.2, 1] * len(fields)
        )
        upper = [
            _draw_row(figure, grid, row, plane, field, lowest=row + 1 == len(fields))
            for row, field in enumerate(fields)
        ]
        legend_below(figure, *upper)


def _draw_row(
    figure: Figure, grid: GridSpec, row: int, plane: Plane, field: FilmedField, *, lowest: bool
) -> Axes:
    """Draw a field at the left and its profiles at the right; return the panel of the profiles."""
    curves = [curve for _, curve in field.profiles]
    styles = time_styles(len(curves))
    compared = any(curve.reference is not None for curve in curves)
    filmed, panels = _panels(figure, grid, row, compared=compared)
    colour_panel(figure, filmed, plane, field.values, label=field.quantity)
    filmed.set_ylabel(symbol(plane.names[1]))
    for time, _ in field.profiles:
        # White over black: seen on dark and on bright colours.
        filmed.axvline(time, color="black", linewidth=1.2, alpha=0.4)
        filmed.axvline(time, color="white", linewidth=0.7, linestyle="--")
    draw_curves(panels[0], curves, styles)
    panels[0].set_ylabel(field.quantity)
    if compared:
        draw_errors(panels[1], curves, styles)
    for axes, name in ((filmed, plane.names[0]), (panels[-1], plane.names[1])):
        axes.set_xlabel(symbol(name) if lowest else "")
        axes.tick_params(labelbottom=lowest)
    return panels[0]


def _panels(figure: Figure, grid: GridSpec, row: int, *, compared: bool) -> tuple[Axes, list[Axes]]:
    """Return the panel of a field, over the height of its row, and the one or two of its profiles."""
    top, both = 2 * row, slice(2 * row, 2 * row + 2)
    field = figure.add_subplot(grid[both, 0])
    if not compared:
        return field, [figure.add_subplot(grid[both, 1])]
    upper = figure.add_subplot(grid[top, 1])
    upper.tick_params(labelbottom=False)
    return field, [upper, figure.add_subplot(grid[top + 1, 1], sharex=upper)]
