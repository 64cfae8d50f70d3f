"""Numbers that make a shape: finite, of an extent that floating point can hold."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pinnkan.ground.errors import UsageError

_LEAST_SHARE = 1e-9


class ExtentFault(UsageError):
    """A number of a shape, or of the interval of time, that makes none.

    Args:
        key: What it is called in its block.
        message: What was found and what is expected.
        block: Where it stands in a problem file.
    """

    def __init__(self, key: str, message: str, *, block: str = "domain") -> None:
        self.key = key
        super().__init__(f"{block}: {key}: {message}")


def check_finite(name: str, values: Sequence[float]) -> tuple[float, ...]:
    """Return the numbers as floats.

    Raises:
        ExtentFault: If one is infinite or not a number.
    """
    numbers = tuple(float(value) for value in values)
    if not all(math.isfinite(value) for value in numbers):
        raise ExtentFault(name, f"expected finite numbers, found {list(numbers)}")
    return numbers


def check_extent(name: str, extent: float, *, position: float = 0.0, block: str = "domain") -> None:
    """Refuse an extent whose cube would leave the range of floating point, or that its place drowns.

    Points of an interval [c, c + h] are known to about 1e-16 |c| / h of its length: a thousand million
    lengths from zero they keep seven digits, and their differences fewer.

    Args:
        name: What is wide.
        extent: How wide.
        position: Largest absolute coordinate in it.
        block: Where the extent stands in a problem file.

    Raises:
        ExtentFault: If the extent is below 1e-100 or above 1e100, or below 1e-9 of the position.
    """
    if not 1e-100 < extent < 1e100:
        raise ExtentFault(
            name,
            f"expected an extent between 1e-100 and 1e100, found {extent:g}; choose other units",
            block=block,
        )
    if extent < _LEAST_SHARE * abs(position):
        raise ExtentFault(
            name,
            f"an extent of {extent:g} at {position:g} leaves too few digits for points; "
            "count from a nearer origin",
            block=block,
        )
