"""Discrete error norms of a field against a reference, whole or chunk by chunk."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from pinnkan.ground.arrays import FloatArray
from pinnkan.ground.errors import DivergedError, PinnkanError


@dataclass(frozen=True)
class ErrorReport:
    """Errors of values psi against a reference u at N points, e = psi - u.

    Relative figures are None where the reference is zero at every point: there
    is nothing to be relative to, and the absolute ones speak. They are None too
    where an error is larger than a double, and the absolute ones infinite.

    Attributes:
        points: N.
        relative_l2: sqrt(sum e^2) / sqrt(sum u^2).
        relative_l2_squared: sum e^2 / sum u^2.
        relative_max: max |e| / max |u|.
        absolute_rms: sqrt(sum e^2 / N).
        absolute_max: max |e|.
    """

    points: int
    relative_l2: float | None
    relative_l2_squared: float | None
    relative_max: float | None
    absolute_rms: float
    absolute_max: float


class ErrorSums:
    """Norms of an error that arrives in chunks; the report does not depend on where the cuts are.

    (Up to the rounding of sums.) Norms are scaled by the largest entry before
    squaring, so values of 1e-200 or 1e200 neither vanish nor overflow.
    """

    def __init__(self) -> None:
        self._points = 0
        self._error_norm = 0.0
        self._reference_norm = 0.0
        self._error_max = 0.0
        self._reference_max = 0.0

    def add(self, values: ArrayLike, reference: ArrayLike) -> None:
        """Take in one chunk.

        Args:
            values: psi, any shape.
            reference: u at the same points, the same shape.

        Raises:
            ValueError: If the shapes differ: (N,) against (N, 1) would broadcast to N^2 differences.
            DivergedError: If a value is not finite.
            PinnkanError: If the reference is not finite.
        """
        psi = np.asarray(values, dtype=np.float64)
        u = np.asarray(reference, dtype=np.float64)
        if psi.shape != u.shape:
            raise ValueError(f"values have shape {psi.shape}, the reference has shape {u.shape}")
        _require_finite(psi, "the solution", DivergedError)
        _require_finite(u, "the reference", PinnkanError)
        with np.errstate(over="ignore"):  # 1e308 and -1e308 differ by more than a double holds
            error = psi - u
        self._points += error.size
        self._error_norm = math.hypot(self._error_norm, _norm(error))
        self._reference_norm = math.hypot(self._reference_norm, _norm(u))
        self._error_max = max(self._error_max, _largest(error))
        self._reference_max = max(self._reference_max, _largest(u))

    def report(self) -> ErrorReport:
        """Return the norms of everything added so far.

        Raises:
            ValueError: If there were no points.
        """
        if self._points == 0:
            raise ValueError("an error needs at least one point")
        relative = _ratio(self._error_norm, self._reference_norm)
        return ErrorReport(
            points=self._points,
            relative_l2=relative,
            relative_l2_squared=None if relative is None else relative * relative,
            relative_max=_ratio(self._error_max, self._reference_max),
            absolute_rms=self._error_norm / math.sqrt(self._points),
            absolute_max=self._error_max,
        )


def measure_errors(values: ArrayLike, reference: ArrayLike) -> ErrorReport:
    """Compare values with a reference at the same points.

    Args:
        values: psi, any shape.
        reference: u, the same shape.

    Returns:
        The norms, as :class:`ErrorReport` defines them.

    Raises:
        ValueError: If the shapes differ or there are no points.
        DivergedError: If a value is not finite.
        PinnkanError: If the reference is not finite.
    """
    sums = ErrorSums()
    sums.add(values, reference)
    return sums.report()


def _largest(values: FloatArray) -> float:
    return float(np.max(np.abs(values), initial=0.0))


def _norm(values: FloatArray) -> float:
    """Return the Euclidean norm, scaled so that no square overflows or vanishes."""
    peak = _largest(values)
    if peak == 0.0 or math.isinf(peak):
        return peak
    scaled = values.ravel() / peak
    return peak * math.sqrt(float(scaled @ scaled))


def _ratio(numerator: float, denominator: float) -> float | None:
    return numerator / denominator if denominator > 0.0 and math.isfinite(numerator) else None


def _require_finite(values: FloatArray, who: str, fault: type[PinnkanError]) -> None:
    bad = values.size - int(np.count_nonzero(np.isfinite(values)))
    if bad:
        raise fault(f"{who} is not finite at {bad} of {values.size} points: no error can be given")
