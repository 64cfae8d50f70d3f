"""The paper that pictures are drawn on: sizes in print, type, formats, files that repeat bit for bit."""

from __future__ import annotations

import contextlib
import math
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import ScalarFormatter
from matplotlib.transforms import Bbox

from pinnkan.ground.errors import UsageError
from pinnkan.ground.files import atomic_writer
from pinnkan.output.pictures.formats import PICTURES
from pinnkan.output.pictures.labels import number
from pinnkan.output.suffixes import require_suffix

# Widths of one and two columns of the usual journals.
SINGLE_COLUMN_MM = 85.0
DOUBLE_COLUMN_MM = 175.0
MM_PER_INCH = 25.4

# Above the title, below it and below the panels, as matplotlib's layout leaves it.
_PADDING_MM = 4.5

DEFAULT_DPI = 300

_POWERS = (-2, 4)
"""Powers of ten between which the numbers of an axis stand as they are."""

# A serif face that comes with matplotlib and goes with mathematics; the second
# one has the signs that the first lacks.
_STYLE: dict[str, Any] = {
    "font.family": ["STIXGeneral", "DejaVu Sans"],
    "mathtext.fontset": "stix",
    "font.size": 8.5,
    "axes.titlesize": 8.5,
    "axes.labelsize": 8.5,
    "figure.titlesize": 9.0,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "legend.fontsize": 7.5,
    "legend.frameon": False,
    "axes.linewidth": 0.5,
    "axes.formatter.use_mathtext": True,
    "axes.formatter.limits": _POWERS,
    "axes.unicode_minus": True,
    "lines.linewidth": 1.1,
    "lines.markersize": 3.0,
    "grid.linewidth": 0.3,
    "grid.color": "0.85",
    "image.composite_image": False,
    "pdf.fonttype": 42,  # text stays text: it can be searched and edited
    "svg.fonttype": "path",
    "svg.hashsalt": "pinnkan",  # otherwise the ids of an SVG are random
} | {
    f"{axis}tick.{key}": value
    for axis in "xy"
    for key, value in {"major.width": 0.5, "minor.width": 0.3, "major.size": 2.5, "minor.size": 1.5}.items()
}


@contextlib.contextmanager
def picture(
    path: Path,
    width_mm: float,
    height_mm: float,
    *,
    dpi: int = DEFAULT_DPI,
    layout: Literal["constrained", "compressed"] = "constrained",
) -> Iterator[Figure]:
    """Yield an empty figure; on leaving, write it to a PNG, PDF or SVG, whole or not at all.

    The figure belongs to nobody else: no pyplot, no window, no settings of the
    user's own matplotlibrc, and the settings of the calling program are as before.

    Args:
        path: The file; its suffix chooses the format.
        width_mm: Width in print.
        height_mm: Height in print.
        dpi: Pixels per inch of a PNG, and of the coloured areas inside a PDF or an SVG.
        layout: ``compressed`` for panels of a fixed shape, which leave paper over.

    Raises:
        UsageError: If the suffix or the dpi cannot be served.
        FileAccessError: If the file cannot be written.
    """
    suffix = require_suffix(path, PICTURES)
    if not 20 <= dpi <= 2400:
        raise UsageError(f"dpi must be between 20 and 2400, got {dpi}")
    with matplotlib.style.context(["default", _STYLE]), warnings.catch_warnings():
        # A sign that no font has is drawn as a box; that is no reason to print Python's warnings.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure = Figure(figsize=(width_mm / MM_PER_INCH, height_mm / MM_PER_INCH), layout=layout)
        FigureCanvasAgg(figure)
        yield figure
        with atomic_writer(path) as file:
            figure.savefig(file, format=suffix[1:], dpi=dpi, metadata=PICTURES[suffix])


class Numbers(ScalarFormatter):
    """The numbers of an axis; what all have in common stands at its end, in words that say how to read them.

    ``300 + 10^-3 x`` over 0.25, 0.5, ...: of values that differ in their sixth digit (matplotlib's own words,
    ``x10^-3+3x10^2``, take a second look).
    """

    def get_offset(self) -> str:
        """Return what the numbers are multiplied by and added to; nothing where they stand for themselves."""
        if not self.offset:
            return super().get_offset()
        assert self.axis is not None
        low, high = sorted(self.axis.get_view_interval())
        power = math.floor(math.log10(high - low))  # as the numbers themselves are divided
        power = 0 if _POWERS[0] < power < _POWERS[1] else power
        factor = rf"10^{{{power}}}\times" if power else r"\ldots"
        return f"{number(self.offset, 12)}$\\,+\\,{factor}$"


_HANDLE_MM, _LETTER_MM = 11.0, 1.35
"""Width of a legend's line with its gaps, and of a letter."""


def legend_below(figure: Figure, *axes: Axes) -> None:
    """Put the legend of some axes under the whole figure, where it can hide nothing, if anything is named.

    A label that several of them have stands in it once.
    """
    found: dict[str, Any] = {}
    for panel in axes:
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    labels, handles = list(found), list(found.values())
    width = figure.get_figwidth() * MM_PER_INCH
    most = 3 if width < 100 else 6
    if handles:
        # Columns that do not fit would be cut off at both sides.
        entry = _HANDLE_MM + _LETTER_MM * max(map(len, labels))
        columns = max(1, min(len(handles), most, int(width / entry)))
        figure.legend(handles, labels, loc="outside lower center", ncols=columns)


def fit_height(figure: Figure, title: Text) -> None:
    """Make a figure of panels with fixed shapes exactly as high as they need at its width.

    Args:
        figure: Of ``compressed`` layout, drawn on, and so high that its width is what limits the panels.
        title: The figure's title.
    """
    figure.draw_without_rendering()
    boxes = [axes.get_tightbbox() for axes in figure.axes if axes.get_visible()]
    panels = Bbox.union([box for box in boxes if box is not None])
    content = panels.height + title.get_window_extent().height
    figure.set_figheight(content / figure.dpi + _PADDING_MM / MM_PER_INCH)
