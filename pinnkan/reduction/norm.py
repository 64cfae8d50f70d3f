"""The norm in which a reduced basis is orthonormal: that of all unknowns together, without units.

    |(u, v, ...)|^2 = sum over the unknowns of mean(u^2) / scale^2

A basis function is one function of all unknowns, so a norm of one of them alone would leave the others'
sizes to chance. A single unknown is not divided by its scale. Fields are stacked: the values of the first
unknown at all N points, then those of the second, (U * N,).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pinnkan.ground.arrays import FloatArray

_LEAST_SIZE = 1e-3
"""Share of its scale below which an unknown beside others is no size to measure an error by."""


def field_root(weights: FloatArray, scales: Sequence[float]) -> FloatArray:
    """Return what stacked fields are multiplied by, so that the Euclidean norm is that of all unknowns.

    Args:
        weights: Of the points, sum 1, shape (N,).
        scales: Of the U unknowns.

    Returns:
        Shape (U * N,).
    """
    root: FloatArray = np.sqrt(weights)
    return root if len(scales) == 1 else np.concatenate([root / scale for scale in scales])


def stacked(fields: FloatArray) -> FloatArray:
    """Return fields (U, *B, N), one behind the other along the points, shape (*B, U * N)."""
    result: FloatArray = np.concatenate(list(fields), axis=-1)
    return result


def largest_relative(gap: FloatArray, whole: FloatArray, unknowns: int) -> float:
    """Return the largest over the unknowns of |gap| / |whole|.

    Of several unknowns one may be zero: it counts as a thousandth of its scale at least.

    Args:
        gap: Stacked differences times `field_root`, shape (U * N,).
        whole: What they are relative to, alike.
        unknowns: Their number U.
    """
    least = _LEAST_SIZE if unknowns > 1 else 0.0
    pairs = zip(gap.reshape(unknowns, -1), whole.reshape(unknowns, -1), strict=True)
    return max(float(np.linalg.norm(own) / max(float(np.linalg.norm(of)), least)) for own, of in pairs)
