"""Error norms: exact values, chunks, scales, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from pinnkan.ground.errors import DivergedError, PinnkanError
from pinnkan.solutions.evaluation import ErrorReport, ErrorSums, measure_errors


def test_exact_values():
    # e = (3, 0, -4, 0), |e| = 5, |u| = sqrt(4 * 25) = 10, max|u| = 5
    u = np.array([5.0, -5.0, 5.0, -5.0])
    report = measure_errors(u + np.array([3.0, 0.0, -4.0, 0.0]), u)
    assert report == ErrorReport(
        points=4,
        relative_l2=0.5,
        relative_l2_squared=0.25,
        relative_max=0.8,
        absolute_rms=2.5,
        absolute_max=4.0,
    )


def test_no_error_is_exactly_zero():
    u = np.linspace(-1, 1, 11)
    report = measure_errors(u, u)
    assert (report.relative_l2, report.relative_max, report.absolute_max) == (0.0, 0.0, 0.0)


def test_zero_reference_leaves_absolute_errors_only():
    report = measure_errors([0.3, -0.4], [0.0, 0.0])
    assert report.relative_l2 is None
    assert report.relative_l2_squared is None
    assert report.relative_max is None
    assert report.absolute_rms == pytest.approx(0.5 / np.sqrt(2), rel=1e-15)
    assert report.absolute_max == 0.4


@pytest.mark.parametrize("cuts", [[1], [100, 900], list(range(50, 1000, 50)), [0, 0, 999]])
def test_chunks_give_the_whole(cuts):
    rng = np.random.default_rng(0)
    u, psi = rng.normal(size=(2, 1000))
    sums = ErrorSums()
    for a, b in zip(np.split(psi, cuts), np.split(u, cuts), strict=True):
        sums.add(a, b)
    pieces, whole = sums.report(), measure_errors(psi, u)
    assert pieces.points == whole.points == 1000
    assert pieces.relative_l2 == pytest.approx(whole.relative_l2, rel=1e-14)
    assert pieces.absolute_rms == pytest.approx(whole.absolute_rms, rel=1e-14)
    assert pieces.relative_max == whole.relative_max


@pytest.mark.parametrize("scale", [1e-300, 1e-200, 1.0, 1e200, 1e300])
def test_relative_error_does_not_depend_on_the_scale(scale):
    u = np.array([3.0, 4.0])
    report = measure_errors(scale * u * 1.25, scale * u)
    assert report.relative_l2 == pytest.approx(0.25, rel=1e-14)
    assert report.relative_max == pytest.approx(0.25, rel=1e-14)


def test_against_numpy_and_single_precision_input():
    rng = np.random.default_rng(1)
    u = rng.normal(size=(50, 20)).astype(np.float32)
    psi = (u + 1e-3 * rng.normal(size=u.shape)).astype(np.float32)
    e, v = psi.astype(float) - u.astype(float), u.astype(float)
    report = measure_errors(psi, u)
    assert report.relative_l2 == pytest.approx(np.linalg.norm(e) / np.linalg.norm(v), rel=1e-13)
    assert report.relative_max == pytest.approx(abs(e).max() / abs(v).max(), rel=1e-13)


def test_column_against_row_is_refused():
    with pytest.raises(ValueError, match=r"values have shape \(3, 1\), the reference has shape \(3,\)"):
        measure_errors(np.zeros((3, 1)), np.zeros(3))


def test_no_points_are_refused():
    with pytest.raises(ValueError, match="at least one point"):
        measure_errors([], [])


def test_values_that_are_not_finite_are_refused():
    with pytest.raises(DivergedError, match="the solution is not finite at 2 of 3 points"):
        measure_errors([np.nan, 1.0, np.inf], [1.0, 1.0, 1.0])
    with pytest.raises(PinnkanError, match="the reference is not finite at 1 of 2 points") as caught:
        measure_errors([1.0, 1.0], [1.0, -np.inf])
    assert not isinstance(caught.value, DivergedError)


def test_an_error_beyond_the_range_of_doubles_is_unknown():
    report = measure_errors([1.5e308, 1.0], [-1.5e308, 1.0])
    assert (report.relative_l2, report.relative_l2_squared, report.relative_max) == (None, None, None)
    assert report.absolute_rms == np.inf
    assert measure_errors([1.5e308, 1.0], [1.0e308, 1.0]).relative_l2 == pytest.approx(0.5)
