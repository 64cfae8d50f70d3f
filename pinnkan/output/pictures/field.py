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

from pinnkan.output.exports.field_table import Array
from pinnkan.output.pictures.canvas import (
    DEFAULT_DPI,
    DOUBLE_COLUMN_MM,
    MM_PER_INCH,
    SINGLE_COLUMN_MM,
    Numbers,
    fit_height,
    picture,
)
from pinnkan.output.pictures.colours import Scale, scale_of
from pinnkan.output.pictures.labels import Caption, symbol
from pinnkan.output.pictures.plane import Plane

_MOST_COLUMNS = 5
# Panels flatter than this stand above each other.
_FLAT = 0.45
_MOST_HEIGHT_MM = 160.0
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
    """

    label: str
    values: tuple[Array, ...]
    kind: Literal["value", "signed", "magnitude"] = "value"
    title: str = ""
    same_scale_as_previous: bool = False


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

    Quantities at one time stand side by side; at several times each has a row,
    with one column a time; one quantity at many times fills rows of up to five.
    Panels of one quantity share their colours.

    Args:
        path: PNG, PDF or SVG.
        plane: The region.
        quantities: What is drawn, at least one, all at the same number of times.
        caption: What stands above.
        times: A title for each time, such as ``$t = 0.5$``.
        contours: Number of lines of equal value drawn over quantities of kind ``value``.
        dpi: Pixels per inch.

    Raises:
        UsageError: If the suffix or the dpi cannot be served.
        FileAccessError: If the file cannot be written.
    """
    layout = _Layout.of(plane, quantities)
    text = caption.text(layout.width_mm)
    with picture(path, layout.width_mm, layout.height_mm, dpi=dpi, layout="compressed") as figure:
        title = figure.suptitle(text)
        grid = figure.subplots(layout.rows, layout.columns, squeeze=False)
        panels = _numbered(grid, sum(len(q.values) for q in quantities))
        _label_axes(grid, plane)
        _title_panels(panels, quantities, times, in_rows=layout.in_rows)
        _draw_all(figure, panels, plane, quantities, contours=contours)
        fit_height(figure, title)


@dataclass(frozen=True)
class _Layout:
    """How many panels stand where, and how large the paper is.

    Attributes:
        rows: Rows of panels.
        columns: Columns of panels.
        panel_shape: Height over width of a panel.
        in_rows: Whether each quantity has its own row, one column a time.
    """

    rows: int
    columns: int
    panel_shape: float
    in_rows: bool = False

    @classmethod
    def of(cls, plane: Plane, quantities: Sequence[Quantity]) -> _Layout:
        shape = plane.height_over_width
        times = len(quantities[0].values)
        if times == 1 and shape < _FLAT:
            return cls(len(quantities), 1, shape)
        if times == 1:
            return cls(1, len(quantities), shape)
        if len(quantities) == 1:
            rows = -(-times // _MOST_COLUMNS)
            return cls(rows, -(-times // rows), shape)
        return cls(len(quantities), times, shape, in_rows=True)

    @property
    def width_mm(self) -> float:
        return SINGLE_COLUMN_MM if self.columns == 1 else DOUBLE_COLUMN_MM

    @property
    def height_mm(self) -> float:
        """A height at which the width is what limits the panels; what is too much is cut off in the end."""
        return min(self.rows * (self.width_mm / self.columns * self.panel_shape + 25), _MOST_HEIGHT_MM)


def colour_panel(figure: Figure, axes: Axes, plane: Plane, values: Array, *, label: str) -> None:
    """Draw one field of kind ``value`` into a panel of somebody else's figure, with its colour bar."""
    scale = scale_of([values], "value")
    _draw(axes, plane, scale.prepare(values), scale)
    axes.margins(0)
    _colour_bars(figure, [axes], scale, label)


def _numbered(grid: Any, count: int) -> list[Axes]:
    """Return the panels in reading order; those beyond the count are taken off the paper."""
    panels: list[Axes] = list(grid.flat)
    for axes in panels[count:]:
        axes.set_visible(False)
    return panels[:count]


def _draw_all(
    figure: Figure, panels: list[Axes], plane: Plane, quantities: Sequence[Quantity], *, contours: int
) -> None:
    """Fill the panels in order; each run of quantities with the same scale has its colours."""
    start = 0
    runs = _runs(quantities)
    for members in runs:
        kind = members[0].kind
        fields = [values for quantity in members for values in quantity.values]
        scale = scale_of(fields, kind)
        mine = panels[start : start + len(fields)]
        start += len(fields)
        for axes, values in zip(mine, fields, strict=True):
            _draw(axes, plane, scale.prepare(values), scale)
            if contours and kind == "value":
                _draw_contours(axes, plane, scale.prepare(values), scale, contours)
        _colour_bars(figure, mine, scale, members[0].label if len(runs) == 1 else "")


def _runs(quantities: Sequence[Quantity]) -> list[list[Quantity]]:
    """Group quantities with those that share their scale."""
    runs: list[list[Quantity]] = []
    for quantity in quantities:
        if runs and quantity.same_scale_as_previous:
            runs[-1].append(quantity)
        else:
            runs.append([quantity])
    return runs


def _draw(axes: Axes, plane: Plane, shown: Array, scale: Scale) -> None:
    """Colour one panel; the colours are pixels also in a vector format, lines and text are not."""
    style: dict[str, Any] = {"cmap": scale.colours, "norm": scale.norm, "rasterized": True}
    mesh = axes.tripcolor(plane.covered(shown), shown, shading="gouraud", **style)
    # It ends with its axes. Asked for its extent, it would make a path of every triangle: half of all time.
    mesh.set_in_layout(False)
    # White is a value on the signed scale: without a line nobody sees where the domain ends.
    axes.add_collection(LineCollection(list(plane.edge), colors="0.3", linewidths=0.3, capstyle="round"))


def _draw_contours(axes: Axes, plane: Plane, shown: Array, scale: Scale, count: int) -> None:
    levels = np.linspace(scale.low, scale.high, count + 2)[1:-1]
    inside = levels[(levels > np.nanmin(shown)) & (levels < np.nanmax(shown))]
    if inside.size:
        style: dict[str, Any] = {"linewidths": 0.35, "linestyles": "solid", "alpha": 0.7}
        axes.tricontour(plane.covered(shown), shown, levels=inside, colors="white", **style)


def _label_axes(grid: Any, plane: Plane) -> None:
    """Set scales, and put names and numbers on the outer panels only."""
    rows, columns = grid.shape
    for (row, column), axes in np.ndenumerate(grid):
        axes.set_aspect("equal" if plane.to_scale else "auto")
        axes.set_box_aspect(None if plane.to_scale else plane.height_over_width)
        axes.margins(0)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(MaxNLocator(4 if columns < 4 else 2, steps=[1, 2, 5, 10]))
        lowest = row + 1 == rows or not grid[row + 1, column].get_visible()
        axes.tick_params(labelbottom=lowest, labelleft=column == 0)
        axes.set_xlabel(symbol(plane.names[0]) if lowest else "")
        axes.set_ylabel(symbol(plane.names[1]) if column == 0 else "")


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
