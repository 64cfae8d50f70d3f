"""Time as a factor: where uniform numbers lie in an interval, with and without a grading."""

from __future__ import annotations

import numpy as np
import pytest

from pinnkan.geometry.times import Duration, Moment, NoTime


@pytest.mark.parametrize("scale", [np.inf, 10.0, 1.0, 1e-3])
def test_uniform_numbers_fill_an_interval_from_end_to_end(scale):
    times = Duration(-1.0, 3.0, scale).at(np.array([0.0, 1.0]))
    assert times == pytest.approx([-1.0, 3.0], abs=1e-14)


def test_graded_times_are_even_in_the_logarithm():
    """tau = ((1 + g)^s - 1) / g with g = 4 / 0.5 = 8: at s = 1/2 it is (3 - 1) / 8."""
    duration = Duration(-1.0, 3.0, 0.5)
    assert duration.grading == 8.0
    assert duration.at(np.array([0.5])) == pytest.approx([-1.0 + 4.0 * 0.25], rel=1e-14)
    assert duration.even.at(np.array([0.5])) == pytest.approx([1.0], rel=1e-14)


def test_a_moment_and_no_time_take_no_numbers():
    assert Moment(2.5).at(np.zeros((3, 0))).tolist() == [[2.5]] * 3
    assert NoTime().at(np.zeros((3, 0))).shape == (3, 0)
