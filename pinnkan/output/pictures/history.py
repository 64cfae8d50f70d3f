"""Pictures of a training: what fell, how far, and in which phase."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from pinnkan.ground.arrays import FloatArray
from pinnkan.output.pictures.canvas import DEFAULT_DPI, SINGLE_COLUMN_MM, legend_below, picture
from pinnkan.output.pictures.colours import LINE_COLOURS, LINE_DASHES
from pinnkan.output.pictures.labels import Caption, plain


@dataclass(frozen=True)
class TrainingCurves:
    """What was recorded during a training, at S steps; NaN where nothing was measured.

    Attributes:
        steps: Step numbers, increasing, shape (S,).
        terms: Root mean squares of the equations and conditions on the training points, by name, each (S,).
        held_out: The same over the held-out points, shape (S,): what training stops by.
        error: Relative error, shape (S,), where a reference is known: for show only.
        phases: Name and first step of every phase, in order.
        kept: The step whose coefficients were kept.
    """

    steps: FloatArray
    terms: Mapping[str, FloatArray]
    held_out: FloatArray | None = None
    error: FloatArray | None = None
    phases: Sequence[tuple[str, float]] = field(default_factory=tuple)
    kept: float | None = None


def plot_history(
    path: Path,
    curves: TrainingCurves,
    *,
    caption: Caption,
    quantity: str = "root mean square residual",
    log_steps: bool = False,
    dpi: int = DEFAULT_DPI,
) -> None:
    """Draw the terms of the loss, the held-out residual and the error over the steps, by decades.

    Args:
        path: PNG, PDF or SVG.
        curves: What was recorded.
        caption: What stands above.
        quantity: What the vertical axis shows.
        log_steps: Whether the steps go by decades too, for a short phase after a long one.
        dpi: Pixels per inch of a PNG.

    Raises:
        UsageError: If the suffix or the dpi cannot be served.
        FileAccessError: If the file cannot be written.
    """
    with picture(path, SINGLE_COLUMN_MM, 72.0, dpi=dpi) as figure:
        figure.suptitle(caption.text(SINGLE_COLUMN_MM))
        axes = figure.add_subplot()
        _draw_terms(axes, curves)
        if curves.held_out is not None:
            _draw_measured(
                axes, curves.steps, curves.held_out, label="held out", color="black", linestyle="-"
            )
        if curves.error is not None:
            _draw_measured(
                axes, curves.steps, curves.error, label="relative $L^2$ error", color="0.45", linestyle="--"
            )
        _scale_axes(axes, log_steps=log_steps)
        _mark_phases(axes, curves)
        axes.set(xlabel="step", ylabel=quantity)
        legend_below(figure, axes)


def _draw_terms(axes: Axes, curves: TrainingCurves) -> None:
    colours = LINE_COLOURS[:-1]  # the last is black: held out
    for index, (name, values) in enumerate(curves.terms.items()):
        colour, dashes = colours[index % len(colours)], LINE_DASHES[index // len(colours) % len(LINE_DASHES)]
        axes.plot(
            curves.steps, _positive(values), color=colour, linestyle=dashes, linewidth=0.9, label=plain(name)
        )


def _draw_measured(axes: Axes, steps: FloatArray, values: FloatArray, **style: str) -> None:
    """Draw a curve through the steps at which it was measured, with a dot where that is one of few."""
    measured = np.isfinite(_positive(values))
    marker = "." if np.count_nonzero(measured) <= 60 else ""
    axes.plot(steps[measured], values[measured], marker=marker, **style)  # type: ignore[arg-type]


def _positive(values: FloatArray) -> FloatArray:
    """Return values with a gap where a logarithmic axis has no place for them."""
    return np.where(np.isfinite(values) & (values > 0), values, np.nan)


def _scale_axes(axes: Axes, *, log_steps: bool) -> None:
    axes.set_yscale("log")
    axes.yaxis.set_minor_locator(LogLocator(subs=range(2, 10), numticks=20))
    axes.yaxis.set_minor_formatter(NullFormatter())
    if log_steps:
        # Steps count from 0, which has no logarithm: linear up to the first.
        axes.set_xscale("symlog", linthresh=1)
        axes.set_xlim(left=0)
    else:
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.margins(x=0.01)
    axes.grid(visible=True)


def _mark_phases(axes: Axes, curves: TrainingCurves) -> None:
    """Name the phases along the upper edge, each from a line at its first step, and mark the kept step."""
    to_panel = axes.transData + axes.transAxes.inverted()
    for _, start in curves.phases[1:]:
        axes.axvline(start, color="0.4", linewidth=0.6, linestyle=":")
    starts = [(name, float(to_panel.transform((start, 1.0))[0])) for name, start in curves.phases]
    for name, left in _spaced(starts):
        text = axes.text(left, 1.025, plain(name), transform=axes.transAxes)
        text.set(fontsize="small", color="0.3")
    if curves.kept is not None:
        axes.axvline(curves.kept, color="0.4", linewidth=0.6, label="kept")


_LETTER = 0.024
"""Width of a small letter in widths of the panel."""


def _spaced(starts: Sequence[tuple[str, float]]) -> list[tuple[str, float]]:
    """Give names their places along the upper edge: none runs over the right end or into the next one.

    A name that starts late ends at the right end; names without room for each stand side by side as one.
    """
    groups: list[tuple[str, float]] = []
    for name, start in starts:
        left = min(start, 1 - _LETTER * len(name))
        while groups and groups[-1][1] + _LETTER * (len(groups[-1][0]) + 2) > left:
            before, first = groups.pop()
            name = f"{before}, {name}"
            left = min(first, 1 - _LETTER * len(name))
        groups.append((name, left))
    return groups
