"""Pictures of a study: what losses did over steps and seconds, median and range over seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from pinnkan.output.canvas import DEFAULT_DPI, DOUBLE_COLUMN_MM, legend_below, picture
from pinnkan.output.colours import LINE_COLOURS
from pinnkan.output.samples import Array

_PLACES = 200


@dataclass(frozen=True)
class Trajectory:
    """One training: at S steps, increasing.

    Attributes:
        steps: Shape (S,).
        seconds: Since the training began, shape (S,).
        loss: Shape (S,); NaN where nothing was measured.
    """

    steps: Array
    seconds: Array
    loss: Array


def plot_trajectories(
    path: Path,
    groups: Mapping[str, Sequence[Trajectory]],
    *,
    title: str,
    quantity: str = "loss",
    dpi: int = DEFAULT_DPI,
) -> None:
    """Draw one line a group, the median of its trainings, over steps (left) and seconds (right).

    A band spans their range. Each ends where the shortest of its trainings does.

    Args:
        path: PNG, PDF or SVG.
        groups: Trainings by label.
        title: What stands above.
        quantity: What the vertical axis shows.
        dpi: Pixels per inch of a PNG.

    Raises:
        UsageError: If the suffix or the dpi cannot be served.
        FileAccessError: If the file cannot be written.
    """
    with picture(path, DOUBLE_COLUMN_MM, 80.0, dpi=dpi) as figure:
        figure.suptitle(title)
        left, right = figure.subplots(1, 2, sharey=True)
        for at, (label, runs) in enumerate(groups.items()):
            colour = LINE_COLOURS[at % len(LINE_COLOURS)]
            style = ("-", "--", ":", "-.")[at // len(LINE_COLOURS) % 4]
            _draw(left, [(one.steps, one.loss) for one in runs], label, colour, style)
            _draw(right, [(one.seconds, one.loss) for one in runs], label, colour, style)
        left.set(xlabel="step", ylabel=quantity, yscale="log")
        left.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        right.set(xlabel="seconds")
        for axes in (left, right):
            axes.grid(visible=True)
        legend_below(figure, left)


def _draw(axes: Axes, runs: Sequence[tuple[Array, Array]], label: str, colour: str, style: str) -> None:
    places = np.linspace(max(x[0] for x, _ in runs), min(x[-1] for x, _ in runs), _PLACES)
    curves = np.array([_interpolated(places, x, y) for x, y in runs])
    axes.plot(places, np.median(curves, axis=0), color=colour, linestyle=style, linewidth=1.0, label=label)
    if len(runs) > 1:
        axes.fill_between(
            places, curves.min(axis=0), curves.max(axis=0), color=colour, alpha=0.15, linewidth=0
        )


def _interpolated(places: Array, x: Array, y: Array) -> Array:
    """Return y at places, between its measured values by decades."""
    known = np.isfinite(y) & (y > 0)
    return np.exp(np.interp(places, x[known], np.log(y[known])))
