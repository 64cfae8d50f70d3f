"""Pictures of fields over a plane region: one or several quantities, at one or several times."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.gridspec import SubplotSpec
from matplotlib.ticker import MaxNLocator

from pinnkan.ground.arrays import FloatArray
from pinnkan.output.pictures.canvas import (
    DEFAULT_DPI,
    MM_PER_INCH,
    Numbers,
    fit_height,
    picture,
)
from pinnkan.output.pictures.colours import Scale, scale_of
from pinnkan.output.pictures.flow import Flow, draw_flow
from pinnkan.output.pictures.labels import Caption, symbol
from pinnkan.output.pictures.layout import Layout, film_layout, still_layout
from pinnkan.output.pictures.plane import Plane

_BAR_MM = 2.2


@dataclass(frozen=True)
class Quantity:
    """A field to be drawn.

    Attributes:
        label: What the colour bar is called if it is the only one; may hold mathtext.
        values: Values on the corners of the plane, shape (N,), one array a time; a NaN leaves a hole.
        kind: ``value`` (perceptually uniform colours from least to greatest),
            ``signed`` (two hues about zero, for errors and residuals) or
            ``magnitude`` (absolute values on a logarithmic scale).
        title: What stands above its panels; may hold mathtext.
        same_scale_as_previous: Share the colours of the quantity before (an
            exact solution beside a computed one).
        starts_group: Whether it and those after it, up to the next such one, have rows of
            their own (the next unknown, with its reference and error).
        flows: Vectors drawn over it, as many a flow as there are times.
    """

    label: str
    values: tuple[FloatArray, ...]
    kind: Literal["value", "signed", "magnitude"] = "value"
    title: str = ""
    same_scale_as_previous: bool = False
    starts_group: bool = False
    flows: tuple[Flow, ...] = ()


def plot_fields(
    path: Path,
    plane: Plane,
    quantities: Sequence[Quantity],
    *,
    caption: Caption,
    times: Sequence[str] = (),
    contours: int = 0,
    dpi: int = DEFAULT_DPI,
) -> None:
    """Draw quantities over a plane region and write the picture.

    Quantities at one time stand side by side, three in a row, and flat ones above
    each other; each group of them has its own rows (or columns, if they are flat).
    At several times each quantity has a row, with one column a time; one quantity at
    many times fills rows of up to five. Panels of one quantity share their colours.

    Args:
        path: PNG, PDF or SVG.
        plane: The region.
        quantities: What is drawn, at least one, all at the same number of times.
        caption: What stands above.
        times: A title for each time, such as ``$t = 0.5$``.
        contours: Number of lines of equal value drawn over quantities of kind ``value`` without flows.
        dpi: Pixels per inch.

    Raises:
        UsageError: If the suffix or the dpi cannot be served.
        FileAccessError: If the file cannot be written.
    """
    layout = _layout(plane, quantities)
    text = caption.text(layout.width_mm)
    with picture(path, layout.width_mm, layout.height_mm, dpi=dpi, layout="compressed") as figure:
        title = figure.suptitle(text)
        grid = figure.subplots(layout.rows, layout.columns, squeeze=False)
        panels = _placed(grid, layout)
        _label_axes(grid, plane)
        _title_panels(panels, quantities, times, in_rows=layout.in_rows)
        _draw_all(figure, panels, plane, quantities, contours=contours)
        fit_height(figure, title)


def _layout(plane: Plane, quantities: Sequence[Quantity]) -> Layout:
    times = len(quantities[0].values)
    if times > 1:
        return film_layout(plane.height_over_width, len(quantities), times)
    sizes = [0]
    for quantity in quantities:
        if quantity.starts_group and sizes[-1]:
            sizes.append(0)
        sizes[-1] += 1
    return still_layout(plane.height_over_width, sizes)


def colour_panel(figure: Figure, axes: Axes, plane: Plane, values: FloatArray, *, label: str) -> None:
    """Draw one field of kind ``value`` into a panel of somebody else's figure, with its colour bar."""
    scale = scale_of([values], "value")
    _draw(axes, plane, scale.prepare(values), scale)
    axes.margins(0)
    _colour_bars(figure, [axes], scale, label)


def _placed(grid: Any, layout: Layout) -> list[Axes]:
    """Return the panels in their order; what is empty of the grid is taken off the paper."""
    for cell, axes in np.ndenumerate(grid):
        axes.set_visible(cell in layout.cells)
    return [grid[cell] for cell in layout.cells]


