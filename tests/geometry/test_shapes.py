"""Every shape: quadrature, normals, distance functions, parts, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
import sympy
from geometry_table import SHAPE_TABLE, boundary, interior

from pinnkan.geometry import SHAPES, Ball, Box, Disk, Interval, make_shape
from pinnkan.ground.errors import UsageError

INTERIOR_MEANS = [
    # shape, function of the unit shape's coordinates, mean, points, tolerance
    (Interval(0, 1), lambda x: np.exp(x), math.e - 1, 10, 1e-14),
    (Box([0, 0], [1, 1]), lambda x, y: np.exp(x + y), (math.e - 1) ** 2, 100, 1e-14),
    (Box([0, 0, 0], [1, 1, 1]), lambda x, y, z: x**3 * y**2 * z, 1 / 24, 100, 1e-14),
    (Disk(), lambda x, y: x**2, 1 / 4, 60, 1e-14),
    (Disk(), lambda x, y: x**4 * y**2, 1 / 64, 300, 1e-6),
    (Disk(), lambda x, y: np.exp(x), 1.1303182079849703, 300, 1e-7),  # 2 I_1(1)
    (Disk(), lambda x, y: np.hypot(x, y), 2 / 3, 60, 1e-14),
    (Ball(), lambda x, y, z: x**2, 1 / 5, 100, 1e-14),
    (Ball(), lambda x, y, z: x**2 * y**2, 1 / 35, 1000, 1e-6),
    (Ball(), lambda x, y, z: np.exp(z), 3 / math.e, 1000, 1e-8),
]
BOUNDARY_MEANS = [
    (Interval(0, 1), "x+", lambda x: np.exp(x), math.e, 10, 1e-14),
    (Interval(0, 1), "all", lambda x: np.exp(x), (math.e + 1) / 2, 10, 1e-14),
    (Box([0, 0], [1, 1]), "top", lambda x, y: np.exp(x) * y, math.e - 1, 10, 1e-14),
    (Box([0, 0], [3, 1]), "all", lambda x, y: x + y, 2.0, 40, 1e-14),
    (Box([0, 0], [3, 1]), "all", lambda x, y: x**2, (2 * 9 + 0 + 9) / 8, 40, 1e-14),
    (Box([0, 0, 0], [1, 1, 1]), "back", lambda x, y, z: x**3 * y * z, 1 / 8, 30, 1e-14),
    (Disk(), "all", lambda x, y: x**8, 35 / 128, 9, 1e-14),
    (Ball(), "sphere", lambda x, y, z: x**2 * y**2, 1 / 15, 300, 1e-14),
    (Ball(), "all", lambda x, y, z: np.exp(z), math.sinh(1), 100, 1e-12),
]


@pytest.mark.parametrize("variant", [0, 2, 6])
@pytest.mark.parametrize(("shape", "f", "mean", "count", "tolerance"), INTERIOR_MEANS)
def test_interior_means(shape, f, mean, count, tolerance, variant):
    points, weights = interior(shape, count, variant=variant)
    assert weights @ f(*points.T) == pytest.approx(mean, abs=tolerance)


@pytest.mark.parametrize("variant", [0, 2, 6])
@pytest.mark.parametrize(("shape", "part", "f", "mean", "count", "tolerance"), BOUNDARY_MEANS)
def test_boundary_means(shape, part, f, mean, count, tolerance, variant):
    points, weights, _ = boundary(shape, part, count, variant=variant)
    assert weights @ f(*points.T) == pytest.approx(mean, abs=tolerance)


@pytest.mark.parametrize("rule", ["sobol", "random"])
@pytest.mark.parametrize("name", SHAPE_TABLE)
def test_placed_points_are_uniform(name, rule):
    """First and second moments of volume and boundary agree with the quadrature."""
    shape = SHAPE_TABLE[name]
    fine, fine_weights = interior(shape, 5000)
    points, weights = interior(shape, 20000, rule=rule, seed=7)
    size = float(np.ptp(fine))
    for power in (1, 2):
        assert weights @ points**power == pytest.approx(fine_weights @ fine**power, abs=0.02 * size**power)
    fine, fine_weights, _ = boundary(shape, "all", 5000)
    points, weights, _ = boundary(shape, "all", 20000, rule=rule, seed=7)
    for power in (1, 2):
        assert weights @ points**power == pytest.approx(fine_weights @ fine**power, abs=0.02 * size**power)


@pytest.mark.parametrize("count", [1, 2, 3, 7, 20, 200, 2000])
@pytest.mark.parametrize("name", SHAPE_TABLE)
def test_quadrature_meets_the_count(name, count):
    """Within 10 %, once there are a few points an axis."""
    shape = SHAPE_TABLE[name]
    points, weights = interior(shape, count)
    slack = 0.1 * count if count >= 200 else 0.4 * count + 1
    assert abs(len(points) - count) <= slack
    assert weights.sum() == pytest.approx(1, abs=1e-13)


@pytest.mark.parametrize("name", ["disk", "ball", "box", "box3"])
def test_spacing_is_about_isotropic(name):
    """No empty region and no heap: nearest neighbours and largest holes stay near the mean spacing."""
    shape = SHAPE_TABLE[name]
    points, _ = interior(shape, 1500)
    spacing = (shape.volume / len(points)) ** (1 / shape.dimension)
    probes, _ = interior(shape, 4000, rule="random", seed=5)
    holes = np.linalg.norm(probes[:, None] - points, axis=2).min(axis=1) / spacing
    assert holes.max() < 1.7
    gaps = np.linalg.norm(points[:, None] - points, axis=2) + 1e9 * np.eye(len(points))
    assert np.median(gaps.min(axis=1)) / spacing > 0.5


@pytest.mark.parametrize("name", SHAPE_TABLE)
def test_distance_normals_and_containment_agree(name):
    """Zero on the parts, positive inside, falling along the outward unit normal at order one."""
    shape = SHAPE_TABLE[name]
    symbols = sympy.symbols("x y z", real=True)[: shape.dimension]
    inside, _ = interior(shape, 200, rule="random", seed=1)
    size = float(np.max(shape.bounding_box[1] - shape.bounding_box[0]))
    for part in shape.parts:
        distance = sympy.lambdify(symbols, shape.distance(symbols, [part]))
        on, _, normals = boundary(shape, part, 50)
        np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-14)
        np.testing.assert_allclose(distance(*on.T), 0, atol=1e-14)
        assert distance(*inside.T).min() > 0
        assert distance(*inside.T).max() <= 1
        step = 1e-6 * size
        slope = (distance(*(on + step * normals).T) - distance(*(on - step * normals).T)) / (2 * step)
        assert np.all((-slope * size > 0.5) & (-slope * size < 5))
        assert shape.contains(on).all()
        assert not shape.contains(on + 1e-9 * size * normals).any()
        assert shape.contains(on - 1e-9 * size * normals).all()
    assert shape.contains(inside).all()
    assert shape.distance(symbols, []) == 1


@pytest.mark.parametrize("name", SHAPE_TABLE)
def test_distance_of_all_parts_vanishes_on_each(name):
    shape = SHAPE_TABLE[name]
    symbols = sympy.symbols("x y z", real=True)[: shape.dimension]
    distance = sympy.lambdify(symbols, shape.distance(symbols, ["all"]))
    on, _, _ = boundary(shape, "all", 60, rule="random", seed=2)
    center = np.mean(shape.bounding_box, axis=0)
    np.testing.assert_allclose(distance(*on.T), 0, atol=1e-14)
    assert distance(*center) == pytest.approx(1, abs=1e-15)


def test_distance_formulas_read_cleanly():
    x, y = sympy.symbols("x y", real=True)
    assert Disk().distance((x, y), ["all"]) == 1 - x**2 - y**2
    assert Interval(0, 1).distance((x,), ["all"]) == 4 * x * (1 - x)
    assert Interval(0, 2).distance((x,), ["left"]) == x / 2
    assert Box([0, 0], [1, 1]).distance((x, y), ["top", "x-"]) == x * (1 - y)


def test_parts_and_aliases():
    box = Box([0, 0, 0], [1, 1, 1], ["a", "b", "c"])
    assert box.parts == ("a-", "a+", "b-", "b+", "c-", "c+")
    assert [
        box.resolve_part(name)[0] for name in ("left", "right", "bottom", "top", "front", "back")
    ] == list(box.parts)
    assert box.resolve_part("all") == box.parts
    assert box.resolve_parts(["top", "left", "b+"]) == ("a-", "b+")
    assert Disk().resolve_part("all") == Disk().resolve_part("circle") == ("circle",)
    assert Ball().resolve_part("all") == ("sphere",)
    with pytest.raises(UsageError, match=r"boundary: unknown part 'lef'; expected one of .*mean 'left'\?"):
        box.resolve_part("lef")
    with pytest.raises(UsageError, match=r"unknown part 'top'; expected one of circle, all$"):
        Disk().resolve_part("top")


def test_boundary_splits_by_area():
    points, weights, normals = boundary(Box([0, 0], [3, 1]), "all", 80, rule="random")
    assert [int((normals @ n == 1).sum()) for n in ([-1, 0], [1, 0], [0, -1], [0, 1])] == [10, 10, 30, 30]
    np.testing.assert_allclose(weights, 1 / 80)
    assert len(points) == 80


def test_thin_box_spends_its_points_along_its_length():
    points, _ = interior(Box([0, 0], [100, 0.1]), 100)
    assert len(np.unique(points[:, 0])) == 100
    assert len(np.unique(points[:, 1])) == 1


def test_make_shape_builds_what_a_file_says():
    assert make_shape("interval", ["s"], {"s": [0, 1]}).parts == ("s-", "s+")
    assert make_shape("box", ["x", "y"], {"x": [0, 3], "y": [-1, 1]}).volume == 6
    assert make_shape("disk", ["x", "y"], {"radius": 2}).volume == pytest.approx(4 * math.pi)
    ball = make_shape("ball", ["x", "y", "z"], {"center": [1, 2, 3], "radius": 0.5})
    np.testing.assert_array_equal(ball.bounding_box, [[0.5, 1.5, 2.5], [1.5, 2.5, 3.5]])


REFUSED = [
    (("disc", "xy", {"radius": 1}), r"expected one of .*, found 'disc'; did you mean 'disk'\?"),
    (("disk", "xyz", {"radius": 1}), r"'disk' needs 2 space coordinates, found 3: x, y, z"),
    (("interval", "xy", {"x": [0, 1]}), r"'interval' needs 1 space coordinate, found 2: x, y"),
    (("disk", "xy", {}), r"a disk needs the key 'radius'"),
    (("disk", "xy", {"radus": 1}), r"unknown key 'radus' of a disk; expected center, radius; did you mean"),
    (("disk", "xy", {"radius": [1, 2]}), r"radius: expected 1 number, found 2"),
    (("ball", "xyz", {"center": [1, 2], "radius": 1}), r"center: expected 3 numbers, found 2"),
    (("disk", "xy", {"radius": -1}), r"radius: expected a positive number, found -1.0"),
    (("ball", "xyz", {"radius": 0}), r"radius: expected a positive number, found 0.0"),
    (("disk", "xy", {"radius": math.inf}), r"radius: expected finite numbers, found \[inf\]"),
    (("box", "xy", {"x": [0, math.nan], "y": [0, 1]}), r"x: expected finite numbers, found \[0.0, nan\]"),
    (("box", "xy", {"x": [0, 1]}), r"a box needs the key 'y'"),
    (("box", "xy", {"x": [0, 1], "y": [1, 1]}), r"y: expected lower < upper, found \[1.0, 1.0\] \(empty\)"),
    (
        ("disk", "xy", {"radius": 1e-110}),
        r"radius: expected an extent between 1e-100 and 1e100, found 1e-110",
    ),
    (
        ("box", "xy", {"x": [0, 1e200], "y": [0, 1e200]}),
        r"x: expected an extent .*, found 1e\+200; choose other units",
    ),
    (("interval", "x", {"x": [2, 1]}), r"x: expected lower < upper, found \[2.0, 1.0\] \(empty\)"),
]


@pytest.mark.parametrize(("arguments", "message"), REFUSED)
def test_refusals_of_shapes(arguments, message):
    name, axes, numbers = arguments
    with pytest.raises(UsageError, match=message):
        make_shape(name, tuple(axes), numbers)


def test_direct_refusals():
    with pytest.raises(UsageError, match="center: expected 2 numbers, found 3"):
        Disk([0, 0, 0])
    with pytest.raises(UsageError, match="as many lower and upper bounds as axes, found 2 and 1 for"):
        Box([0, 0], [1])


def test_registry_covers_the_table():
    assert {"interval", "box", "disk", "ball", "point"} == set(SHAPES)
