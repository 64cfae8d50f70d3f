"""Ranges as the command line writes them, and the training sets that fill them."""

from __future__ import annotations

import numpy as np
import pytest

from pinnkan.ground.errors import UsageError
from pinnkan.language.parameters import Parameter
from pinnkan.reduction import Range, outside, read_ranges, shares, training_set
from pinnkan.reduction.cells import in_cells

TWO = (Parameter("nu", 0.05), Parameter("beta", 1.0))
ONE = TWO[:1]


def test_ranges_are_read_in_problem_order_and_unnamed_parameters_stay():
    assert read_ranges(ONE, only="0.01:1/8") == (Range("nu", 0.01, 0.125),)
    assert read_ranges(TWO, named=["beta = -1:2"]) == (Range("nu", 0.05, 0.05), Range("beta", -1.0, 2.0))


@pytest.mark.parametrize(
    ("parameters", "given", "message"),
    [
        (ONE, {"only": "0:1:3"}, "--lambda: expected LOW:HIGH, such as 0:1, got '0:1:3'"),
        (ONE, {"only": "a:1"}, "--lambda: expected LOW:HIGH, such as 0:1, got 'a:1'"),
        (ONE, {"only": "1:1"}, "--lambda: expected LOW < HIGH, got '1:1'"),
        (ONE, {}, "which range"),
        (TWO, {"only": "0:1"}, "this one has nu, beta: use --param NAME=LOW:HIGH"),
        (TWO, {"named": ["nu"]}, "expected NAME=LOW:HIGH, for example nu=0:1, got 'nu'"),
        (TWO, {"named": ["bta=0:1"]}, "unknown parameter 'bta'; did you mean 'beta'"),
        ((), {"only": "0:1"}, "this problem has no parameters"),
    ],
)
def test_wrong_ranges_are_named(parameters, given, message):
    with pytest.raises(UsageError, match=message):
        read_ranges(parameters, **given)


def test_one_parameter_has_64_values_by_logarithms_where_the_range_is_wide():
    even = training_set([Range("a", 0.0, 2.0)])[:, 0]
    assert len(even) == 64
    assert np.diff(even) == pytest.approx(np.full(63, 2 / 63))
    wide = training_set([Range("a", 0.01, 0.1)])[:, 0]
    assert (wide[0], wide[-1]) == (0.01, 0.1)
    assert np.diff(np.log(wide)) == pytest.approx(np.full(63, np.log(10) / 63), rel=1e-9)
    assert all(float(f"{v:.12g}") == v for v in wide)


def test_several_parameters_have_corners_and_sobol_points_and_fixed_ones_stay():
    values = training_set([Range("a", 0.0, 1.0), Range("b", 3.0, 3.0), Range("c", -1.0, 1.0)])
    assert values.shape == (4 + 255, 3)
    assert np.unique(values[:, 1]).tolist() == [3.0]
    assert values[:4, [0, 2]].tolist() == [[0, -1], [0, 1], [1, -1], [1, 1]]


@pytest.mark.parametrize("one", [Range("a", 0.01, 0.1), Range("a", -1.0, 2.0)])
def test_shares_are_the_inverse_of_places(one):
    even = np.linspace(0, 1, 9)
    assert one.share(one.place(even)) == pytest.approx(even, abs=1e-14)
    rows = np.stack([one.place(even), np.full(9, 3.0)], axis=1)
    assert shares([one, Range("b", 3.0, 3.0)], rows)[:, 1].tolist() == [0.0] * 9


def test_values_outside_are_found_up_to_rounding():
    ranges = [Range("a", 0.0, 1.0), Range("b", 3.0, 3.0)]
    rows = np.array([[1.0 + 1e-14, 3.0], [1.1, 3.0], [0.5, 3.1], [0.0, 3.0]])
    assert outside(ranges, rows).tolist() == [False, True, True, False]


@pytest.mark.parametrize(
    ("count", "size", "cells"), [(64, 8, 8), (61, 8, 8), (100, 8, 16), (5, 8, 1), (12, 8, 2)]
)
def test_cells_hold_every_point_once_and_neighbours_together(count, size, cells):
    points = np.random.default_rng(0).uniform(size=(count, 2))
    indices, filling = in_cells(points, size)
    assert sorted(indices[~filling].tolist()) == list(range(count))
    assert indices.shape == (-(-count // cells), cells)
    if count == 64:
        spread = np.ptp(points[indices], axis=0).prod(axis=1)
        assert np.median(spread) < 4 / 8, spread
        # Two neighbouring cells of 8 are one of 16.
        pairs = in_cells(points, 16)[0]
        assert [set(pairs[:, j]) for j in range(4)] == [
            set(indices[:, 2 * j : 2 * j + 2].flat) for j in range(4)
        ]
