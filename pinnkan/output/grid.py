"""Tensor grids over a bounding box, with some coordinates held fixed, and how the user writes them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pinnkan.ground.arrays import FloatArray
from pinnkan.ground.errors import UsageError, did_you_mean

# A typing slip such as 10001x10001x101 would fill the memory before anything is said.
MOST_POINTS = 50_000_000


@dataclass(frozen=True)
class Grid:
    """A tensor grid; the last coordinate runs fastest.

    Attributes:
        coordinates: Names, in header order.
        axes: Places along each coordinate, in increasing order; one place where it is held fixed.
    """

    coordinates: tuple[str, ...]
    axes: tuple[FloatArray, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Points along each axis, 1 for a fixed one."""
        return tuple(len(axis) for axis in self.axes)

    @property
    def varying(self) -> tuple[int, ...]:
        """The axes that are not held fixed."""
        return tuple(i for i, axis in enumerate(self.axes) if len(axis) > 1)

    @property
    def points(self) -> FloatArray:
        """All points, shape (N, D)."""
        return np.stack([a.ravel() for a in np.meshgrid(*self.axes, indexing="ij")], axis=-1)


def make_grid(
    coordinates: Sequence[str],
    lower: Sequence[float],
    upper: Sequence[float],
    counts: Sequence[int],
    *,
    fixed: Mapping[str, float] | None = None,
) -> Grid:
    """Lay a grid over a box.

    Args:
        coordinates: Names, in header order.
        lower: Low ends of the box.
        upper: High ends.
        counts: Points along each coordinate that is not fixed, in header order.
        fixed: Coordinates held fixed, with their values.

    Raises:
        UsageError: If a fixed coordinate is unknown or its value outside the box.
    """
    held = dict(fixed or {})
    free = iter(counts)
    axes = []
    for name, low, high in zip(coordinates, lower, upper, strict=True):
        if name not in held:
            axes.append(np.linspace(low, high, next(free)))
            continue
        value = held.pop(name)
        if not low <= value <= high:
            raise UsageError(f"{name}={value:g} is outside the domain: {name} runs from {low:g} to {high:g}")
        axes.append(np.array([value]))
    for name in held:
        raise UsageError(_unknown(name, coordinates))
    return Grid(tuple(coordinates), tuple(axes))


def parse_grid(text: str, free: Sequence[str]) -> tuple[int, ...]:
    """Read counts such as ``11x101x101``.

    Args:
        text: What the user wrote.
        free: The coordinates that are not held fixed, in header order.

    Returns:
        One count of 2 or more a free coordinate.

    Raises:
        UsageError: If the text is not of this form, has too few or many counts,
            a count below 2, or more than 50 million points in all.
    """
    words = re.split("[xX×]", text.strip())
    if not all(re.fullmatch(r"\s*[0-9]{1,9}\s*", word, re.ASCII) for word in words):
        raise UsageError(f"grid '{text}': expected counts joined by x, as {_example(free)}")
    counts = tuple(int(word) for word in words)
    if len(counts) != len(free):
        raise UsageError(
            f"grid '{text}': found {len(counts)} counts, expected {len(free)} "
            f"({', '.join(free)}), as {_example(free)}"
        )
    if min(counts) < 2:
        raise UsageError(
            f"grid '{text}': every count must be at least 2; "
            "one moment is --time T, other cuts are --points FILE"
        )
    if math.prod(counts) > MOST_POINTS:
        raise UsageError(f"grid '{text}': {math.prod(counts):,} points, the most is {MOST_POINTS:,}")
    return counts


def parse_slice(text: str, coordinates: Sequence[str]) -> tuple[str, float]:
    """Read a coordinate held fixed, such as ``y=0.5``.

    Raises:
        UsageError: If the text is not of this form, names no coordinate, or the value is no finite number.
    """
    name, equals, value = (word.strip() for word in text.partition("="))
    if not equals:
        raise UsageError(f"slice '{text}': expected coordinate=value, as {coordinates[-1]}=0.5")
    if name not in coordinates:
        raise UsageError(f"slice '{text}': {_unknown(name, coordinates)}")
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise UsageError(f"slice '{text}': '{value}' is not a finite number")
    return name, number


def _example(free: Sequence[str]) -> str:
    return "x".join(["101"] * len(free))


def _unknown(name: str, coordinates: Sequence[str]) -> str:
    return (
        f"unknown coordinate '{name}'; coordinates are {', '.join(coordinates)}"
        f"{did_you_mean(name, coordinates)}"
    )