def _draw_all(
    figure: Figure, panels: list[Axes], plane: Plane, quantities: Sequence[Quantity], *, contours: int
) -> None:
    """Fill the panels in order; each run of quantities with the same scale has its colours."""
    start = 0
    runs = _runs(quantities)
    for members in runs:
        scale = scale_of([values for quantity in members for values in quantity.values], members[0].kind)
        first = start
        for quantity in members:
            for time, values in enumerate(quantity.values):
                shown = scale.prepare(values)
                _draw(panels[start], plane, shown, scale)
                if contours and members[0].kind == "value" and not quantity.flows:
                    _draw_contours(panels[start], plane, shown, scale, contours)
                for flow in quantity.flows:
                    draw_flow(panels[start], plane, flow, time)
                start += 1
        _colour_bars(figure, panels[first:start], scale, members[0].label if len(runs) == 1 else "")


def _runs(quantities: Sequence[Quantity]) -> list[list[Quantity]]:
    """Group quantities with those that share their scale."""
    runs: list[list[Quantity]] = []
    for quantity in quantities:
        if runs and quantity.same_scale_as_previous:
            runs[-1].append(quantity)
        else:
            runs.append([quantity])
    return runs


def _draw(axes: Axes, plane: Plane, shown: FloatArray, scale: Scale) -> None:
    """Colour one panel; the colours are pixels also in a vector format, lines and text are not."""
    style: dict[str, Any] = {"cmap": scale.colours, "norm": scale.norm, "rasterized": True}
    mesh = axes.tripcolor(plane.covered(shown), shown, shading="gouraud", **style)
    # It ends with its axes. Asked for its extent, it would make a path of every triangle: half of all time.
    mesh.set_in_layout(False)
    # White is a value on the signed scale: without a line nobody sees where the domain ends.
    axes.add_collection(LineCollection(list(plane.edge), colors="0.3", linewidths=0.3, capstyle="round"))


def _draw_contours(axes: Axes, plane: Plane, shown: FloatArray, scale: Scale, count: int) -> None:
    levels = np.linspace(scale.low, scale.high, count + 2)[1:-1]
    inside = levels[(levels > np.nanmin(shown)) & (levels < np.nanmax(shown))]
    if inside.size:
        style: dict[str, Any] = {"linewidths": 0.35, "linestyles": "solid", "alpha": 0.7}
        axes.tricontour(plane.covered(shown), shown, levels=inside, colors="white", **style)


def _label_axes(grid: Any, plane: Plane) -> None:
    """Set scales, and put names and numbers on the outer panels only."""
    columns = grid.shape[1]
    for (row, column), axes in np.ndenumerate(grid):
        axes.set_aspect("equal" if plane.to_scale else "auto")
        axes.set_box_aspect(None if plane.to_scale else plane.height_over_width)
        axes.margins(0)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(MaxNLocator(4 if columns < 4 else 2, steps=[1, 2, 5, 10]))
        lowest = not any(below.get_visible() for below in grid[row + 1 :, column])
        first = not any(before.get_visible() for before in grid[row, :column])
        axes.tick_params(labelbottom=lowest, labelleft=first)
        axes.set_xlabel(symbol(plane.names[0]) if lowest else "")
        axes.set_ylabel(symbol(plane.names[1]) if first else "")


def _title_panels(
    panels: list[Axes], quantities: Sequence[Quantity], times: Sequence[str], *, in_rows: bool
) -> None:
    """Name the panels: by quantity and time, or times above the columns and quantities beside the rows."""
    names = [(q.title, times[i] if times else "") for q in quantities for i in range(len(q.values))]
    for index, (axes, (title, time)) in enumerate(zip(panels, names, strict=True)):
        if not in_rows:
            axes.set_title(", ".join(part for part in (title, time) if part))
            continue
        row, column = divmod(index, len(quantities[0].values))
        if row == 0:
            axes.set_title(time)
        if column == 0:
            axes.set_ylabel(f"{title}\n{axes.get_ylabel()}")


def _colour_bars(figure: Figure, panels: list[Axes], scale: Scale, label: str) -> None:
    """Put a bar of exactly the panels' height at the end of each full row.

    A label stands beside it only where the picture has one scale: between two
    panels it would read as the name of the next panel's axis.
    """
    spans = {axes: cast(SubplotSpec, axes.get_subplotspec()) for axes in panels}
    last_column = max(span.colspan.stop for span in spans.values())
    for last in [axes for axes, span in spans.items() if span.colspan.stop == last_column]:
        width = _BAR_MM / MM_PER_INCH / (last.get_position().width * figure.get_figwidth())
        place = last.inset_axes((1 + 0.7 * width, 0.0, width, 1.0))
        mappable = ScalarMappable(norm=scale.norm, cmap=scale.colours)
        numbers = None if scale.logarithmic else Numbers()
        bar = figure.colorbar(mappable, cax=place, extend=scale.extend, format=numbers)
        cast(Artist, bar.outline).set(linewidth=0.4)
        cast(Artist, bar.solids).set_rasterized(True)
        if label:
            bar.set_label(f"{label} ({scale.factor})" if scale.factor else label)
        elif scale.factor:
            place.set_title(rf"$\times\,${scale.factor}", fontsize="small", loc="left")
