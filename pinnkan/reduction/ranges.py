"""The box of parameter values that a reduced basis is made for, and a training set that fills it."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pinnkan.ground.arrays import BoolArray, FloatArray
from pinnkan.ground.errors import UsageError, did_you_mean, quote
from pinnkan.language.parameters import Parameter, parse_number

_ONE_PARAMETER = 64
_SOBOL_EXPONENT = 6
_LOGARITHMIC_FROM = 5.0
"""From this ratio of the ends on, values are spaced evenly in their logarithms."""
_SLACK = 1e-12


@dataclass(frozen=True)
class Range:
    """One parameter and the interval it moves in; low = high for one that stays at its base value."""

    name: str
    low: float
    high: float

    @property
    def moves(self) -> bool:
        """Whether the parameter varies."""
        return self.low < self.high

    @property
    def is_logarithmic(self) -> bool:
        """Whether it spans several times its low end, and equal ratios count as equal steps."""
        return self.low > 0 and self.high >= _LOGARITHMIC_FROM * self.low

    def share(self, values: FloatArray) -> FloatArray:
        """Map the interval onto [0, 1], the inverse of `place`; 0 for one that does not move."""
        if not self.moves:
            return np.zeros_like(values)
        if self.is_logarithmic:
            shares: FloatArray = np.log(values / self.low) / np.log(self.high / self.low)
        else:
            shares = (values - self.low) / (self.high - self.low)
        return shares

    def place(self, share: FloatArray) -> FloatArray:
        """Map [0, 1] onto the interval."""
        if self.is_logarithmic:
            placed: FloatArray = self.low * (self.high / self.low) ** share
        else:
            placed = self.low + (self.high - self.low) * share
        return np.clip(placed, self.low, self.high)


def read_ranges(
    parameters: Sequence[Parameter], *, only: str | None = None, named: Sequence[str] = ()
) -> tuple[Range, ...]:
    """Read the ranges that the command line asks for, one for every parameter in problem order.

    Args:
        parameters: The family's parameters.
        only: Text of ``--lambda``, LOW:HIGH for the family's only parameter.
        named: Texts of ``--param``, each NAME=LOW:HIGH; unnamed parameters stay at their base values.

    Raises:
        UsageError: If a name is unknown, a range cannot be read, or none is given.
    """
    names = [parameter.name for parameter in parameters]
    if not names:
        raise UsageError("this problem has no parameters: there is no family to reduce")
    texts: dict[str, tuple[str, str]] = {}
    if only is not None:
        if len(names) > 1:
            raise UsageError(
                f"--lambda sets the only parameter of a family; this one has {', '.join(names)}: "
                "use --param NAME=LOW:HIGH"
            )
        texts[names[0]] = (only, "--lambda")
    for text in named:
        name, equals, ends = (part.strip() for part in text.partition("="))
        if not equals:
            raise UsageError(
                f"--param: expected NAME=LOW:HIGH, for example {names[0]}=0:1, got {quote(text)}"
            )
        if name not in names:
            known = did_you_mean(name, names) or f"; the parameters are {', '.join(names)}"
            raise UsageError(f"--param: unknown parameter {quote(name)}{known}")
        texts[name] = (ends, f"--param {name}")
    if not texts:
        raise UsageError("which range? Give --lambda LOW:HIGH or --param NAME=LOW:HIGH")
    return tuple(
        _read(p.name, *texts[p.name]) if p.name in texts else Range(p.name, p.base, p.base)
        for p in parameters
    )


def _read(name: str, text: str, option: str) -> Range:
    ends = [parse_number(word.strip()) for word in text.split(":")]
    if len(ends) != 2 or ends[0] is None or ends[1] is None:
        raise UsageError(f"{option}: expected LOW:HIGH, such as 0:1, got {quote(text)}")
    low, high = float(ends[0]), float(ends[1])
    if not low < high:
        raise UsageError(f"{option}: expected LOW < HIGH, got {quote(text)}")
    return Range(name, low, high)


def training_set(ranges: Sequence[Range]) -> FloatArray:
    """Return parameter values (L, P) all over the box, its corners among them.

    64 values of a single parameter, evenly spaced; for several, Sobol points (2^(6 + their number), at
    most 1,024) and the corners. Rounded to 12 digits, which keeps the names of adapters' files short.
    """
    moving = [axis for axis, span in enumerate(ranges) if span.moves]
    if len(moving) == 1:
        shares = np.linspace(0.0, 1.0, _ONE_PARAMETER)[:, None]
    else:
        exponent = min(10, _SOBOL_EXPONENT + len(moving))
        from scipy.stats import qmc  # a second to import, for several parameters only

        inner = qmc.Sobol(len(moving), scramble=False).random_base2(exponent)[1:]
        corners = list(itertools.islice(itertools.product((0.0, 1.0), repeat=len(moving)), 64))
        shares = np.concatenate([np.array(corners), inner])
    values = np.empty((len(shares), len(ranges)))
    for axis, span in enumerate(ranges):
        column = shares[:, moving.index(axis)] if axis in moving else np.zeros(len(shares))
        values[:, axis] = span.place(column)
    return np.array([[float(f"{value:.12g}") for value in row] for row in values.tolist()])


def shares(ranges: Sequence[Range], values: FloatArray) -> FloatArray:
    """Return parameter values (L, P) in units of their ranges, shape (L, P)."""
    return np.stack([span.share(column) for span, column in zip(ranges, values.T, strict=True)], axis=1)


def outside(ranges: Sequence[Range], values: FloatArray) -> BoolArray:
    """Tell which of parameter values (L, P) lie outside the box, shape (L,)."""
    low, high = np.array([span.low for span in ranges]), np.array([span.high for span in ranges])
    slack = _SLACK * np.maximum(1.0, np.maximum(np.abs(low), np.abs(high)))
    found: BoolArray = ((values < low - slack) | (values > high + slack)).any(axis=1)
    return found


def named(ranges: Sequence[Range], row: Sequence[float]) -> dict[str, float]:
    """Return one row of values by parameter."""
    return {span.name: float(value) for span, value in zip(ranges, row, strict=True)}


def rows_of(ranges: Sequence[Range], values: Sequence[Mapping[str, float]]) -> FloatArray:
    """Return complete parameter values as rows, shape (L, P)."""
    return np.array([[point[r.name] for r in ranges] for point in values], dtype=np.float64).reshape(
        len(values), len(ranges)
    )
