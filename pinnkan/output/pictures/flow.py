"""Vectors over a plane region: arrows at even places, or streamlines."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.tri import LinearTriInterpolator, Triangulation

from pinnkan.ground.arrays import FloatArray
from pinnkan.output.pictures.canvas import MM_PER_INCH
from pinnkan.output.pictures.plane import Plane

_MOST, _LEAST = 20, 8
"""Arrows along the longer side: fewer in small panels."""
_APART_MM = 2.8
"""The distance between arrows at which their heads are seen in print."""
_SHARE = 0.75
"""About how much of its column a panel takes, beside numbers and colour bars."""
_LONGEST = 0.9
"""The longest arrow, in distances between arrows: none touches the next."""
_SHORTEST = 0.02
"""Below this share of the longest, an arrow is a dot without a direction."""
_PLACES = 101
"""Places along the longer side at which streamlines know the vectors."""
_INSET = 0.015
"""Where they begin, in longer sides from the box about the region: a line on its very edge shows nothing."""
_PER_ARROW, _LEAST_DENSITY = 0.0375, 0.35
"""Streamlines in matplotlib's measure (1: 30 cells along a side, each crossed by one line at most) for each
arrow that there would be, so slightly denser than these; and the least along any side."""
_NOTHING = 1e-10
"""Below this share of the largest, a vector is rounding and has no direction."""


@dataclass(frozen=True)
class Flow:
    """Vectors to be drawn over a field.

    Attributes:
        kind: ``arrows`` or ``streamlines``.
        vectors: The two components along the axes of the picture, on the corners
            of the plane, each of shape (N,); one pair a time. NaN where there is nothing to draw.
    """

    kind: Literal["arrows", "streamlines"]
    vectors: tuple[tuple[FloatArray, FloatArray], ...]


def draw_flow(axes: Axes, plane: Plane, flow: Flow, time: int) -> None:
    """Draw the vectors of one time; none outside of the plane, and nothing where all are zero.

    White with a dark edge is seen on every colour.

    Args:
        axes: A panel with a field.
        plane: The region.
        flow: The vectors. Arrows are scaled to the longest of all times.
        time: Which of its pairs.

    Raises:
        ValueError: If a component has another shape than the corners of the plane.
    """
    lengths = [np.hypot(*(_along(plane) * np.stack(pair, axis=1)).T) for pair in flow.vectors]
    largest = max(float(np.max(length, where=np.isfinite(length), initial=0.0)) for length in lengths)
    if largest > 0:
        first, second = flow.vectors[time]
        drawing = _DRAWINGS[flow.kind]
        drawing(axes, plane, (first / largest, second / largest), _arrow_count(axes, plane))


def _arrow_count(axes: Axes, plane: Plane) -> int:
    """Return how many arrows along the longer side of a panel can be told apart in print."""
    place = axes.get_subplotspec()
    columns = 1 if place is None else place.get_gridspec().ncols
    width_mm = _SHARE * cast(Figure, axes.figure).get_figwidth() * MM_PER_INCH / columns
    longer_mm = width_mm * max(plane.height_over_width, 1.0)
    return round(min(max(longer_mm / _APART_MM, _LEAST), _MOST))


def _along(plane: Plane) -> FloatArray:
    """Return how long a unit of each coordinate is on paper, in longer sides of the drawing, shape (2,)."""
    sides = np.array([1.0, plane.height_over_width])
    along: FloatArray = sides / sides.max() / np.ptp(plane.points, axis=0)
    return along


def _draw_arrows(axes: Axes, plane: Plane, pair: tuple[FloatArray, FloatArray], count: int) -> None:
    """Draw arrows in the middle of even cells; those that would leave the region are left out."""
    low, high = plane.points.min(axis=0), plane.points.max(axis=0)
    counts = np.maximum(np.round(count * _along(plane) * (high - low)), 1).astype(int)
    centres = [a + (b - a) * (np.arange(n) + 0.5) / n for a, b, n in zip(low, high, counts, strict=True)]
    places = np.stack([m.ravel() for m in np.meshgrid(*centres)], axis=1)
    covered = plane.covered(pair[0] + pair[1])
    arrows = _at(covered, pair, places) * _LONGEST / count
    shares = np.hypot(*(_along(plane) * arrows).T) * count / _LONGEST
    finder = covered.get_trifinder()
    ends = [places - arrows / 2, places + arrows / 2]
    triangles = np.array([finder(*np.nan_to_num(end, nan=np.inf).T) for end in ends])
    inside = (triangles >= 0).all(axis=0)
    kept = inside & (shares >= _SHORTEST)
    if kept.any():
        quiver = axes.quiver(
            *places[kept].T,
            *arrows[kept].T,
            pivot="mid",
            angles="xy",
            scale_units="xy",
            scale=1.0,
            units="width" if counts[0] >= counts[1] else "height",
            width=0.1 / count,
            headwidth=3.2,
            headlength=3.6,
            headaxislength=3.2,
            minlength=0.0,
            color="white",
            edgecolor="black",
            linewidth=0.2,
        )
        quiver.set_in_layout(False)


def _draw_streamlines(axes: Axes, plane: Plane, pair: tuple[FloatArray, FloatArray], count: int) -> None:
    """Draw lines that the vectors touch."""
    low, high = plane.points.min(axis=0), plane.points.max(axis=0)
    sides = _along(plane) * (high - low)
    counts = np.maximum(np.round(_PLACES * sides), 11).astype(int)
    inset = _INSET / _along(plane)
    x, y = (np.linspace(a, b, n) for a, b, n in zip(low + inset, high - inset, counts, strict=True))
    places = np.stack([m.ravel() for m in np.meshgrid(x, y)], axis=1)
    covered = plane.covered(pair[0] + pair[1])
    vectors = _at(covered, pair, places)
    vectors[np.hypot(*(_along(plane) * vectors).T) < _NOTHING] = np.nan
    u, v = vectors.T.reshape(2, len(y), len(x))
    if np.isnan(u).all():
        return
    before = set(axes.patches)
    drawn = axes.streamplot(
        x,
        y,
        u,
        v,
        density=tuple(np.maximum(_PER_ARROW * count * sides, _LEAST_DENSITY)),
        minlength=0.2,
        color="white",
        linewidth=0.7,
        arrowsize=0.8,
    )
    # The last step of a line may have led out of the region.
    segments = [piece for line in drawn.lines.get_segments() for piece in _inside(covered, np.asarray(line))]
    drawn.lines.set_segments(segments)
    _outline(axes, drawn.lines, [patch for patch in axes.patches if patch not in before])


def _outline(axes: Axes, lines: LineCollection, heads: Sequence[Patch]) -> None:
    """Give white lines and their heads a dark edge: the lines by wider ones below them."""
    edge = LineCollection(
        lines.get_segments(), colors="black", linewidths=1.3, zorder=lines.get_zorder() - 0.1
    )
    axes.add_collection(edge, autolim=False)
    for head in heads:
        head.set(edgecolor="black", linewidth=0.3)
    for artist in (lines, edge, *heads):
        artist.set_in_layout(False)


def _inside(covered: Triangulation, line: FloatArray) -> list[FloatArray]:
    """Return the pieces of a line (N, 2) whose corners are in a region."""
    outside = np.flatnonzero(np.asarray(covered.get_trifinder()(*line.T)) < 0)
    return [piece for piece in np.split(line, np.union1d(outside, outside + 1)) if len(piece) > 1]


def _at(covered: Triangulation, pair: tuple[FloatArray, FloatArray], places: FloatArray) -> FloatArray:
    """Return vectors at places (M, 2) of a region, linear in each triangle; NaN outside."""
    columns = [np.ma.filled(LinearTriInterpolator(covered, part)(*places.T), np.nan) for part in pair]
    return np.stack(columns, axis=1)


_Drawing = Callable[[Axes, Plane, tuple[FloatArray, FloatArray], int], None]

_DRAWINGS: Mapping[str, _Drawing] = {"arrows": _draw_arrows, "streamlines": _draw_streamlines}
