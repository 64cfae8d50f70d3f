"""Colours that say what they should: even steps for values, a zero for signs, decades for magnitudes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import matplotlib
import numpy as np
from matplotlib.colors import Colormap, LogNorm, Normalize

from pinnkan.ground.arrays import FloatArray

# Okabe and Ito (2008): eight colours that colour-blind readers can tell apart;
# without yellow, which is too pale for a line on white paper.
LINE_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")

LINE_DASHES = ("-", "--", ":", "-.")
"""For more lines than there are colours."""

_MAPS = {"value": "viridis", "signed": "RdBu_r", "magnitude": "magma"}

# An error changes sign along lines, where its logarithm has no bottom.
_DECADES = 4


@dataclass(frozen=True)
class Scale:
    """How values become colours.

    Attributes:
        norm: Values to [0, 1].
        colours: [0, 1] to colours.
        unit: The power of ten that values are divided by, so that the numbers beside the bar are short.
        logarithmic: Whether absolute values are shown, by decades.
        extend: Which end of the colour bar has a tip because values go beyond it.
    """

    norm: Normalize
    colours: Colormap
    unit: float = 1.0
    logarithmic: bool = False
    extend: str = "neither"

    @property
    def low(self) -> float:
        """The value of the first colour."""
        assert self.norm.vmin is not None
        return float(self.norm.vmin)

    @property
    def high(self) -> float:
        """The value of the last colour."""
        assert self.norm.vmax is not None
        return float(self.norm.vmax)

    def prepare(self, values: FloatArray) -> FloatArray:
        """Return what is drawn of a field: itself in its unit, or its magnitude above the lowest decade."""
        return np.maximum(np.abs(values), self.low) if self.logarithmic else values / self.unit

    @property
    def factor(self) -> str:
        """The unit as mathematics: a power of ten, or nothing."""
        return "" if self.unit == 1.0 else f"$10^{{{round(math.log10(self.unit))}}}$"


def scale_of(fields: Sequence[FloatArray], kind: Literal["value", "signed", "magnitude"]) -> Scale:
    """Choose colours for fields that are to be compared.

    Args:
        fields: Their values, any shapes; entries that are not finite do not count.
        kind: ``value``: least to greatest. ``signed``: the same distance either
            side of zero, so that white is zero. ``magnitude``: the four decades below the greatest.

    Returns:
        The scale; a constant field gets a narrow range about its value.
    """
    finite = [f[np.isfinite(f)] for f in fields]
    low = min((float(f.min()) for f in finite if f.size), default=0.0)
    high = max((float(f.max()) for f in finite if f.size), default=0.0)
    colours = matplotlib.colormaps[_MAPS[kind]]
    peak = max(abs(low), abs(high))
    if kind == "magnitude":
        top = peak or 1.0
        return Scale(LogNorm(top * 10.0**-_DECADES, top), colours, logarithmic=True, extend="min")
    if kind == "signed":
        low, high = -(peak or 1.0), peak or 1.0
    elif high - low <= 1e-12 * peak or peak == 0.0:
        margin = 1e-3 * peak or 1.0
        low, high = low - margin, high + margin
    unit = _unit(max(abs(low), abs(high)))
    return Scale(Normalize(low / unit, high / unit), colours, unit)


def _unit(peak: float) -> float:
    """Return the power of ten to leave out of numbers up to some peak; none from 0.01 to 10,000."""
    power = math.floor(math.log10(peak))
    return 1.0 if -2 <= power <= 3 else 10.0**power
