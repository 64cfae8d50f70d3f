"""Pictures of collocation sets: which points stand where, for which condition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pinnkan.ground.arrays import FloatArray
from pinnkan.output.pictures.canvas import (
    DEFAULT_DPI,
    DOUBLE_COLUMN_MM,
    SINGLE_COLUMN_MM,
    legend_below,
    picture,
)
from pinnkan.output.pictures.colours import LINE_COLOURS
from pinnkan.output.pictures.labels import Caption, plain, symbol

_MARKERS = "osD^v<>"


def plot_collocation(
    path: Path,
    sets: Mapping[str, FloatArray],
    *,
    coordinates: Sequence[str],
    time: str | None = None,
    caption: Caption,
    dpi: int = DEFAULT_DPI,
) -> None:
    """Draw point sets as seen along the coordinates: a panel a pair of them, a row a set where there is one.

    Args:
        path: PNG, PDF or SVG.
        sets: Points by the name of their set, each of shape (N, D).
        coordinates: Names, in header order.
        time: Which of them is time: it is not to scale with lengths.
        caption: What stands above.
        dpi: Pixels per inch of a PNG.

    Raises:
        UsageError: If the suffix or the dpi cannot be served.
        FileAccessError: If the file cannot be written.
    """
    pairs = _pairs(coordinates, time)
    width = SINGLE_COLUMN_MM if len(pairs) < 2 else DOUBLE_COLUMN_MM
    height = 45.0 if not pairs else 90.0 if len(pairs) != 3 else 75.0
    with picture(path, width, height, dpi=dpi) as figure:
        figure.suptitle(caption.text(width))
        if not pairs:
            _draw_rows(figure, sets, coordinates[0])
            return
        panels = figure.subplots(1, len(pairs), squeeze=False)[0]
        for axes, (a, b) in zip(panels, pairs, strict=True):
            _draw_pair(axes, {name: points[:, [a, b]] for name, points in sets.items()})
            axes.set(xlabel=symbol(coordinates[a]), ylabel=symbol(coordinates[b]))
            if time not in (coordinates[a], coordinates[b]):
                axes.set_aspect("equal", adjustable="datalim")
        legend_below(figure, panels[0])


def _pairs(coordinates: Sequence[str], time: str | None) -> list[tuple[int, int]]:
    """Return the pairs of coordinates that get a panel: the first length with the others and with time."""
    space = [i for i, name in enumerate(coordinates) if name != time]
    pairs = [(space[0], other) for other in space[1:]]
    return pairs if time is None or not space else [*pairs, (coordinates.index(time), space[0])]


def _draw_pair(axes: Axes, sets: Mapping[str, FloatArray]) -> None:
    for (name, points), style in zip(sets.items(), _styles(sets), strict=False):
        label = f"{plain(name)} ({len(points):,})"
        axes.plot(points[:, 0], points[:, 1], linestyle="", label=label, **style)


def _draw_rows(figure: Figure, sets: Mapping[str, FloatArray], coordinate: str) -> None:
    """Draw the sets of an interval, in space or time, as rows, the first on top."""
    axes = figure.add_subplot()
    for row, ((_, points), style) in enumerate(zip(sets.items(), _styles(sets), strict=False)):
        axes.plot(points[:, 0], np.full(len(points), -row), linestyle="", **style)
    labels = [f"{plain(name)} ({len(points):,})" for name, points in sets.items()]
    axes.set_yticks([-row for row in range(len(sets))], labels)
    axes.set_ylim(-len(sets) + 0.5, 0.5)
    axes.set_xlabel(symbol(coordinate))


def _styles(sets: Mapping[str, FloatArray]) -> Iterator[dict[str, Any]]:
    """Yield a colour, a marker and a size a set: the more points, the smaller; the frame cuts none."""
    for points, colour, marker in zip(sets.values(), cycle(LINE_COLOURS), cycle(_MARKERS), strict=False):
        size = float(np.clip(40 / np.sqrt(max(len(points), 1)), 0.8, 2.5))
        yield {
            "color": colour,
            "marker": marker,
            "markersize": size,
            "markeredgewidth": 0,
            "clip_on": False,
        }
