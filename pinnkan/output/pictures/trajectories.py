"""Pictures of a study: what losses did over steps and seconds, median and range over seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from pinnkan.ground.arrays import FloatArray
from pinnkan.output.pictures.canvas import DEFAULT_DPI, DOUBLE_COLUMN_MM, legend_below, picture
from pinnkan.output.pictures.colours import LINE_COLOURS, LINE_DASHES
from pinnkan.output.pictures.labels import plain

_PLACES = 200
_PANEL_MM, _REST_MM = 46.0, 34.0
"""Height of a panel, and of title, axis and legend."""


@dataclass(frozen=True)
class Trajectory:
    """One training: at S steps, increasing.

    Attributes:
        steps: Shape (S,).
        seconds: Since the training began, shape (S,).
        loss: Shape (S,); NaN where nothing was measured.
    """

    steps: FloatArray
    seconds: FloatArray
    loss: FloatArray


@dataclass(frozen=True)
class Panel:
    """Lines that are compared with each other.

    Attributes:
        title: What they have in common; may hold mathtext.
        lines: Trainings by label; those of one label are one line.
    """

    title: str
    lines: Mapping[str, Sequence[Trajectory]]


def plot_trajectories(
    path: Path,
    panels: Sequence[Panel],
    *,
    title: str,
    quantity: str = "loss",
    dpi: int = DEFAULT_DPI,
) -> None:
    """Draw one line a label, the median of its trainings, over steps (left) and seconds (right).

    A band spans their range. A training holds its first loss before that and its last one after its end.

    Args:
        path: PNG, PDF or SVG.
        panels: One below the other; a label has one colour in all.
        title: What stands above.
        quantity: What the vertical axis shows.
        dpi: Pixels per inch of a PNG.

    Raises:
        UsageError: If the suffix or the dpi cannot be served.
        FileAccessError: If the file cannot be written.
    """
    labels = list(dict.fromkeys(label for panel in panels for label in panel.lines))
    height = _PANEL_MM * len(panels) + _REST_MM
    with picture(path, DOUBLE_COLUMN_MM, height, dpi=dpi) as figure:
        figure.suptitle(plain(title))
        grid = figure.subplots(len(panels), 2, sharey="row", sharex="col", squeeze=False)
        for panel, (left, right) in zip(panels, grid, strict=True):
            for label, runs in panel.lines.items():
                style = _style(labels.index(label))
                _draw(left, [(run.steps, run.loss) for run in runs], label, style)
                _draw(right, [(run.seconds, run.loss) for run in runs], label, style)
            left.set(ylabel=quantity, yscale="log")
            left.set_title(panel.title, loc="left")
            left.xaxis.set_major_locator(MaxNLocator(6, integer=True))
            for axes in (left, right):
                axes.grid(visible=True)
        grid[-1, 0].set(xlabel="step")
        grid[-1, 1].set(xlabel="seconds")
        legend_below(figure, *grid[:, 0])


def _style(place: int) -> tuple[str, str]:
    """Return the colour and dashes of a line."""
    round_of_colours, colour = divmod(place, len(LINE_COLOURS))
    return LINE_COLOURS[colour], LINE_DASHES[round_of_colours % len(LINE_DASHES)]


def _draw(
    axes: Axes, runs: Sequence[tuple[FloatArray, FloatArray]], label: str, style: tuple[str, str]
) -> None:
    colour, dashes = style
    places = np.linspace(min(x[0] for x, _ in runs), max(x[-1] for x, _ in runs), _PLACES)
    curves = np.array([_interpolated(places, x, y) for x, y in runs])
    axes.plot(places, np.median(curves, axis=0), color=colour, linestyle=dashes, linewidth=1.0, label=label)
    if len(runs) > 1:
        axes.fill_between(
            places, curves.min(axis=0), curves.max(axis=0), color=colour, alpha=0.15, linewidth=0
        )


def _interpolated(places: FloatArray, x: FloatArray, y: FloatArray) -> FloatArray:
    """Return y at places, between its measured values by decades."""
    known = np.isfinite(y) & (y > 0)
    return np.exp(np.interp(places, x[known], np.log(y[known])))
