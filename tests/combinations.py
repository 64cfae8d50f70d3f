"""Combinations of second derivatives, as tests name them."""

from __future__ import annotations

from collections.abc import Sequence

from pinnkan.ground.derivatives import Collapsed, pure_index


def squares(coefficients: Sequence[float]) -> Collapsed:
    """Return sum_i coefficients[i] * d^2/dx_i^2 as one channel."""
    size = len(coefficients)
    return Collapsed(tuple((pure_index(axis, size, 2), c) for axis, c in enumerate(coefficients) if c))
