"""Grids, and how the user writes them."""

from __future__ import annotations

import pytest

from pinnkan.ground.errors import UsageError
from pinnkan.output.grid import make_grid, parse_grid, parse_slice


def test_points_run_in_header_order_with_both_ends():
    points = make_grid(("t", "x"), [0, -1], [1, 1], (2, 3)).points
    assert points.tolist() == [[0, -1], [0, 0], [0, 1], [1, -1], [1, 0], [1, 1]]


def test_the_last_point_is_the_end_exactly():
    points = make_grid(("x",), [0.1], [0.7], (97,)).points
    assert points[0, 0] == 0.1
    assert points[-1, 0] == 0.7


def test_fixed_coordinates_keep_their_column():
    grid = make_grid(("t", "x", "y"), [0, -1, -1], [1, 1, 1], (3, 5), fixed={"t": 0.5})
    assert grid.shape == (1, 3, 5)
    assert grid.varying == (1, 2)
    assert grid.points.shape == (15, 3)
    assert set(grid.points[:, 0]) == {0.5}


def test_every_coordinate_may_be_fixed():
    grid = make_grid(("t", "x"), [0, 0], [1, 1], (), fixed={"x": 1.0, "t": 0.0})
    assert grid.points.tolist() == [[0.0, 1.0]]


@pytest.mark.parametrize(
    ("fixed", "message"),
    [
        ({"t": 1.5}, r"t=1.5 is outside the domain: t runs from 0 to 1"),
        ({"t": float("nan")}, r"t=nan is outside the domain"),
        ({"z": 0.5}, r"unknown coordinate 'z'; coordinates are t, x"),
    ],
)
def test_bad_fixed_values(fixed, message):
    with pytest.raises(UsageError, match=message):
        make_grid(("t", "x"), [0, 0], [1, 1], (3, 3), fixed=fixed)


@pytest.mark.parametrize(
    ("text", "counts"),
    [("11x101x7", (11, 101, 7)), ("2X3x4", (2, 3, 4)), (" 2 x 3 x 4 ", (2, 3, 4)), ("2×3×4", (2, 3, 4))],
)
def test_parse_grid(text, counts):
    assert parse_grid(text, ("t", "x", "y")) == counts


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"grid '': expected counts joined by x, as 101x101"),
        ("101,101", r"grid '101,101': expected counts joined by x, as 101x101"),
        ("1e2x5", r"expected counts joined by x"),
        ("-5x5", r"expected counts joined by x"),
        ("5xx5", r"expected counts joined by x"),
        ("５x5", r"expected counts joined by x"),
        ("101", r"grid '101': found 1 counts, expected 2 \(x, y\), as 101x101"),
        ("5x5x5", r"found 3 counts, expected 2"),
        ("1x5", r"at least 2; one moment is --time T, other cuts are --points FILE"),
        ("100000x100000", r"10,000,000,000 points, the most is 50,000,000"),
        ("9" * 400 + "x2", r"expected counts joined by x"),
    ],
)
def test_parse_grid_refuses(text, message):
    with pytest.raises(UsageError, match=message):
        parse_grid(text, ("x", "y"))


def test_parse_slice():
    assert parse_slice("y=0.5", ("x", "y")) == ("y", 0.5)
    assert parse_slice(" x = -1e-3 ", ("x", "y")) == ("x", -1e-3)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0.5", r"slice '0.5': expected coordinate=value, as y=0.5"),
        ("z=0.5", r"slice 'z=0.5': unknown coordinate 'z'; coordinates are x, y"),
        ("y=", r"slice 'y=': '' is not a finite number"),
        ("y=half", r"'half' is not a finite number"),
        ("y=inf", r"'inf' is not a finite number"),
    ],
)
def test_parse_slice_refuses(text, message):
    with pytest.raises(UsageError, match=message):
        parse_slice(text, ("x", "y"))
